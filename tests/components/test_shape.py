"""The same component has the same inputs and outputs on every cloud; what differs is in one reviewed table."""

import dataclasses
from collections import defaultdict
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml

CLOUDS = ("aws", "azure", "gcp", "kubernetes")
TABLE = yaml.safe_load((Path(__file__).parent / "shape.yaml").read_text(encoding="utf-8"))
Shape = Mapping[str, Mapping[str, str]]
"""By cloud: the type of each field, as text."""


def _components() -> dict[str, list[str]]:
    """The clouds that have each component, for those that more than one has."""
    having = defaultdict(list)
    for cloud in CLOUDS:
        offered = set(import_module(f"components.{cloud}").__all__)
        for name in sorted(offered):
            if f"{name}Args" in offered:
                having[name].append(cloud)
    return {name: clouds for name, clouds in having.items() if len(clouds) > 1}


COMPONENTS = _components()


def _shapes(component: str) -> dict[str, Shape]:
    """The inputs and the outputs of a component on each of its clouds."""
    modules = {cloud: import_module(f"components.{cloud}") for cloud in COMPONENTS[component]}
    args = {cloud: getattr(module, f"{component}Args") for cloud, module in modules.items()}
    classes = {cloud: getattr(module, component) for cloud, module in modules.items()}
    inputs = {cloud: {field.name: field.type for field in dataclasses.fields(cls)} for cloud, cls in args.items()}
    outputs = {
        cloud: {name: type_ for name, type_ in cls.__annotations__.items() if not name.startswith("_")}
        for cloud, cls in classes.items()
    }
    return {"inputs": _texts(inputs), "outputs": _texts(outputs)}


def _texts(fields: Mapping[str, Mapping[str, Any]]) -> Shape:
    """Types as text in which a cloud's own `Placement` reads as everybody's."""
    return {
        cloud: {name: str(type_).replace(f"components.{cloud}.", "") for name, type_ in shape.items()}
        for cloud, shape in fields.items()
    }


@pytest.mark.parametrize("component", COMPONENTS)
def test_what_a_cloud_has_besides_was_reviewed(component: str) -> None:
    found: dict[str, dict[str, list[str]]] = {}
    for kind, shape in _shapes(component).items():
        common = set.intersection(*(set(fields) for fields in shape.values()))
        extras = {cloud: sorted(fields.keys() - common) for cloud, fields in shape.items()}
        if any(extras.values()):
            found[kind] = {cloud: names for cloud, names in extras.items() if names}
    assert found == TABLE["components"][component], "the same on every cloud, or in shape.yaml with its reason"


@pytest.mark.parametrize("component", COMPONENTS)
def test_the_same_name_has_the_same_type(component: str) -> None:
    types: dict[tuple[str, str], set[str]] = defaultdict(set)
    for kind, shape in _shapes(component).items():
        for fields in shape.values():
            for name, type_ in fields.items():
                types[kind, name].add(type_)
    differing = {f"{component}.{name}" for (_, name), spelled in types.items() if len(spelled) > 1}
    assert differing == {name for name in TABLE["types"] if name.startswith(f"{component}.")}


def test_every_row_of_the_table_is_used_and_has_a_reason() -> None:
    assert TABLE["components"].keys() == COMPONENTS.keys()
    named = {
        name
        for component in TABLE["components"].values()
        for clouds in component.values()
        for names in clouds.values()
        for name in names
    }
    assert named == TABLE["reasons"].keys()
    assert all(TABLE["reasons"].values())
    assert all(TABLE["types"].values())
