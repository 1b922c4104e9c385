"""The `additional_evidence` of a guest: what the devices say that it uses beside its CPU.

It is a JSON object in a text, TEE → evidence. What the guest components of Confidential Containers send for NVIDIA
devices (attester `nvidia`) is `{"nvidia": {"device_evidence_list": [{"arch", "uuid", "evidence", "certificate"}]}}`.
A device may also state `cc_mode`, what NVML says in the guest, as a report has no field for it; the whole text is bound
to the CPU's evidence, so that the statement is worth as much as the guest is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from verifier import canonical, nvidia
from verifier.appraisal.nvidia_policy import ConfidentialMode
from verifier.broker.problem import Kind, Refusal
from verifier.errors import MalformedEvidence

NVIDIA: Final = "nvidia"
_LIST: Final = "device_evidence_list"
_WORST_FIRST: Final = (ConfidentialMode.OFF, ConfidentialMode.DEVTOOLS, ConfidentialMode.ON)


@dataclass(frozen=True)
class DevicesEvidence:
    """NVIDIA devices, in the guest's order. stated_mode: the worst that is stated; None when one states none."""

    devices: tuple[nvidia.DeviceEvidence, ...]
    stated_mode: ConfidentialMode | None


def read_devices(text: str) -> DevicesEvidence | None:
    """Read the text; None when only the CPU is attested. A Refusal says what is not readable, or not known."""
    if text.strip() in ("", "{}"):
        return None
    try:
        content = canonical.parse_object(text)
    except canonical.JsonError as error:
        raise _unreadable(f"additional_evidence is {error}") from None
    unknown = sorted(content.keys() - {NVIDIA})
    if unknown:
        raise _unreadable(f"additional_evidence of {unknown[0]!r:.40} is not supported, of {NVIDIA} it is")
    members = content[NVIDIA]
    entries = members.get(_LIST, ()) if isinstance(members, Mapping) else ()
    try:
        devices = nvidia.read_evidence_list(entries)
    except MalformedEvidence as error:
        raise _unreadable(f"additional_evidence.{NVIDIA}: {error}") from None
    return DevicesEvidence(devices, _stated_mode([entry.get("cc_mode") for entry in entries]))


def _stated_mode(stated: list[Any]) -> ConfidentialMode | None:
    if None in stated:
        return None
    unknown = [mode for mode in stated if mode not in set(ConfidentialMode)]
    if unknown:
        raise _unreadable(f"cc_mode is {unknown[0]!r:.20}; {', '.join(ConfidentialMode)} are known")
    return min((ConfidentialMode(mode) for mode in stated), key=_WORST_FIRST.index)


def _unreadable(reason: str) -> Refusal:
    return Refusal(Kind.ATTESTATION, "evidence.additional", reason)
