"""Every component page's example, in the program that the pages of its cloud are cut from, under the local engine."""

import json
import re
import runpy
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import catalog
from components.spec.accounts import EMULATED_XKS_CREDENTIAL
from policies import pack
from sandbox.clouds import open_cloud, providers_of
from sandbox.clouds.hardware import NullHardware
from sandbox.engine import LocalEngine, Planned, PolicyHost, StateFile
from sandbox.engine.events import Step
from sandbox.engine.urn import qualified_type

DOCS = Path(__file__).parents[2] / "docs"
GENERATED = runpy.run_path(str(DOCS / "generate.py"))
PROGRAMS = [(cloud, page) for cloud in GENERATED["CLOUDS"] for page in (None, f"{cloud}-sovereign-region")]

OPERATORS_OWN = dict(
    zip(("bailiwick-aws:xksAccessKeyId", "bailiwick-aws:xksSecretAccessKey"), EMULATED_XKS_CREDENTIAL, strict=True)
)
"""What the examples read of the configuration."""

DECLARED = {"emulated": "true", "dataClass": "internal"}
STACK_FILES = {
    "gcp": {"jurisdiction": "DE", "location": "europe-west3", "projectId": "bailiwick-emulated"},
    "aws": {"jurisdiction": "EU", "location": "eu-west-1", "accountId": "000000000000"},
    "kubernetes": {
        "jurisdiction": "DE",
        "location": "onprem-berlin",
        "cluster": "bailiwick-emulated",
        "dataClass": "confidential",
        "registries": json.dumps([{"name": "registry.example.org/bailiwick", "jurisdiction": "DE"}]),
    },
}
"""What a stack file says around a cloud's examples, besides what all declare. Azure's are not judged: its group
of machines is weakened on purpose."""


@pytest.mark.parametrize(("cloud", "alone"), PROGRAMS)
def test_each_example_makes_as_many_resources_as_its_page_says(cloud: str, alone: str | None, tmp_path: Path) -> None:
    examples = GENERATED["examples"](cloud)
    shared = alone is None
    run = [one for one in examples if one.page in ("README", alone) or (shared and one.resources is not None)]
    stack_file = STACK_FILES.get(cloud, {}) if shared else {}
    made = resources_by_page(cloud, planned(cloud, "\n".join(one.code for one in run), tmp_path, stack_file))
    stated: Counter[str] = Counter()
    for one in run[1:]:
        stated[one.page] += one.resources or 0
    assert {page: made[page] for page in +stated} == +stated
    if alone:
        assert made[alone] > 30


@pytest.mark.parametrize("cloud", GENERATED["CLOUDS"])
def test_every_page_has_an_example(cloud: str) -> None:
    components = {page.file.removesuffix(".md") for page in GENERATED["_pages_of"](cloud, cloud)}
    assert {one.page for one in GENERATED["examples"](cloud)} == components | {"README"}


def planned(cloud: str, program: str, folder: Path, stack_file: Mapping[str, str]) -> tuple[Step, ...]:
    """What a preview of `program` does from nothing, in the emulated cloud; in a `stack_file` the pack judges it."""
    catalog.load()  # with this repository's facts of the site: the program lies in a folder without any
    (folder / "Pulumi.yaml").write_text("name: examples\nruntime: python\n")
    (folder / "__main__.py").write_text(program)
    emulated = open_cloud(cloud, folder / "cloud", NullHardware())
    events: list[Any] = []
    state = StateFile(folder / "state.json", "a passphrase")
    engine = LocalEngine(
        folder,
        "docs",
        providers=providers_of(emulated),
        state=state,
        policy_pack=PolicyHost(pack.build()) if stack_file else None,
        on_event=events.append,
        config=OPERATORS_OWN
        | {f"bailiwick:{key}": value for key, value in ({"cloud": cloud} | DECLARED | dict(stack_file)).items()},
    )
    outcome = engine.preview()
    emulated.close()
    assert outcome.ok, outcome.error
    (plan,) = [event for event in events if isinstance(event, Planned)]
    return plan.steps


def resources_by_page(cloud: str, steps: tuple[Step, ...]) -> Counter[str]:
    """How many resources there are inside of each page's component."""
    pages = {
        re.search(r"`(bailiwick:index:\w+)`", page.text)[1]: page.file.removesuffix(".md")  # type: ignore[index]
        for page in GENERATED["_pages_of"](cloud, cloud)
    }
    outermost = (qualified_type(step.urn).split("$") for step in steps)
    return Counter(pages[types[0]] for types in outermost if types[0] in pages and "bailiwick:" not in types[-1])
