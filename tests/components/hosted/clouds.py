"""What the hosted components are held against: the same components, registered by a program in Python."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi

from components.hosted.offered import CLOUDS, SCHEMA_FILE, Cloud
from components.hosted.provider import Host
from components.hosted.shapes import SPELLED_OUT
from tests.components.aws import region as aws
from tests.components.azure import recorder as azure_recorder
from tests.components.azure import region as azure
from tests.components.gcp import region as gcp
from tests.components.kubernetes import region as kubernetes
from tests.components.recorder import PROJECT, Recording, Registration

SCHEMA = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))["resources"]
Record = Callable[[Callable[[], object]], Recording]


@dataclass(frozen=True)
class Bench:
    """One cloud: a region, how its programs are recorded, and what a region's operator states besides."""

    word: str
    name: str
    """The region's, which is the stack's."""
    spec: Mapping[str, Any]
    record: Record
    operator: Mapping[str, Any]
    native: Callable[[Path], Recording]
    """The region as Python registers it, from the directory of reference values."""
    rest: Callable[[], list[Recording]]
    """Components that the region has not."""
    write_reference_values: Callable[[Path], Path]

    @property
    def cloud(self) -> Cloud:
        return CLOUDS[self.word]

    def outputs(self, recording: Recording) -> dict[str, Any]:
        """What a component gives to the program in another language."""
        exported: dict[str, Any] = recording.outputs[f"{PROJECT}-{self.name}"]
        return exported


AZURE_SPEC = azure.SPEC | azure.NETHERLANDS
BENCHES = {
    "azure": Bench(
        "Azure",
        azure_recorder.STACK,
        AZURE_SPEC,
        azure_recorder.record,
        {"clusterAdminGroupIds": ["administrators"]},
        lambda directory: azure.deploy(directory, azure.NETHERLANDS),
        lambda: [azure.deploy_parts()],
        azure.write_reference_values,
    ),
    "gcp": Bench(
        "Gcp",
        "gcp-netherlands",
        gcp.NETHERLANDS,
        lambda program: gcp.record(program, stack="gcp-netherlands"),
        {},
        lambda directory: gcp.deploy(gcp.NETHERLANDS, directory),
        lambda: [gcp.deploy_release()],
        gcp.write_reference_values,
    ),
    "aws": Bench(
        "Aws",
        aws.STACK,
        aws.IRELAND,
        aws.record,
        {},
        lambda directory: aws.deploy(aws.IRELAND, directory),
        list,
        aws.write_reference_values,
    ),
    "kubernetes": Bench(
        "Kubernetes",
        kubernetes.STACK,
        kubernetes.SPEC,
        kubernetes.record,
        {"site": kubernetes.SITE},
        kubernetes.deploy,
        list,
        kubernetes.write_reference_values,
    ),
}


def construct(
    token: str, name: str, inputs: Mapping[str, Any], record: Record, options: pulumi.ResourceOptions | None = None
) -> Recording:
    """What the host registers for a component that a program in another language asks for.

    The stack exports what the component gives, which is what the schema promises of it.
    """

    def program() -> None:
        given = Host().construct(name, token, as_delivered(inputs), options).state
        promised = SCHEMA[token]
        assert set(promised["required"]) <= given.keys() <= promised["properties"].keys()
        for key, value in given.items():
            pulumi.export(key, value)

    return record(program)


def as_delivered(value: Any) -> Any:
    """A value as the engine delivers it: JSON, with every number a float."""
    return json.loads(json.dumps(value), parse_int=float)


def spelled_out(registered: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs of a component that Python registered, as another language states them."""
    stated: dict[str, Any] = {}
    for key, value in registered.items():
        stated |= spelled_out(value) if key in SPELLED_OUT else {key: value}
    return stated


def essence(registrations: list[Registration]) -> dict[tuple[str, str], tuple[Any, ...]]:
    """Of registrations, what a deployment is made of, by type and name; the order is the event loop's."""
    return {(one.type, one.name): (one.parent, one.inputs, one.options) for one in registrations}


def below(recording: Recording, component: Registration) -> list[Registration]:
    """All that a component made."""
    family = {component.name}
    found = []
    for one in recording.registrations:
        if one.parent in family:
            family.add(one.name)
            found.append(one)
    return found
