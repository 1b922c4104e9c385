"""The data files as models: YAML in, facts out, and a complaint that names the file and the entry at fault.

Each file has a `date` (the day its sources were read), one or more lists of facts named for their kind, and optionally
`defaults` that hold for each fact of the file. A fact that holds for several clouds names them under `clouds`. Sources
are named by id and stand once, under `sources`.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, TypeVar

import yaml
from pydantic import ValidationError

from catalog.errors import BadCatalog
from catalog.facts import Boundary, Cloud, Fact, Jurisdiction, Law, Operator, Region, Source
from catalog.machines import ClusterFeature, MachineFamily, MachineRequirement
from catalog.services import Application, GlobalType, Guardrail, PrivateEndpoint, ReleaseClaim, Service

KINDS: Final[dict[str, type[Fact]]] = {
    "jurisdictions": Jurisdiction,
    "laws": Law,
    "operators": Operator,
    "clouds": Cloud,
    "regions": Region,
    "boundaries": Boundary,
    "machine_families": MachineFamily,
    "machine_requirements": MachineRequirement,
    "cluster_features": ClusterFeature,
    "services": Service,
    "private_endpoints": PrivateEndpoint,
    "global_types": GlobalType,
    "applications": Application,
    "guardrails": Guardrail,
    "release_claims": ReleaseClaim,
}
"""The lists that a data file can have, and the model of their entries."""

_OTHER_KEYS: Final = {"date", "defaults", "sources"}
_Loader: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_F = TypeVar("_F", bound=Fact)


class Documents:
    """The data files under one or more directories."""

    def __init__(self, *directories: Path) -> None:
        self._documents = [
            (path.relative_to(directory).as_posix(), _read(path, path.relative_to(directory).as_posix()))
            for directory in directories
            for path in sorted(directory.rglob("*.yaml"))
        ]
        self._sources: dict[str, Source] = {}
        for name, document in self._documents:
            for id_, said in (document.get("sources") or {}).items():
                if id_ in self._sources:
                    raise BadCatalog(f"{name}: source '{id_}' is there twice")
                self._sources[id_] = Source(id=id_, text=said)

    def facts(self, kind: str, model: type[_F]) -> list[_F]:
        """The facts of one of `KINDS`, in the order of the files."""
        return [self._fact(where, one, model) for where, entry in self._entries(kind) for one in _for_each_cloud(entry)]

    def clouds_named(self) -> dict[str, str]:
        """Each cloud that an entry belongs to, with the place of the first such entry."""
        named: dict[str, str] = {}
        for kind in KINDS:
            for where, entry in self._entries(kind):
                for one in _for_each_cloud(entry):
                    if "cloud" in one:
                        named.setdefault(one["cloud"], where)
        return named

    def _entries(self, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Each entry with its place, and with what holds for each fact of its file that does not say otherwise."""
        for name, document in self._documents:
            common = {"date": document.get("date"), "confidence": "high", **(document.get("defaults") or {})}
            for position, entry in enumerate(document.get(kind) or ()):
                yield f"{name}: {kind}[{position}]", {**common, **entry}

    def _fact(self, where: str, entry: dict[str, Any], model: type[_F]) -> _F:
        cited = entry.get("source") or []
        missing = [id_ for id_ in cited if id_ not in self._sources]
        if missing:
            raise BadCatalog(f"{where}: source '{missing[0]}' is in no list of sources")
        try:
            return model.model_validate({**entry, "source": tuple(self._sources[id_] for id_ in cited)})
        except ValidationError as error:
            first = error.errors()[0]
            path = ".".join(str(part) for part in first["loc"])
            raise BadCatalog(f"{where}: {path}: {first['msg']}") from error


def _read(path: Path, name: str) -> dict[str, Any]:
    try:
        document = yaml.load(path.read_bytes(), Loader=_Loader)  # noqa: S506 - a safe loader either way
    except yaml.YAMLError as error:
        raise BadCatalog(f"{name}: not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(document, dict):
        raise BadCatalog(f"{name}: must be a mapping")
    unknown = document.keys() - KINDS.keys() - _OTHER_KEYS
    if unknown:
        raise BadCatalog(f"{name}: '{min(unknown)}' is not a kind of fact: {', '.join(KINDS)}")
    return document


def _for_each_cloud(entry: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """One entry for each of its `clouds`, or the entry itself."""
    if "clouds" not in entry:
        yield entry
        return
    rest = {key: value for key, value in entry.items() if key != "clouds"}
    for cloud in entry["clouds"]:
        yield {**rest, "cloud": cloud}
