"""A key in a Managed HSM, which azure-native has no resource for: a dynamic provider on Microsoft's SDK."""

import base64
import binascii
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, ReadResult, UpdateResult

from components.azure.hsm_client import HsmError, HsmProvider, Props, is_unknown, refusals

if TYPE_CHECKING:
    from azure.keyvault.keys import KeyClient, KeyReleasePolicy, KeyRotationPolicy, KeyVaultKey

KEY_TYPES = ("RSA-HSM", "EC-HSM", "oct-HSM")
_NAME = re.compile(r"[0-9A-Za-z-]{1,127}")
_FIXED = ("kty", "keySize", "curveName", "releasePolicy")
"""Properties that a key keeps for life."""


class HsmKeyProvider(HsmProvider):
    """Creates, reads, changes and deletes one key; the inputs have the shape of azure-native's `keyvault.Key`.

    The key is made in the HSM and its private half is in no answer. A key of that name that carries the same tags is
    this stack's own, left by an earlier deployment: it is recovered if it was deleted, and taken over when its fixed
    properties agree. Any other is refused, so that no deployment gives a stranger's key a new version.
    """

    required = ("hsmUri", "keyName", "properties", "tags")

    def judge(self, news: Props) -> Iterator[tuple[str, str]]:
        properties: Props = news["properties"]
        if is_unknown(properties) or any(map(is_unknown, properties.values())):
            return
        if not is_unknown(news["keyName"]) and not _NAME.fullmatch(news["keyName"]):
            yield "keyName", f"{news['keyName']!r} must be 1 to 127 letters, digits and '-'"
        kty, policy = properties.get("kty"), properties.get("releasePolicy")
        if kty not in KEY_TYPES:
            yield "properties.kty", f"{kty!r} is not a key type of a Managed HSM: {', '.join(KEY_TYPES)}"
        if _exportable(properties) and policy is None:
            yield "properties.releasePolicy", "is missing: a key leaves the HSM under a release policy only"
        if policy is not None:
            if not _exportable(properties):
                yield "properties.attributes.exportable", "must be true for a key with a release policy"
            try:
                _decoded(policy["data"])
            except (KeyError, TypeError, ValueError, binascii.Error):
                yield "properties.releasePolicy.data", "is not base64url"

    def diff(self, _id: str, olds: Props, news: Props) -> DiffResult:
        replaces = [name for name in ("hsmUri", "keyName") if olds.get(name) != news.get(name)]
        old, new = olds["properties"], news["properties"]
        if not is_unknown(new):
            replaces += [f"properties.{name}" for name in _FIXED if old.get(name) != new.get(name)]
            if _exportable(old) != _exportable(new):
                replaces.append("properties.attributes.exportable")
        changed = any(olds.get(name) != news.get(name) for name in self.required)
        return DiffResult(changes=changed, replaces=replaces, delete_before_replace=False)

    def create(self, props: Props) -> CreateResult:
        keys, name, properties = self._keys(props), props["keyName"], props["properties"]
        with refusals(f"key {name}"):
            found = _find(keys, name)
            if found is None:
                found = keys.create_key(
                    name,
                    properties["kty"],
                    size=_whole(properties.get("keySize")),
                    curve=properties.get("curveName"),
                    key_operations=properties.get("keyOps"),
                    enabled=_enabled(properties),
                    exportable=_exportable(properties),
                    release_policy=_release_policy(properties),
                    tags=props["tags"],
                )
                _rotate(keys, props)
            else:
                _require_own(found, props)
                found = _change(keys, props)
        return CreateResult(_id(found), _outputs(props, found))

    def read(self, id_: str, props: Props) -> ReadResult:
        from azure.core.exceptions import ResourceNotFoundError

        keys = self._keys(props)
        with refusals(f"key {props['keyName']}"):
            try:
                key = keys.get_key(props["keyName"])
            except ResourceNotFoundError:
                return ReadResult("", {})
            rotation = keys.get_key_rotation_policy(key.name) if "rotationPolicy" in props["properties"] else None
        live = _live(props, key, rotation)
        return ReadResult(id_, _outputs(live, key), live)

    def update(self, _id: str, _olds: Props, news: Props) -> UpdateResult:
        with refusals(f"key {news['keyName']}"):
            return UpdateResult(_outputs(news, _change(self._keys(news), news)))

    def delete(self, _id: str, props: Props) -> None:
        """Delete the key: it can be recovered, and nobody can purge it, until the HSM's retention ends."""
        from azure.core.exceptions import ResourceNotFoundError

        with refusals(f"key {props['keyName']}"), suppress(ResourceNotFoundError):
            self._keys(props).begin_delete_key(props["keyName"]).wait()

    def _keys(self, props: Props) -> "KeyClient":
        from azure.keyvault.keys import KeyClient

        return self.client(KeyClient, props["hsmUri"])


class HsmKey(pulumi.dynamic.Resource, module="azure", name="ManagedHsmKey"):
    """A key in a Managed HSM; its id is its URL without a version."""

    keyUri: pulumi.Output[str]  # noqa: N815 - the name in the state
    keyUriWithVersion: pulumi.Output[str]  # noqa: N815
    keyName: pulumi.Output[str]  # noqa: N815

    def __init__(
        self,
        name: str,
        *,
        hsm_uri: pulumi.Input[str],
        key_name: str,
        properties: Props,
        tags: dict[str, str],
        opts: pulumi.ResourceOptions,
    ) -> None:
        """properties: as of azure-native's `keyvault.Key`."""
        props = {
            "hsmUri": hsm_uri,
            "keyName": key_name,
            "properties": properties,
            "tags": tags,
            "keyUri": None,
            "keyUriWithVersion": None,
        }
        super().__init__(HsmKeyProvider(), name, props, opts)


def _find(keys: "KeyClient", name: str) -> "KeyVaultKey | None":
    """The key of that name, recovered if it is deleted."""
    from azure.core.exceptions import ResourceNotFoundError

    with suppress(ResourceNotFoundError):
        return keys.get_key(name)
    with suppress(ResourceNotFoundError):
        keys.get_deleted_key(name)
        return keys.begin_recover_deleted_key(name).result()
    return None


def _require_own(found: "KeyVaultKey", props: Props) -> None:
    name = props["keyName"]
    if found.properties.tags != props["tags"]:
        raise HsmError(f"key {name}: the HSM has one that is not of this stack (its tags differ); name yours otherwise")
    live = _live(props, found, None)["properties"]
    for fixed in _FIXED:
        if live.get(fixed) != props["properties"].get(fixed):
            raise HsmError(f"key {name}: exists with another {fixed}, which a key keeps for life; name yours otherwise")


def _change(keys: "KeyClient", props: Props) -> "KeyVaultKey":
    """Bring what can change to what is wanted."""
    properties = props["properties"]
    changed = keys.update_key_properties(
        props["keyName"], key_operations=properties.get("keyOps"), enabled=_enabled(properties), tags=props["tags"]
    )
    _rotate(keys, props)
    return changed


def _rotate(keys: "KeyClient", props: Props) -> None:
    from azure.keyvault.keys import KeyRotationLifetimeAction, KeyRotationPolicy

    wanted = props["properties"].get("rotationPolicy")
    if wanted is None:
        return
    actions = [
        KeyRotationLifetimeAction(
            action["action"]["type"],
            time_after_create=action["trigger"].get("timeAfterCreate"),
            time_before_expiry=action["trigger"].get("timeBeforeExpiry"),
        )
        for action in wanted.get("lifetimeActions", [])
    ]
    expiry = wanted.get("attributes", {}).get("expiryTime")
    keys.update_key_rotation_policy(props["keyName"], KeyRotationPolicy(), lifetime_actions=actions, expires_in=expiry)


def _live(props: Props, key: "KeyVaultKey", rotation: "KeyRotationPolicy | None") -> Props:
    """The inputs as a program would have to state them now; what it leaves to the HSM stays left out."""
    stated: Props = props["properties"]
    known: Props = {
        "kty": str(getattr(key.key_type, "value", key.key_type)),
        "keySize": _size(key) or stated.get("keySize"),
        "curveName": _number(key, "crv"),
        "keyOps": [str(getattr(operation, "value", operation)) for operation in key.key_operations or []],
        "attributes": {"enabled": key.properties.enabled, "exportable": bool(key.properties.exportable)},
        "releasePolicy": _stated_policy(key.properties.release_policy),
        "rotationPolicy": _stated_rotation(rotation),
    }
    names = [name for name in known if name in stated or (name == "releasePolicy" and known[name] is not None)]
    return {
        **_inputs(props),
        "properties": {name: known[name] for name in names},
        "tags": dict(key.properties.tags or {}),
    }


def _inputs(props: Props) -> Props:
    return {name: props[name] for name in HsmKeyProvider.required}


def _outputs(props: Props, key: "KeyVaultKey") -> Props:
    return {**_inputs(props), "keyUri": _id(key), "keyUriWithVersion": str(key.id)}


def _id(key: "KeyVaultKey") -> str:
    return str(key.id).rsplit("/", 1)[0]


def _size(key: "KeyVaultKey") -> int | None:
    """Bits of an RSA key: its modulus is the only number that the HSM shows. Of a symmetric key it shows nothing."""
    modulus = _number(key, "n")
    return None if modulus is None else int.from_bytes(modulus, "big").bit_length()


def _number(key: "KeyVaultKey", name: str) -> Any:
    """A member of the public half (RFC 7518, section 6), which the SDK sets on its model without declaring it."""
    value = getattr(key.key, name, None)
    return getattr(value, "value", value)


def _stated_policy(policy: "KeyReleasePolicy | None") -> Props | None:
    if policy is None:
        return None
    data = base64.urlsafe_b64encode(policy.encoded_policy).rstrip(b"=").decode()
    return {"contentType": policy.content_type, "data": data}


def _stated_rotation(rotation: "KeyRotationPolicy | None") -> Props | None:
    if rotation is None:
        return None
    actions = []
    for action in rotation.lifetime_actions:
        when = {"timeAfterCreate": action.time_after_create, "timeBeforeExpiry": action.time_before_expiry}
        kind = str(getattr(action.action, "value", action.action)).lower()
        actions.append({"action": {"type": kind}, "trigger": {name: one for name, one in when.items() if one}})
    expiry = {"attributes": {"expiryTime": rotation.expires_in}} if rotation.expires_in else {}
    return {**expiry, "lifetimeActions": actions}


def _release_policy(properties: Props) -> "KeyReleasePolicy | None":
    from azure.keyvault.keys import KeyReleasePolicy

    policy = properties.get("releasePolicy")
    return policy and KeyReleasePolicy(_decoded(policy["data"]), content_type=policy.get("contentType"))


def _decoded(data: str) -> bytes:
    return base64.b64decode(data + "=" * (-len(data) % 4), altchars=b"-_", validate=True)


def _exportable(properties: Props) -> bool:
    return bool(_attributes(properties).get("exportable"))


def _enabled(properties: Props) -> bool:
    return bool(_attributes(properties).get("enabled", True))


def _attributes(properties: Props) -> Props:
    found: Props = properties.get("attributes") or {}
    return found


def _whole(number: Any) -> int | None:
    """A whole number as Pulumi's wire, where every number is a double, gives it."""
    return None if number is None else int(number)
