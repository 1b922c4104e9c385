"""The emulated Azure: the table of types, Azure Resource Manager's wording, and its private DNS."""

import importlib.metadata
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from components.spec.accounts import EMULATED_OBJECT_ID
from sandbox.clouds import schema
from sandbox.clouds.azure import (
    arm,
    attestation,
    authorization,
    compute,
    containerregistry,
    containerservice,
    dns,
    keyvault,
    managed_hsm,
    managedidentity,
    monitor,
    network,
    network_interfaces,
    object_storage,
    operationalinsights,
    policy,
    privatedns,
    references,
    resources,
    scale_sets,
    storage,
)
from sandbox.clouds.azure.places import regions
from sandbox.clouds.core import EmulatedCloud
from sandbox.clouds.hardware import Hardware
from sandbox.clouds.resource import CloudError, Request, ResourceType, now
from sandbox.clouds.store import Object, Store
from sandbox.provider import CheckFailure, Properties, Provider
from sandbox.values import UNKNOWN, Value

MODULES = (
    attestation,
    authorization,
    compute,
    containerregistry,
    containerservice,
    keyvault,
    managedidentity,
    monitor,
    network,
    network_interfaces,
    operationalinsights,
    privatedns,
    resources,
    scale_sets,
    storage,
)
EMULATED_TENANT = "00000000-0000-0000-0000-000000000000"
EMULATED_CLIENT = "00000000-0000-0000-0000-00000000c11e"


class AzureCloud(EmulatedCloud):
    """One emulated subscription. Its objects live in `cloud.db` under `data_dir`."""

    package = "azure-native"
    version = importlib.metadata.version("pulumi-azure-native")
    account: arm.AzureAccount

    def __init__(self, data_dir: Path, hardware: Hardware, *, clock: Callable[[], float] = time.time) -> None:
        types = {kind.pulumi_type: kind for module in MODULES for kind in module.TYPES}
        super().__init__(Store(data_dir / "cloud.db"), hardware, _account({}), types, clock)

    def configure(self, config: Properties) -> None:
        """Take the provider's configuration. Raises `CloudError` where it names an account that is not emulated."""
        subscription = config.get("subscriptionId") or arm.EMULATED_SUBSCRIPTION
        if subscription != arm.EMULATED_SUBSCRIPTION:
            raise CloudError(
                "SubscriptionNotFound",
                f"The subscription '{subscription}' could not be found. The emulated Azure has only"
                f" '{arm.EMULATED_SUBSCRIPTION}'.",
            )
        self.account = _account(config)
        self.forget_previews()
        self.purge_expired()

    @property
    def companions(self) -> Mapping[str, Provider]:
        """Dynamic resources of Managed HSMs, whose providers speak to the emulated data plane."""
        return managed_hsm.companions(self, self._lock, self._clock)

    def rewrite(self, item: Object, outputs: Properties) -> None:
        """Change what is answered about an object, when something else than a deployment has changed it."""
        with self._lock, self.store.transaction():
            self.store.put(replace(item, outputs=outputs), list(self.links(self._existing(item))))

    def invoke(self, token: str, args: Properties) -> Properties:
        if token == "azure-native:authorization:getClientConfig":  # noqa: S105 - a function's name
            return {
                "clientId": self.account.client_id,
                "objectId": self.account.object_id,
                "subscriptionId": self.account.id,
                "tenantId": self.account.tenant_id,
            }
        if token == "azure-native:keyvault:getManagedHsm":  # noqa: S105 - a function's name
            return self._managed_hsm(args)
        return super().invoke(token, args)

    def _managed_hsm(self, args: Properties) -> Properties:
        group = f"/subscriptions/{self.account.id}/resourceGroups/{args['resourceGroupName']}"
        object_id = f"{group}/providers/{keyvault.MANAGED_HSM}/{args['name']}"
        found = self.lookup(object_id, preview=False)
        if found is None:
            raise self.not_found(object_id)
        return {"id": found.id, **found.outputs}

    def resolve(self, host: str, from_network_id: str) -> list[str]:
        """The ids of the machines that answer to a private DNS name, as seen from a virtual network."""
        with self._lock:
            return dns.resolve(self.store, host, from_network_id)

    def object_url(self, location: str) -> str:  # noqa: ARG002 - the same in every region
        """Blob storage's address; see `sandbox.clouds.opening.Cloud`."""
        return object_storage.url_form()

    def object_obstacle(self, host: str, from_network_id: str) -> str | None:
        """Why a virtual network does not lead to a storage account."""
        with self._lock:
            return object_storage.obstacle(self.store, host, from_network_id)

    def describe(self, mismatch: schema.Mismatch) -> CheckFailure:
        path, subject = mismatch.path, mismatch.subject
        match mismatch.kind:
            case "unknown":
                hint = f"; did you mean '{mismatch.nearest}'?" if mismatch.nearest else ""
                reason = (
                    "InvalidRequestContent: The request content was invalid and could not be deserialized:"
                    f" 'Could not find member '{mismatch.found}' on object of type '{subject}'. Path '{path}''{hint}"
                )
            case "missing":
                reason = f"InvalidParameter: Required parameter '{path}' is missing (null)."
            case "type":
                reason = (
                    "InvalidRequestContent: The request content was invalid and could not be deserialized:"
                    f" 'Error converting value of type '{mismatch.found}' to type '{subject}'. Path '{path}''"
                )
            case "enum":
                hint = f" Did you mean '{mismatch.nearest}'?" if mismatch.nearest else ""
                allowed = ", ".join(f"'{value}'" for value in mismatch.allowed)
                reason = (
                    f"InvalidParameter: The value '{mismatch.found}' of parameter '{path}' is not allowed."
                    f" Allowed values are: {allowed}.{hint}"
                )
        return CheckFailure(path, reason)

    def complete(self, kind: ResourceType, inputs: Properties, olds: Properties) -> None:
        """azure-native's own default: the old location, the configured one, else that of the resource group."""
        if kind.located != "region" or inputs.get("location") is not None:
            return
        if "location" not in schema.resource(kind.pulumi_type).inputs.properties:
            return
        group = inputs.get("resourceGroupName")
        location: Value = olds.get("location") or self.account.location
        if location is None and group is UNKNOWN:
            location = UNKNOWN
        elif location is None and isinstance(group, str):
            group_id = f"/subscriptions/{self.account.id}/resourceGroups/{group}"
            found = self.lookup(group_id, preview=True)
            location = None if found is None else found.outputs.get("location")
        if location is not None:
            inputs["location"] = location

    def admit(self, request: Request) -> None:
        arm.require_parent(request)
        arm.require_tags(request)
        self._require_location(request)
        policy.enforce(request)

    def links(self, request: Request) -> Iterable[tuple[str, str]]:
        return references.links(request)

    def answer(self, request: Request) -> dict[str, Callable[[Request], Value]]:
        kind = request.type
        location = arm.normal_location(request.inputs.text("location"))
        return {
            "name": lambda request: request.name,
            "type": lambda request: request.type.kind,
            "azureApiVersion": lambda _: schema.resource(kind.pulumi_type).api_version,
            "provisioningState": lambda _: "Succeeded",
            "etag": lambda request: request.keep("etag", lambda: f'W/"{uuid.uuid4()}"'),
            "resourceGuid": lambda request: request.keep("resourceGuid", lambda: str(uuid.uuid4())),
            "location": lambda _: location or None,
            "systemData": lambda request: request.keep("systemData", lambda: self._system_data()),
        }

    def guard(self, request: Request) -> None:
        """A management lock on an object or around it forbids to delete it."""
        scope = request.id.lower()
        for lock in self.store.of_kind("Microsoft.Authorization/locks"):
            if lock.id.lower() != scope and (scope == lock.parent or scope.startswith(f"{lock.parent}/")):
                raise CloudError(
                    "ScopeLocked",
                    f"The scope '{request.id}' cannot perform delete operation because following scope(s) are locked:"
                    f" '{lock.parent}'. Please remove the lock and try again.",
                )

    def same(self, path: str, old: Value, new: Value) -> bool:
        if path == "location" and isinstance(old, str) and isinstance(new, str):
            return arm.normal_location(old) == arm.normal_location(new)
        if isinstance(old, str) and isinstance(new, str) and old.startswith("/subscriptions/"):
            return old.lower() == new.lower()
        return bool(old == new)

    def _system_data(self) -> dict[str, str]:
        return {"createdAt": now(), "createdBy": self.account.client_id, "createdByType": "Application"}

    def _require_location(self, request: Request) -> None:
        location = request.inputs["location"]
        if location is None or request.type.located == "none":
            return
        allowed = regions() if request.type.located == "region" else frozenset({"global"})
        if arm.normal_location(location) not in allowed:
            raise CloudError(
                "LocationNotAvailableForResourceType",
                f"The provided location '{location}' is not available for resource type '{request.type.kind}'."
                f" List of available regions for the resource type is '{','.join(sorted(allowed))}'.",
            )


def _account(config: Properties) -> arm.AzureAccount:
    """The emulated subscription as a provider's configuration completes it."""
    location = config.get("location")
    return arm.AzureAccount(
        id=arm.EMULATED_SUBSCRIPTION,
        location=str(location) if location else None,
        tenant_id=str(config.get("tenantId") or EMULATED_TENANT),
        client_id=EMULATED_CLIENT,
        object_id=EMULATED_OBJECT_ID,
    )
