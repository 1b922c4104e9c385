"""The data plane of emulated Managed HSMs: activation, keys and local roles, as REST (Key Vault data plane, 7.5).

Objects live in the cloud's store beside what Azure Resource Manager knows, but not inside it: deleting an HSM only
hides them, as long as it can be recovered.
"""

import base64
import hashlib
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox.clouds.azure import hsm_keys, hsm_roles
from sandbox.clouds.azure.hsm_errors import HsmRefusal, bad_parameter, conflict, forbidden, not_found
from sandbox.clouds.azure.keyvault import MANAGED_HSM
from sandbox.clouds.hardware import Hardware
from sandbox.clouds.resource import View
from sandbox.clouds.store import Object, Store
from sandbox.provider import Properties
from sandbox.values import Value

_KEY, _DELETED = f"{MANAGED_HSM}/keys", f"{MANAGED_HSM}/deletedKeys"
_DEFINITION, _ASSIGNMENT = f"{MANAGED_HSM}/roleDefinitions", f"{MANAGED_HSM}/roleAssignments"
_ENDPOINT = "Microsoft.Network/privateEndpoints"
_OFFICERS = range(3, 11)
_LEAST_RSA_BITS = 2048
_DAY = 86_400

Answer = tuple[int, dict[str, Value]]


class Cloud(Protocol):
    """What the data plane needs of the cloud."""

    store: Store
    hardware: Hardware

    def rewrite(self, item: Object, outputs: Properties) -> None:
        """Change what the control plane answers about an object."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request that has reached an HSM: who calls, what for, with which body."""

    hsm: Object
    caller: str
    body: Mapping[str, Value]


class HsmService:
    """Answers requests. Not thread-safe by itself: the transport serialises the calls."""

    def __init__(self, cloud: Cloud, clock: Callable[[], float] = time.time) -> None:
        self._cloud = cloud
        self._clock = clock

    def find(self, host: str) -> Object | None:
        """The HSM behind a host name."""
        for item in self._cloud.store.of_kind(MANAGED_HSM):
            if View(item.outputs).text("properties.hsmUri") == f"https://{host}/":
                return item
        return None

    def handle(self, hsm: Object, caller: str, method: str, path: str, body: Mapping[str, Value]) -> Answer:
        """Status and JSON for one request; raises `HsmRefusal`."""
        self._purge_expired()
        call = Call(hsm, caller, body)
        self._require_way_in(hsm)
        for verb, pattern, act, needs_activation in self._routes():
            match = re.fullmatch(pattern, path) if verb == method else None
            if match:
                if needs_activation and not self.is_active(hsm):
                    raise forbidden(
                        f"The Managed HSM '{hsm.name}' is not activated: its security domain is not downloaded."
                    )
                return act(call, *match.groups())
        raise HsmRefusal(405, "MethodNotAllowed", f"{method} {path} is not emulated.")

    def is_active(self, hsm: Object) -> bool:
        return View(hsm.outputs).text("properties.securityDomainProperties.activationStatus") == "Active"

    def activate(self, call: Call) -> Answer:
        """Take the officers' certificates; what goes back has no keys in it, for those are in the region's HSM."""
        self._require(call, "securitydomain/download/action", "/")
        certificates, quorum = call.body.get("certificates") or [], call.body.get("required")
        if len(certificates) not in _OFFICERS:
            raise bad_parameter(f"{len(certificates)} certificates: a security domain needs 3 to 10.")
        if not isinstance(quorum, int) or quorum not in range(2, len(certificates) + 1):
            raise bad_parameter(f"A quorum of {quorum} is not between 2 and the {len(certificates)} certificates.")
        names = {_thumbprint(str(one.get("x5c", [""])[0])) for one in certificates}
        if len(names) < len(certificates):
            raise bad_parameter("Two of the certificates are the same.")
        if self.is_active(call.hsm):
            raise conflict(f"The Managed HSM '{call.hsm.name}' is activated already.")
        properties = {
            **View(call.hsm.outputs)["properties"],
            "statusMessage": "The Managed HSM is provisioned and ready to use.",
            "provisioningState": "Succeeded",
            "securityDomainProperties": {"activationStatus": "Active", "activationStatusMessage": "Your HSM is ready."},
        }
        self._cloud.rewrite(call.hsm, {**call.hsm.outputs, "properties": properties})
        return 202, {"officers": sorted(names), "required": quorum}

    def _routes(self) -> tuple[tuple[str, str, Callable[..., Answer], bool], ...]:
        role = r"/(.*?)/?providers/Microsoft\.Authorization"
        return (
            ("POST", "/securitydomain/download", self.activate, False),
            ("POST", "/keys/([^/]+)/create", self._create_key, True),
            ("GET", "/keys/([^/]+)/rotationpolicy", self._rotation, True),
            ("PUT", "/keys/([^/]+)/rotationpolicy", self._set_rotation, True),
            ("GET", "/keys/([^/]+)/?[0-9a-f]*", self._get_key, True),
            ("PATCH", "/keys/([^/]+)/?[0-9a-f]*", self._update_key, True),
            ("DELETE", "/keys/([^/]+)", self._delete_key, True),
            ("GET", "/deletedkeys/([^/]+)", self._get_deleted, True),
            ("POST", "/deletedkeys/([^/]+)/recover", self._recover, True),
            ("PUT", f"{role}/roleDefinitions/([^/]+)", self._put_definition, True),
            ("GET", f"{role}/roleDefinitions/([^/]+)", self._get_definition, True),
            ("DELETE", f"{role}/roleDefinitions/([^/]+)", self._delete_definition, True),
            ("PUT", f"{role}/roleAssignments/([^/]+)", self._put_assignment, True),
            ("GET", f"{role}/roleAssignments/([^/]+)", self._get_assignment, True),
            ("DELETE", f"{role}/roleAssignments/([^/]+)", self._delete_assignment, True),
        )

    def _create_key(self, call: Call, name: str) -> Answer:
        self._require(call, "keys/create", "/keys")
        hsm_keys.judge_name(name)
        hsm_keys.judge(call.body)
        if self._get(call.hsm, _DELETED, name) is not None:
            raise conflict(
                f"Key {name} is currently in a deleted but recoverable state, and its name cannot be reused; in this"
                " state, the key can only be recovered or purged."
            )
        version = self._cloud.hardware.create_key(call.hsm.name, name, {"kty": call.body["kty"]}).version
        now, host = int(self._clock()), View(call.hsm.outputs).text("properties.hsmUri")
        key = {
            "kid": f"{host}keys/{name}/{version}",
            "body": dict(call.body),
            "created": now,
            "updated": now,
            "retention": int(View(call.hsm.inputs)["properties.softDeleteRetentionInDays"] or 90),
            "rotation": {},
        }
        self._put(call.hsm, _KEY, name, key)
        return 200, hsm_keys.bundle(key)

    def _get_key(self, call: Call, name: str) -> Answer:
        self._require(call, "keys/read/action", f"/keys/{name}")
        return 200, hsm_keys.bundle(self._key(call.hsm, name))

    def _update_key(self, call: Call, name: str) -> Answer:
        self._require(call, "keys/write/action", f"/keys/{name}")
        hsm_keys.judge_operations(call.body)
        key = self._key(call.hsm, name)
        before: dict[str, Value] = key["body"]
        attributes = {**(before.get("attributes") or {}), **(call.body.get("attributes") or {})}
        changes = {part: call.body[part] for part in ("key_ops", "tags") if call.body.get(part) is not None}
        key = {**key, "body": {**before, **changes, "attributes": attributes}, "updated": int(self._clock())}
        self._put(call.hsm, _KEY, name, key)
        return 200, hsm_keys.bundle(key)

    def _rotation(self, call: Call, name: str) -> Answer:
        self._require(call, "keys/read/action", f"/keys/{name}")
        return 200, self._key(call.hsm, name)["rotation"]

    def _set_rotation(self, call: Call, name: str) -> Answer:
        self._require(call, "keys/write/action", f"/keys/{name}")
        hsm_keys.judge_rotation(call.body)
        key = {**self._key(call.hsm, name), "rotation": dict(call.body)}
        self._put(call.hsm, _KEY, name, key)
        return 200, key["rotation"]

    def _delete_key(self, call: Call, name: str) -> Answer:
        self._require(call, "keys/delete", f"/keys/{name}")
        key = self._key(call.hsm, name)
        now = int(self._clock())
        gone = {**key, "deletedDate": now, "scheduledPurgeDate": now + key["retention"] * _DAY}
        self._remove(call.hsm, _KEY, name)
        self._put(call.hsm, _DELETED, name, gone)
        return 200, _deleted(gone, name)

    def _get_deleted(self, call: Call, name: str) -> Answer:
        self._require(call, "keys/deletedKeys/read/action", f"/keys/{name}")
        return 200, _deleted(self._key(call.hsm, name, _DELETED), name)

    def _recover(self, call: Call, name: str) -> Answer:
        self._require(call, "keys/deletedKeys/recover/action", f"/keys/{name}")
        gone = self._key(call.hsm, name, _DELETED)
        key = {part: value for part, value in gone.items() if part not in ("deletedDate", "scheduledPurgeDate")}
        self._remove(call.hsm, _DELETED, name)
        self._put(call.hsm, _KEY, name, key)
        return 200, hsm_keys.bundle(key)

    def _put_definition(self, call: Call, _scope: str, name: str) -> Answer:
        self._require(call, "roleDefinitions/write/action", "/")
        if hsm_roles.is_built_in(name):
            raise forbidden(f"The role definition '{name}' is built in.")
        shown = {"id": f"{hsm_roles.DEFINITIONS}/{name}", "name": name, "properties": dict(call.body["properties"])}
        self._put(call.hsm, _DEFINITION, name, shown)
        return 201, shown

    def _get_definition(self, call: Call, _scope: str, name: str) -> Answer:
        self._require(call, "roleDefinitions/read/action", "/")
        return 200, self._role(call.hsm, _DEFINITION, name)

    def _delete_definition(self, call: Call, _scope: str, name: str) -> Answer:
        self._require(call, "roleDefinitions/delete/action", "/")
        shown = self._role(call.hsm, _DEFINITION, name)
        if any(str(one["roleDefinitionId"]).endswith(name) for one in self._assignments(call.hsm)):
            raise conflict(f"The role definition '{name}' is still assigned.")
        self._remove(call.hsm, _DEFINITION, name)
        return 200, shown

    def _put_assignment(self, call: Call, scope: str, name: str) -> Answer:
        self._require(call, "roleAssignments/write/action", "/")
        wanted = {"scope": f"/{scope.strip('/')}", **call.body["properties"]}
        role = str(wanted["roleDefinitionId"]).rsplit("/", 1)[-1]
        if not hsm_roles.is_built_in(role) and self._get(call.hsm, _DEFINITION, role) is None:
            raise not_found("RoleDefinitionNotFound", f"Requested role definition '{role}' not found")
        if not re.fullmatch(r"/(keys(/[0-9A-Za-z-]+)?)?", wanted["scope"]):
            raise bad_parameter(f"Scope '{wanted['scope']}' is invalid: it is '/', '/keys' or '/keys/<name>'.")
        if self._get(call.hsm, _ASSIGNMENT, name) is not None:
            raise HsmRefusal(409, "RoleAssignmentExists", "The role assignment already exists.")
        shown = {"id": f"/providers/Microsoft.Authorization/roleAssignments/{name}", "name": name, "properties": wanted}
        self._put(call.hsm, _ASSIGNMENT, name, shown)
        return 201, shown

    def _get_assignment(self, call: Call, _scope: str, name: str) -> Answer:
        self._require(call, "roleAssignments/read/action", "/")
        return 200, self._role(call.hsm, _ASSIGNMENT, name)

    def _delete_assignment(self, call: Call, _scope: str, name: str) -> Answer:
        self._require(call, "roleAssignments/delete/action", "/")
        shown = self._role(call.hsm, _ASSIGNMENT, name)
        self._remove(call.hsm, _ASSIGNMENT, name)
        return 200, shown

    def _require(self, call: Call, action: str, scope: str) -> None:
        own = {
            item.name: [
                action
                for permission in item.outputs["properties"].get("permissions") or []
                for action in permission.get("dataActions") or []
            ]
            for item in self._all(call.hsm, _DEFINITION)
        }
        if not hsm_roles.allows(call.caller, action, scope, self._assignments(call.hsm), own):
            raise forbidden(
                f"Caller is not authorized to perform action 'Microsoft.KeyVault/managedHsm/{action}' on '{scope}'."
                f" Caller: oid={call.caller}"
            )

    def _assignments(self, hsm: Object) -> list[Mapping[str, Value]]:
        """Those of the HSM, and the administrators that it was created with."""
        administrators = View(hsm.inputs)["properties.initialAdminObjectIds"] or []
        role = f"{hsm_roles.DEFINITIONS}/{hsm_roles.ADMINISTRATOR}"
        return [
            *({"principalId": one, "roleDefinitionId": role, "scope": "/"} for one in administrators),
            *(item.outputs["properties"] for item in self._all(hsm, _ASSIGNMENT)),
        ]

    def _require_way_in(self, hsm: Object) -> None:
        closed = View(hsm.inputs)["properties.publicNetworkAccess"] == "Disabled"
        if closed and not any(item.kind == _ENDPOINT for item in self._cloud.store.referrers(hsm.id)):
            raise HsmRefusal(
                403,
                "ForbiddenByConnection",
                "Public network access is disabled and request is not from a private link.",
            )

    def _purge_expired(self) -> None:
        for item in self._cloud.store.of_kind(_DELETED):
            if item.outputs["scheduledPurgeDate"] <= self._clock():
                self._cloud.hardware.destroy_key(item.parent.rsplit("/", 1)[-1], item.name)
                self._cloud.store.remove(item.id)

    def _key(self, hsm: Object, name: str, kind: str = _KEY) -> dict[str, Value]:
        found = self._get(hsm, kind, name)
        if found is None:
            what = "A key with (name/id)" if kind == _KEY else "Deleted key"
            raise not_found("KeyNotFound", f"{what} {name} was not found in this key vault.")
        return found

    def _role(self, hsm: Object, kind: str, name: str) -> dict[str, Value]:
        found = self._get(hsm, kind, name)
        if found is None:
            what = "RoleDefinition" if kind == _DEFINITION else "RoleAssignment"
            raise not_found(f"{what}NotFound", f"Requested {what} '{name}' not found")
        return found

    def _all(self, hsm: Object, kind: str) -> list[Object]:
        return self._cloud.store.children(_inside(hsm), kind)

    def _get(self, hsm: Object, kind: str, name: str) -> dict[str, Value] | None:
        found = self._cloud.store.get(_id(hsm, kind, name))
        return None if found is None else found.outputs

    def _put(self, hsm: Object, kind: str, name: str, value: dict[str, Value]) -> None:
        item = Object(_id(hsm, kind, name), kind, "", "", _inside(hsm), {}, value)
        self._cloud.store.put(item, ())

    def _remove(self, hsm: Object, kind: str, name: str) -> None:
        self._cloud.store.remove(_id(hsm, kind, name))


def _inside(hsm: Object) -> str:
    """Where the objects of an HSM are: not its id, or Azure Resource Manager would count them as its children."""
    return f"dataplane{hsm.id}"


def _id(hsm: Object, kind: str, name: str) -> str:
    return f"{_inside(hsm)}/{kind.rsplit('/', 1)[-1]}/{name}"


def _deleted(key: Mapping[str, Value], name: str) -> dict[str, Value]:
    origin = str(key["kid"]).split("/keys/")[0]
    times = {part: key[part] for part in ("deletedDate", "scheduledPurgeDate")}
    return {**hsm_keys.bundle(key), "recoveryId": f"{origin}/deletedkeys/{name}", **times}


def _thumbprint(certificate: str) -> str:
    """SHA-256 of an officer's certificate (base64 DER, as in `x5c`)."""
    try:
        der = base64.b64decode(certificate, validate=True)
        key = x509.load_der_x509_certificate(der).public_key()
    except ValueError:
        raise bad_parameter("A certificate is not X.509 in DER, base64.") from None
    if not isinstance(key, rsa.RSAPublicKey) or key.key_size < _LEAST_RSA_BITS:
        raise bad_parameter(f"A certificate has no RSA key of {_LEAST_RSA_BITS} bits or more.")
    return hashlib.sha256(der).hexdigest()
