"""What endorses devices and says what they should measure, as a folder of files keeps it."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeAlias

from verifier.errors import UnreadableInput
from verifier.nvidia.revocation import OcspResponses
from verifier.pki.files import read_bytes

CHAIN_FILE: Final = "chain.pem"
RIM_FOLDER: Final = "rims"
OCSP_FOLDER: Final = "ocsp"

_RIM_SUFFIXES: Final = (".xml", ".swidtag")


@dataclass(frozen=True)
class Collateral:
    """RIMs by id, and OCSP responses, from the verifier's own store. None of it is trusted before it is verified."""

    rims: Mapping[str, bytes] = field(default_factory=dict)
    ocsp: OcspResponses = field(default_factory=OcspResponses)

    @classmethod
    def from_directory(cls, directory: Path) -> Collateral:
        """Read `rims/<id>.xml` (or `.swidtag`) and `ocsp/*.der`; either folder may be missing.

        UnreadableInput for a folder or file that cannot be read, MalformedEvidence for an OCSP response that is none.
        """
        if not directory.is_dir():
            raise UnreadableInput(f"{directory}: no such folder; it should hold {RIM_FOLDER}/<RIM id>.xml")
        rims = {path.stem: read_bytes(path) for path in _files(directory / RIM_FOLDER, _RIM_SUFFIXES)}
        return cls(rims, OcspResponses(read_bytes(path) for path in _files(directory / OCSP_FOLDER, (".der",))))

    def members(self, rim_ids: Iterable[str], serial_numbers: Iterable[int]) -> dict[str, Any]:
        """Those of these RIMs that are at hand, and the OCSP responses about these certificates, as JSON members."""
        return {
            RIM_FOLDER: {name: _text(self.rims[name]) for name in rim_ids if name in self.rims},
            OCSP_FOLDER: sorted(map(_text, self.ocsp.about(serial_numbers))),
        }

    @classmethod
    def from_members(cls, members: Mapping[str, Any]) -> Collateral:
        """Read what `members` gives; KeyError, TypeError or ValueError when a part is missing or not base64."""
        rims = {name: base64.b64decode(rim, validate=True) for name, rim in members[RIM_FOLDER].items()}
        return cls(rims, OcspResponses(base64.b64decode(it, validate=True) for it in members[OCSP_FOLDER]))


CollateralSource: TypeAlias = Callable[[], Collateral]
"""Gives what is at hand now; UnreadableInput or MalformedEvidence when it cannot be used."""


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _files(folder: Path, suffixes: Iterable[str]) -> list[Path]:
    return sorted(path for path in folder.glob("*") if path.suffix in suffixes) if folder.is_dir() else []
