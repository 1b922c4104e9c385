"""The runtime claims of an HCL report: JSON in which the paravisor names the vTPM's keys and how the VM is set up.

Source: Microsoft, "Azure confidential VM guest attestation", runtime data. Members that are not known are left alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from verifier import canonical

ATTESTATION_KEY: Final = "HCLAkPub"
USER_DATA_BYTES: Final = 64

_CONFIGURATION: Final = "vm-configuration"
_MAX_KEYS: Final = 16


@dataclass(frozen=True, slots=True)
class VmConfiguration:
    """How the VM is set up; None: the paravisor does not say.

    console: whether it has a serial console, which is the host's. vm_id: UUID in capitals.
    """

    secure_boot: bool | None
    tpm: bool | None
    tpm_persisted: bool | None
    console: bool | None
    vm_id: str | None

    def annotations(self) -> dict[str, str | int]:
        """What is said, for results and receipts."""
        flags = {
            "secure_boot": self.secure_boot,
            "tpm_enabled": self.tpm,
            "tpm_persisted": self.tpm_persisted,
            "console_enabled": self.console,
        }
        said: dict[str, str | int] = {name: int(value) for name, value in flags.items() if value is not None}
        return said | ({} if self.vm_id is None else {"vm_id": self.vm_id})


@dataclass(frozen=True, slots=True)
class RuntimeClaims:
    """The parsed claims. keys: kid → JSON Web Key. user_data: 64 bytes that the guest chose, or None."""

    keys: Mapping[str, Mapping[str, Any]]
    configuration: VmConfiguration
    user_data: bytes | None


def read(text: bytes) -> RuntimeClaims:
    """Read the JSON; canonical.JsonError says what is not as it must be."""
    content = canonical.parse_object(text)
    return RuntimeClaims(_keys(content.get("keys")), _configuration(content.get(_CONFIGURATION)), _user_data(content))


def _keys(value: object) -> dict[str, Mapping[str, Any]]:
    if not isinstance(value, list) or len(value) > _MAX_KEYS:
        raise canonical.JsonError(f"keys: a list of at most {_MAX_KEYS} keys is expected")
    found: dict[str, Mapping[str, Any]] = {}
    for key in value:
        kid = key.get("kid") if isinstance(key, dict) else None
        if not isinstance(kid, str) or kid in found:
            raise canonical.JsonError("keys: each key must be an object with a kid of its own")
        found[kid] = key
    return found


def _configuration(value: object) -> VmConfiguration:
    if not isinstance(value, dict):
        raise canonical.JsonError(f"{_CONFIGURATION}: an object is expected")
    vm_id = value.get("vmUniqueId")
    if not isinstance(vm_id, str | None):
        raise canonical.JsonError(f"{_CONFIGURATION}.vmUniqueId: a text is expected")
    return VmConfiguration(
        secure_boot=_flag(value, "secure-boot"),
        tpm=_flag(value, "tpm-enabled"),
        tpm_persisted=_flag(value, "tpm-persisted"),
        console=_flag(value, "console-enabled"),
        vm_id=vm_id,
    )


def _flag(configuration: Mapping[str, Any], name: str) -> bool | None:
    value = configuration.get(name)
    if not isinstance(value, bool | None):
        raise canonical.JsonError(f"{_CONFIGURATION}.{name}: true or false is expected")
    return value


def _user_data(content: Mapping[str, Any]) -> bytes | None:
    value = content.get("user-data")
    if value is None:
        return None
    try:
        found = bytes.fromhex(value) if isinstance(value, str) else b""
    except ValueError:
        found = b""
    if len(found) != USER_DATA_BYTES:
        raise canonical.JsonError(f"user-data: {USER_DATA_BYTES} bytes in hex are expected")
    return found
