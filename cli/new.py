"""`bailiwick new`: write a stack file that passes the pack."""

import re
import sys
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any

import typer
import yaml

import catalog
from cli import example_manager
from cli.checking import preview
from cli.console import open_console
from cli.display import print_verdicts
from cli.errors import EXIT_VIOLATION, CliError
from cli.project import Project
from components.spec import EMULATED_ACCOUNT, RegionSpec
from components.spec.parts import PARTS

app = typer.Typer(add_completion=False)

_STACK = re.compile(r"[a-z][a-z0-9-]{1,30}")
_HEADER = "# yaml-language-server: $schema=stack.schema.json\n"


class Tee(StrEnum):
    SNP = "snp"
    TDX = "tdx"
    NONE = "none"


_HARDWARE: Mapping[Tee, catalog.Tee] = {Tee.SNP: "snp", Tee.TDX: "tdx"}


@app.command()
def new(
    stack: Annotated[str, typer.Argument(help="name of the new stack, such as azure-sweden")],
    cloud: Annotated[str | None, typer.Option(help="cloud of the catalogue")] = None,
    jurisdiction: Annotated[str | None, typer.Option(help="what the region must not leave, such as SE or EU")] = None,
    location: Annotated[str | None, typer.Option(help="region of the cloud; default: the first that can")] = None,
    tee: Annotated[Tee, typer.Option(help="TEE of the machines; none: a region of keys and log")] = Tee.SNP,
    size: Annotated[str | None, typer.Option(help="machine size; default: the smallest that has the TEE")] = None,
    owner: Annotated[str | None, typer.Option(help="mail address of the team that answers for the region")] = None,
    data_class: Annotated[str, typer.Option(help="public, internal, confidential or secret")] = "confidential",
) -> None:
    """Write an emulated stack's file and check it. In a terminal it asks for what is left out."""
    project, console = Project.find(), open_console()
    path = project.stack_path(stack)
    if not _STACK.fullmatch(stack):
        raise CliError(f"{stack!r} is not a stack name: lower-case letters, digits and '-', for example azure-sweden")
    if path.exists():
        raise CliError(f"{path.relative_to(project.root)} exists: choose another name, or edit it")
    if tee is Tee.NONE and size is not None:
        raise CliError(f"--size {size} is a machine's, and --tee none makes none: leave one of them out")
    facts = catalog.load()
    cloud = _asked("cloud", cloud, "azure")
    provider = facts.cloud(cloud).provider
    jurisdiction = _asked("jurisdiction", jurisdiction, "DE")
    location = location or _asked("location", None, _first_location(facts, cloud, jurisdiction, tee))
    owner = _asked("owner", owner, "platform@example.org")
    config: dict[str, Any] = {
        "cloud": cloud,
        "jurisdiction": jurisdiction,
        "location": location,
        **EMULATED_ACCOUNT[provider],
        "emulated": True,
        "owner": owner,
        "dataClass": data_class,
        "network": {"addressSpace": "10.20.0.0/16"},
        **(_attested(facts, cloud, location, tee, size) if tee is not Tee.NONE else {}),
    }
    outside = example_manager.is_needed(facts.cloud(cloud), data_class)
    if outside:
        models = [machine["model"] for machine in config.get("machines", [])]
        manager = example_manager.example_manager(facts.cloud(cloud), facts.region(cloud, location), models)
        config["keys"] = {"externalManager": manager}
    RegionSpec.from_mapping(config)  # every problem at once, before anything is written
    stack_config = {"config": {f"bailiwick:{key}": value for key, value in config.items()}}
    path.write_text(_HEADER + yaml.safe_dump(stack_config, sort_keys=False), encoding="utf-8")
    console.print(f"[bold]Wrote[/]  {path.relative_to(project.root)}")
    outcome = preview(project, stack)
    print_verdicts(console, outcome.verdicts)
    if not outcome.ok:
        raise CliError(outcome.error or "the new stack does not pass", code=EXIT_VIOLATION)
    if outside:
        console.print("[bold]Note[/]   bailiwick:keys.externalManager is an example: put your own key manager there")
    console.print(f"[bold]Next[/]   bailiwick up {stack}")


def _attested(
    facts: catalog.Catalog, cloud: str, location: str, tee: Tee, size: str | None
) -> dict[str, dict[str, Any] | list[dict[str, Any]]]:
    """A verifier, and one machine of `size` with the TEE."""
    size = size or _asked("size", None, _smallest(facts, cloud, location, tee))
    return {
        "verifier": {
            "replicas": 2,
            "size": _smallest(facts, cloud, location, Tee.SNP),
            "image": {"name": "verifier", "version": "1.0.0"},
            "trustAnchors": sorted({"amd", "intel" if tee is Tee.TDX else "amd", "sandbox"} | _tpm_root(facts, cloud)),
        },
        "machines": [
            {
                "name": "inference",
                "size": size,
                "tee": str(tee),
                "image": {"name": "inference-guest", "version": "1.0.0"},
                "model": "llm",
            }
        ],
    }


def _tpm_root(facts: catalog.Catalog, cloud: str) -> set[str]:
    """Whose root signs for the TPMs of the cloud's guests, if another's than the processor's does."""
    root = PARTS[facts.cloud(cloud).provider].tpm_root
    return {root} if root else set()


def _asked(name: str, given: str | None, default: str) -> str:
    """What was given, else what a person at a terminal answers, else the default."""
    if given is not None:
        return given
    return str(typer.prompt(name, default=default)) if sys.stdin.isatty() else default


def _first_location(facts: catalog.Catalog, cloud: str, jurisdiction: str, tee: Tee) -> str:
    """The first region of `cloud` inside `jurisdiction` that offers the TEE."""
    inside = facts.regions(cloud=cloud, jurisdiction=jurisdiction)
    for region in inside:
        if tee is Tee.NONE or facts.machine_types(cloud, region=region.id, tee=_HARDWARE[tee]):
            return region.id
    names = ", ".join(region.id for region in inside) or "none"
    raise CliError(
        f"no region of {cloud} in {jurisdiction} offers {tee} (regions there: {names}); try --jurisdiction EU, or"
        " --tee none for a region of keys and log"
    )


def _smallest(facts: catalog.Catalog, cloud: str, location: str, tee: Tee) -> str:
    """The smallest machine with the TEE and no GPU in `location`."""
    offered = [
        machine for machine in facts.machine_types(cloud, region=location, tee=_HARDWARE[tee]) if not machine.gpu
    ]
    if not offered:
        raise CliError(
            f"{cloud} offers no {tee} machine in {location}: see bailiwick catalog explain {cloud} {location}"
        )
    return min(offered, key=lambda machine: (machine.vcpu, machine.memory_gib, machine.size)).size
