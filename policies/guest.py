"""What machines are told at boot, as the components write it (`components.guest_configuration`).

The verifier is told by the component that holds it, too. Both are judged: what counts is what the machine gets.
"""

import base64
import json
from collections.abc import Iterator
from typing import Any

from policies import vocabulary
from policies.subject import Property, Resource
from policies.verdict import NotApplicable

VERIFIER = "verifier"
WORKLOAD = "workload"


def decode(text: str) -> Any:
    """The guest configuration in `text`: JSON, or base64 of it as Azure wants it. Raises `ValueError`."""
    try:
        return json.loads(text if text.startswith("{") else base64.b64decode(text, validate=True))
    except RecursionError:
        raise ValueError("nests too deeply") from None


def told(resource: Resource, role: str) -> Iterator[Property]:
    """What the machine that `resource` is gets in `role`; nothing for what cannot be read, which ATT-10 refuses."""
    machine = vocabulary.machine_of(resource)
    for configuration in machine.guest_configurations if machine else ():
        try:
            found = decode(configuration.text or "")
        except ValueError:
            continue
        if isinstance(found, dict) and found.get("role") == role:
            yield Property(configuration.path, found)


def all_verifier_configurations(resource: Resource) -> Iterator[Property]:
    """What verifiers are told by `resource`, the component or the machine; nothing for anything else."""
    yield from told(resource, VERIFIER)
    if vocabulary.is_verifier(resource):
        yield resource.props.at("guestConfiguration")


def verifier_configurations(resource: Resource) -> Iterator[Property]:
    """What verifiers are told; raises `NotApplicable` where `resource` tells no verifier anything."""
    found = list(all_verifier_configurations(resource))
    if not found:
        raise NotApplicable("configures no verifier")
    yield from found


def key_policies(resource: Resource) -> Iterator[Property]:
    """The release policy of each key that the verifier guards."""
    for configuration in verifier_configurations(resource):
        for guarded in configuration.at("resources").items():
            yield guarded.at("policy")


def is_snp(tee: Property) -> bool:
    """Whether `tee`, in a key's policy, is SEV-SNP, behind a cloud's vTPM or not; TDX is the other one."""
    return "tdx" not in (tee.text or "")
