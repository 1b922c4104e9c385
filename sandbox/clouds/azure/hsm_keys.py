"""What a Managed HSM checks of keys, and how it shows them. The private half stays in the region's HSM."""

import re
from collections.abc import Mapping

from sandbox.clouds.azure import keyvault_rules
from sandbox.clouds.azure.hsm_errors import bad_parameter
from sandbox.clouds.resource import CloudError
from sandbox.values import Value

_TYPES: Mapping[str, tuple[int, ...]] = {
    "RSA-HSM": (2048, 3072, 4096),
    "EC-HSM": (),
    "oct-HSM": (128, 192, 256),
}
_CURVES = ("P-256", "P-384", "P-521", "P-256K")
_OPERATIONS = ("encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey", "import", "export")
_NAME = re.compile(r"[0-9A-Za-z-]{1,127}")
_DAYS = re.compile(r"P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)D)?")
_SHORTEST_ROTATION_DAYS = 28


def judge_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise bad_parameter(f"The request URI contains an invalid name: {name}.")


def judge(body: Mapping[str, Value]) -> None:
    """Refuse what `create` of the data plane refuses."""
    kty, size = str(body.get("kty")), body.get("key_size")
    if kty not in _TYPES:
        raise bad_parameter(f"Property kty has invalid value '{kty}': a Managed HSM has {', '.join(_TYPES)}.")
    if size is not None and size not in _TYPES[kty]:
        sizes = ", ".join(map(str, _TYPES[kty])) or "none: state crv"
        raise bad_parameter(f"Key size {size} is not supported for {kty}. Supported sizes: {sizes}.")
    if body.get("crv") is not None and (kty != "EC-HSM" or body["crv"] not in _CURVES):
        raise bad_parameter(f"Property crv has invalid value '{body['crv']}' for a key of type {kty}.")
    judge_operations(body)
    exportable, policy = bool((body.get("attributes") or {}).get("exportable")), body.get("release_policy")
    if exportable and policy is None:
        raise bad_parameter("Exportable keys must have release policy.")
    if policy is not None and not exportable:
        raise bad_parameter("AKV.SKR.1005: Non-exportable keys must not have release policy.")
    if policy is not None:
        try:
            keyvault_rules.release_document(policy.get("data"))
        except CloudError as error:
            raise bad_parameter(str(error).removeprefix("BadParameter: ")) from None


def judge_operations(body: Mapping[str, Value]) -> None:
    unknown = [one for one in body.get("key_ops") or [] if one not in _OPERATIONS]
    if unknown:
        raise bad_parameter(f"Property key_ops has invalid value '{unknown[0]}'.")


def judge_rotation(policy: Mapping[str, Value]) -> None:
    """Durations of 28 days or more; a Managed HSM only rotates, it notifies nobody."""
    durations = [("expiryTime", (policy.get("attributes") or {}).get("expiryTime"))]
    for action in policy.get("lifetimeActions") or []:
        kind = str(action.get("action", {}).get("type", "")).lower()
        if kind != "rotate":
            raise bad_parameter(f"Lifetime action '{kind}' is not supported: a Managed HSM rotates only.")
        durations.append(("timeAfterCreate", action.get("trigger", {}).get("timeAfterCreate")))
    for name, value in durations:
        if value is None:
            continue
        match = _DAYS.fullmatch(str(value))
        years, months, days = (int(part or 0) for part in match.groups()) if match else (0, 0, 0)
        if years * 365 + months * 30 + days < _SHORTEST_ROTATION_DAYS:
            raise bad_parameter(
                f"{name} '{value}' must be an ISO 8601 duration of {_SHORTEST_ROTATION_DAYS} days or more."
            )


def bundle(key: Mapping[str, Value]) -> dict[str, Value]:
    """A key as `get` shows it. It has no public numbers: the emulated HSM holds other kinds of pairs than Azure's."""
    body: Mapping[str, Value] = key["body"]
    shown: dict[str, Value] = {
        "key": {"kid": key["kid"], "kty": body["kty"], "key_ops": body.get("key_ops") or [], "crv": body.get("crv")},
        "attributes": {
            "enabled": True,
            "exportable": False,
            **(body.get("attributes") or {}),
            "created": key["created"],
            "updated": key["updated"],
            "recoveryLevel": "Recoverable",
            "recoverableDays": key["retention"],
        },
        "tags": body.get("tags") or {},
    }
    if body.get("release_policy") is not None:
        shown["release_policy"] = {"immutable": False, **body["release_policy"]}
    return shown
