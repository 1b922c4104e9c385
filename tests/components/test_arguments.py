"""Args as the properties that policies and state see."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from components.arguments import camel_case, properties
from components.release import MinimumTcb, Tee


@dataclass(frozen=True)
class _Inner:
    soft_delete_days: int


@dataclass(frozen=True)
class _Args:
    inner: _Inner
    tees: frozenset[Tee]
    floor: MinimumTcb
    by_name: dict[str, _Inner]
    directory: Path
    zone: str | None = None
    names: tuple[str, ...] = field(default=("a",))


def test_values_become_plain_and_names_camel_case() -> None:
    args = _Args(
        inner=_Inner(90),
        tees=frozenset({Tee.TDX, Tee.SNP}),
        floor=MinimumTcb(bootloader=4, tee=0, snp=22, microcode=213),
        by_name={"left_alone": _Inner(30)},
        directory=Path("somewhere/reference-values"),
    )
    assert properties(args) == {
        "inner": {"softDeleteDays": 90},
        "tees": ["snp", "tdx"],
        "floor": {"bootloader": 4, "tee": 0, "snp": 22, "microcode": 213},
        "byName": {"left_alone": {"softDeleteDays": 30}},
        "directory": "reference-values",
        "names": ["a"],
    }


@pytest.mark.parametrize(("name", "expected"), [("id", "id"), ("subnet_id", "subnetId"), ("a_b_c", "aBC")])
def test_camel_case(name: str, expected: str) -> None:
    assert camel_case(name) == expected
