"""Cloud KMS: key rings, keys and who may use them.

Neither a key ring nor a key is ever deleted: a delete takes it out of the program's state, destroys the versions of a
key after `destroyScheduledDuration`, and leaves the name taken.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from sandbox.clouds.gcp import external_keys, ids, policies, service_agents
from sandbox.clouds.gcp.errors import ApiError, FieldError, RefusedError
from sandbox.clouds.gcp.places import within_region
from sandbox.clouds.gcp.references import CRYPTO_KEY, KEY_RING
from sandbox.clouds.gcp.rules import matches, one_of
from sandbox.clouds.resource import Account, Check, Reference, Request, ResourceType, SoftDelete, View
from sandbox.clouds.store import Grave, Object
from sandbox.values import Value

_ALGORITHMS: Final = {
    "ENCRYPT_DECRYPT": ("GOOGLE_SYMMETRIC_ENCRYPTION", "EXTERNAL_SYMMETRIC_ENCRYPTION"),
    "ASYMMETRIC_SIGN": ("EC_SIGN_", "RSA_SIGN_", "PQ_SIGN_"),
    "ASYMMETRIC_DECRYPT": ("RSA_DECRYPT_",),
    "MAC": ("HMAC_",),
    "RAW_ENCRYPT_DECRYPT": ("AES_",),
    "KEY_ENCAPSULATION": ("ML_KEM_", "KEM_"),
}
_DEFAULT_DESTROY_SECONDS: Final = 30 * 86_400
_MIN_ROTATION_SECONDS: Final = 86_400
_SECONDS = re.compile(r"(\d+)(?:\.\d+)?s")


def usable(path: str, agent: str, location: Callable[[Request], str] | None = None) -> Check:
    """A service encrypts with an enabled key in its own location that its agent in the project may use."""

    def judge(request: Request) -> None:
        value = request.inputs[path]
        if not value:
            return
        key_id = ids.plain(str(value), request.session.account).split("/cryptoKeyVersions/")[0]
        key = request.find(key_id)
        primaries = key.outputs.get("primaries")
        if isinstance(primaries, list) and any(each["state"] != "ENABLED" for each in primaries):
            raise ApiError(
                400, f"Cloud KMS key '{key_id}' has no enabled primary version: {primaries[0]['state']}", "badRequest"
            )
        there, here = key_id.split("/")[3], location(request) if location else _location(request)
        if there != "global" and here and there != here:
            raise ApiError(
                400,
                f"Cloud KMS key '{key_id}' is in location '{there}'; a resource in '{here}' needs a key in the same"
                " location",
                "invalid",
            )
        service_agents.require_use(request, key_id, agent)

    return judge


def _location(request: Request) -> str:
    """The region of the requested object, by its id or its location."""
    parts = request.id.split("/")
    for segment in ("zones", "regions", "locations"):
        if segment in parts[2:3]:
            return within_region(parts[3])
    return within_region(request.inputs.text("location").lower())


def _algorithm(request: Request) -> None:
    """The algorithm is one for the key's purpose."""
    purpose = request.inputs["purpose"] or "ENCRYPT_DECRYPT"
    algorithm = request.inputs["versionTemplate.algorithm"]
    if algorithm is not None and not str(algorithm).startswith(_ALGORITHMS[purpose]):
        raise FieldError(
            "versionTemplate.algorithm", algorithm, f"The algorithm is incompatible with purpose {purpose}."
        )


def _rotation(request: Request) -> None:
    period = request.inputs["rotationPeriod"]
    if period is None:
        return
    found = _SECONDS.fullmatch(str(period))
    if found is None or int(found[1]) < _MIN_ROTATION_SECONDS:
        raise RefusedError(f'rotation period must be at least one day, in seconds such as "7776000s": got {period}')
    if (request.inputs["purpose"] or "ENCRYPT_DECRYPT") != "ENCRYPT_DECRYPT":
        raise FieldError("rotationPeriod", period, "Only keys with purpose ENCRYPT_DECRYPT rotate automatically.")


def _destroy_seconds(request: Request) -> int:
    found = _SECONDS.fullmatch(request.inputs.text("destroyScheduledDuration"))
    return int(found[1]) if found else _DEFAULT_DESTROY_SECONDS


def _generate(request: Request, item: Object) -> None:
    """The HSM makes the key when it is new, Google's or the manager's outside; one in software is nobody's business."""
    if request.before is None and external_keys.level_of(request) in ("HSM", "HSM_SINGLE_TENANT", "EXTERNAL_VPC"):
        request.session.hardware.create_key(request.parent, item.name, request.inputs.properties)


def _schedule_destruction(request: Request, item: Object) -> None:
    """What is left of a deleted key: its name, and versions that wait for their destruction."""
    primaries = [{**primary, "state": "DESTROY_SCHEDULED"} for primary in item.outputs.get("primaries") or ()]
    request.store.put(replace(item, outputs={**item.outputs, "primaries": primaries}), [])


def _primaries(request: Request) -> Value:
    if request.inputs["skipInitialVersionCreation"] is True or request.inputs["purpose"] not in (
        None,
        "ENCRYPT_DECRYPT",
    ):
        return []
    return [{"name": f"{request.id}/cryptoKeyVersions/1", "state": "ENABLED"}]


def _never_met(_request: Request, _grave: Grave | None) -> None:
    """The key itself is still there, so that nothing can take its name."""


def _key_member(account: Account, inputs: View) -> tuple[str, str]:
    key = ids.plain(inputs.text("cryptoKeyId"), account)
    return f"{key}/{inputs.text('role')}/{inputs.text('member')}", key


TYPES = (
    ResourceType(
        pulumi_type="gcp:kms/keyRing:KeyRing",
        kind=KEY_RING,
        identify=ids.in_project("locations/{location}/keyRings/{name}"),
        name_property="name",
        replace_on=("name", "project", "location"),
        checks=(matches("name", external_keys.NAME),),
        survives=True,
    ),
    ResourceType(
        pulumi_type="gcp:kms/cryptoKey:CryptoKey",
        kind=CRYPTO_KEY,
        identify=ids.inside("keyRing", "cryptoKeys/{name}"),
        name_property="name",
        replace_on=("name", "keyRing", "purpose", "versionTemplate.protectionLevel", "destroyScheduledDuration",
                    "importOnly", "cryptoKeyBackend", "skipInitialVersionCreation"),
        references=(Reference("keyRing", (KEY_RING,)), external_keys.BACKEND),
        checks=(
            matches("name", external_keys.NAME),
            one_of("purpose", *_ALGORITHMS),
            one_of("versionTemplate.protectionLevel", "SOFTWARE", "HSM", "EXTERNAL", "EXTERNAL_VPC",
                   "HSM_SINGLE_TENANT"),
            one_of("deletionPolicy", "DELETE", "ABANDON", "PREVENT"),
            _algorithm,
            external_keys.outside,
            _rotation,
        ),
        outputs={
            "primaries": _primaries,
            "purpose": lambda request: request.inputs["purpose"] or "ENCRYPT_DECRYPT",
            "destroyScheduledDuration": lambda request: f"{_destroy_seconds(request)}s",
            "versionTemplate": lambda request: (
                {"algorithm": "GOOGLE_SYMMETRIC_ENCRYPTION", "protectionLevel": "SOFTWARE"}
                | (request.inputs["versionTemplate"] or {})
            ),
        },
        started=_generate,
        stopped=_schedule_destruction,
        survives=True,
        soft_delete=SoftDelete(
            space=lambda request: request.parent,
            retention_days=lambda request: _destroy_seconds(request) // 86_400,
            meets=_never_met,
            purged=lambda hardware, grave: hardware.destroy_key(grave.space, ids.short(grave.id)),
        ),
    ),
    ResourceType(
        pulumi_type="gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember",
        kind=policies.KEY_MEMBER,
        identify=_key_member,
        name_property=None,
        replace_on=("cryptoKeyId", "role", "member", "condition"),
        references=(Reference("cryptoKeyId", (CRYPTO_KEY,)),),
        checks=(policies.grant,),
    ),
)  # fmt: skip
