"""What Key Vault checks of vaults and keys; the AKV.SKR codes are its own."""

import base64
import binascii
import json
import re

from sandbox.clouds.resource import CloudError, Request, View
from sandbox.values import Value

_NAME = re.compile(r"[0-9A-Za-z-]{1,127}")
_DURATION = re.compile(r"P(?=\w)(\d+Y)?(\d+M)?(\d+D)?")
_RSA_SIZES = (2048, 3072, 4096)
_RETENTION_DAYS = range(7, 91)
_MAX_POLICY_BYTES = 1 << 20


def object_name(request: Request) -> None:
    if not _NAME.fullmatch(request.name):
        raise CloudError(
            "BadParameter",
            f"The request URI contains an invalid name: {request.name}. A name has 1 to 127 letters, digits and '-'.",
        )


def is_protected(request: Request) -> bool:
    """Whether the vault around a key forbids to purge."""
    vault = request.find(request.parent)
    return View(vault.inputs)["properties.enablePurgeProtection"] is True


def vault_protection(request: Request) -> None:
    """Purge protection and soft delete can be turned on, never off; `false` is no valid value of the first."""
    before = View(request.before.inputs)["properties.enablePurgeProtection"] if request.before else None
    wanted = request.inputs["properties.enablePurgeProtection"]
    if wanted is False or (before is True and wanted is not True):
        raise CloudError(
            "BadRequest",
            'The property "enablePurgeProtection" cannot be set to false. Enabling the purge protection for a vault is'
            " an irreversible action.",
        )
    if request.inputs["properties.enableSoftDelete"] is False:
        raise CloudError(
            "BadRequest",
            'The property "enableSoftDelete" can be set to false only for creating new vault. Enabling the'
            " 'soft delete' functionality is an irreversible action.",
        )


def retention_range(request: Request) -> None:
    """7 to 90 days, fixed when the vault is made."""
    days = request.inputs["properties.softDeleteRetentionInDays"]
    if days is not None and days not in _RETENTION_DAYS:
        raise CloudError(
            "BadRequest",
            f'The value {days:g} of "softDeleteRetentionInDays" is not valid: it must be between 7 and 90.',
        )
    if request.before is not None and request.changed("properties.softDeleteRetentionInDays"):
        raise CloudError(
            "BadRequest", 'The property "softDeleteRetentionInDays" has been set already and it can\'t be modified.'
        )


def key_type(request: Request) -> None:
    """HSM keys need a premium vault; the type fits size and curve."""
    kty = request.inputs.text("properties.kty") or "RSA"
    if kty.endswith("-HSM") and _sku(request) == "standard":
        raise CloudError(
            "BadParameter",
            f"Key type {kty} is not supported by the Standard SKU of vault {request.parent.rsplit('/', 1)[-1]}: HSM"
            " protected keys need the Premium SKU.",
        )
    if kty.startswith("EC") and request.inputs["properties.keySize"] is not None:
        raise CloudError("BadParameter", f"Property keySize is not valid for a key of type {kty}; set curveName.")
    if kty.startswith("RSA") and request.inputs["properties.curveName"] is not None:
        raise CloudError("BadParameter", f"Property curveName is not valid for a key of type {kty}; set keySize.")


def key_size(request: Request) -> None:
    size = request.inputs["properties.keySize"]
    if size is not None and size not in _RSA_SIZES:
        raise CloudError("BadParameter", f"Key size {size:g} is not supported. Supported sizes: 2048, 3072, 4096.")


def exportable(request: Request) -> None:
    """A key leaves the HSM only under a release policy, from a premium vault, and never a software key."""
    policy = request.inputs["properties.releasePolicy"]
    if request.inputs["properties.attributes.exportable"] is not True:
        if policy is not None:
            raise CloudError("BadParameter", "AKV.SKR.1005: Non-exportable keys must not have release policy.")
        return
    if _sku(request) == "standard":
        raise CloudError(
            "BadParameter", "AKV.SKR.1001: The exportable attribute is only supported with premium vaults."
        )
    if policy is None:
        raise CloudError("BadParameter", "Exportable keys must have release policy.")
    kty = request.inputs.text("properties.kty") or "RSA"
    if not kty.endswith("-HSM"):
        raise CloudError(
            "BadParameter", f"AKV.SKR.1009: A key of type {kty} cannot be released; use {kty}-HSM instead."
        )


def release_policy(request: Request) -> None:
    """base64url of a JSON object with a version and at least one authority."""
    data = request.inputs["properties.releasePolicy.data"]
    if request.inputs["properties.releasePolicy"] is not None:
        release_document(data)


def release_document(data: Value) -> None:
    """What a vault and a Managed HSM ask of the `data` of a release policy."""
    if data is None:
        raise CloudError("BadParameter", "AKV.SKR.1012: The release policy has no data.")
    document = _decode(str(data))
    if document.get("version") != "1.0.0":
        raise CloudError("BadParameter", 'AKV.SKR.1012: The release policy must have "version": "1.0.0".')
    clauses = document.get("anyOf") or document.get("allOf")
    if not isinstance(clauses, list) or not clauses:
        raise CloudError("BadParameter", "AKV.SKR.1012: The release policy must have a non-empty anyOf or allOf.")
    for clause in clauses:
        authority = clause.get("authority") if isinstance(clause, dict) else None
        if not isinstance(authority, str) or not authority.startswith("https://"):
            raise CloudError(
                "BadParameter", "AKV.SKR.1012: Each clause of the release policy must have an https authority."
            )


def rotation(request: Request) -> None:
    """ISO 8601 durations; the action comes before the expiry."""
    policy = request.inputs["properties.rotationPolicy"]
    if policy is None:
        return
    durations = [("expiryTime", request.inputs["properties.rotationPolicy.attributes.expiryTime"])]
    for action in request.inputs.items("properties.rotationPolicy.lifetimeActions"):
        durations += [(name, action[f"trigger.{name}"]) for name in ("timeAfterCreate", "timeBeforeExpiry")]
    for name, value in durations:
        if value is not None and not _DURATION.fullmatch(str(value)):
            raise CloudError("InvalidKeyRotationPolicy", f"{name} '{value}' is not an ISO 8601 duration such as P90D.")


def hsm_administrators(request: Request) -> None:
    if not request.inputs["properties.initialAdminObjectIds"]:
        raise CloudError("InvalidParameter", "Required parameter 'properties.initialAdminObjectIds' is missing (null).")


def _sku(request: Request) -> str:
    vault = request.find(request.parent)
    return str(View(vault.inputs)["properties.sku.name"]).lower()


def _decode(data: str) -> dict[str, object]:
    malformed = "AKV.SKR.1003: The release policy is not the base64url encoding of a JSON object"
    try:
        raw = base64.b64decode(data + "=" * (-len(data) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise CloudError("BadParameter", f"{malformed}: it is not base64url.") from None
    if len(raw) > _MAX_POLICY_BYTES:
        raise CloudError("BadParameter", f"{malformed}: it has {len(raw)} bytes, more than 1 MiB.")
    try:
        document = json.loads(raw)
    except (UnicodeDecodeError, json.JSONDecodeError):
        raise CloudError("BadParameter", f"{malformed}: it is not JSON.") from None
    if not isinstance(document, dict):
        raise CloudError("BadParameter", f"{malformed}: it is not an object.")
    return document
