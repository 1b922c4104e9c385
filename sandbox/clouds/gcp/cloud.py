"""The emulated Google Cloud: one project, the table of types, Google's wording, and private DNS."""

import importlib.metadata
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from sandbox.clouds import schema
from sandbox.clouds.core import EmulatedCloud
from sandbox.clouds.gcp import (
    addressing,
    balancing,
    container,
    dns,
    endpoints,
    external_keys,
    governance,
    identity,
    ids,
    keys,
    machines,
    networks,
    object_storage,
    references,
    rules,
    service_agents,
    storage,
)
from sandbox.clouds.gcp.errors import ApiError, NotFoundError, RefusedError
from sandbox.clouds.gcp.places import zones
from sandbox.clouds.hardware import Hardware
from sandbox.clouds.naming import AUTO_NAMED
from sandbox.clouds.resource import CloudError, Request, ResourceType, now
from sandbox.clouds.store import Store
from sandbox.provider import CheckFailure, Properties
from sandbox.values import Value

MODULES = (
    addressing,
    balancing,
    container,
    dns,
    endpoints,
    external_keys,
    governance,
    identity,
    keys,
    machines,
    networks,
    storage,
)
_ATTRIBUTION = {"goog-pulumi-provisioned": "true"}
"""The label that the provider puts on everything it makes (`addPulumiAttributionLabel`)."""


class GcpCloud(EmulatedCloud):
    """One emulated project, every API enabled. Its objects live in `cloud.db` under `data_dir`."""

    package = "gcp"
    version = importlib.metadata.version("pulumi-gcp")
    account: ids.Project

    def __init__(self, data_dir: Path, hardware: Hardware, *, clock: Callable[[], float] = time.time) -> None:
        types = {kind.pulumi_type: kind for module in MODULES for kind in module.TYPES}
        self._default_labels: Mapping[str, Value] = {}
        super().__init__(Store(data_dir / "cloud.db"), hardware, _project({}), types, clock)

    def configure(self, config: Properties) -> None:
        """Take the provider's configuration. Raises `CloudError` where it names a project that is not emulated."""
        rules.require_own(str(config.get("project") or ""), ids.EMULATED_PROJECT)
        self.account = _project(config)
        labels = config.get("defaultLabels")
        self._default_labels = labels if isinstance(labels, Mapping) else {}
        self.forget_previews()
        self.purge_expired()

    def invoke(self, token: str, args: Properties) -> Properties:
        match token:
            case "gcp:organizations/getClientConfig:getClientConfig":
                return {"project": self.account.id, "region": self.account.location, "zone": self.account.zone}
            case "gcp:organizations/getProject:getProject":
                rules.require_own(str(args.get("projectId") or ""), self.account.id)
                return {"projectId": self.account.id, "number": ids.EMULATED_NUMBER, "name": self.account.id}
            case "gcp:storage/getProjectServiceAccount:getProjectServiceAccount":
                email = service_agents.STORAGE.removeprefix("serviceAccount:")
                return {"emailAddress": email, "member": service_agents.STORAGE, "project": self.account.id}
            case "gcp:compute/getZones:getZones":
                region = str(args.get("region") or self.account.location)
                return {"names": list(zones(region)), "region": region, "project": self.account.id}
        return super().invoke(token, args)

    def delete(self, urn: str, id: str, outputs: Properties) -> None:  # noqa: A002 - the protocol's signature
        """What the program abandons stays in the project."""
        if outputs.get("deletionPolicy") != "ABANDON":
            super().delete(urn, id, outputs)

    def resolve(self, host: str, from_network_id: str) -> list[str]:
        with self._lock:
            return dns.resolve(self.store, host, from_network_id)

    def object_url(self, location: str) -> str:
        """Cloud Storage's private address in a region; see `sandbox.clouds.opening.Cloud`."""
        return object_storage.url_form(location)

    def object_obstacle(self, host: str, from_network_id: str) -> str | None:
        """Why a network does not lead to Cloud Storage."""
        with self._lock:
            return object_storage.obstacle(self.store, host, from_network_id)

    def describe(self, mismatch: schema.Mismatch) -> CheckFailure:
        path, found = mismatch.path, mismatch.found
        match mismatch.kind:
            case "unknown":
                hint = f" Did you mean '{mismatch.nearest}'?" if mismatch.nearest else ""
                reason = f"An argument named '{found}' is not expected here.{hint} Examine values at '{path}'."
            case "missing":
                name = path.rsplit(".", 1)[-1]
                reason = f'Missing required argument. The argument "{name}" is required, but no definition was found.'
            case "type":
                reason = f"expected {mismatch.subject}, got {found}. Examine values at '{path}'."
            case "enum":
                allowed = " ".join(f'"{value}"' for value in mismatch.allowed)
                reason = f"expected {path} to be one of [{allowed}], got {found}"
        return CheckFailure(path, reason)

    def complete(self, kind: ResourceType, inputs: Properties, olds: Properties) -> None:  # noqa: ARG002
        """A prefix in place of a name: the provider makes the rest of the name."""
        prefix, name = inputs.get("namePrefix"), inputs.get("name")
        if inputs.get(AUTO_NAMED) and isinstance(prefix, str) and isinstance(name, str):
            inputs["name"] = f"{prefix}{name[-7:]}" if not name.startswith(prefix) else name

    def admit(self, request: Request) -> None:
        rules.require_project(request)
        rules.require_place(request)
        rules.require_labels(request)

    def links(self, request: Request) -> Iterable[tuple[str, str]]:
        return references.links(request)

    def answer(self, request: Request) -> dict[str, Callable[[Request], Value]]:
        parts = request.id.split("/")
        answers: dict[str, Callable[[Request], Value]] = {
            "project": lambda request: request.inputs["project"] or request.session.account.id,
            "creationTimestamp": lambda request: request.keep("creationTimestamp", now),
            "labelFingerprint": rules.fingerprint("labelFingerprint"),
            "fingerprint": rules.fingerprint("fingerprint"),
            "etag": rules.fingerprint("etag"),
            "pulumiLabels": lambda request: self._labels(request, {}),
            "effectiveLabels": lambda request: self._labels(request, _ATTRIBUTION),
        }
        if request.type.kind in ids.COLLECTIONS:
            answers["selfLink"] = lambda request: ids.self_link(request.id)
            if parts[2] in ("regions", "zones"):
                answers[parts[2][:-1]] = lambda _: parts[3]
        return answers

    def guard(self, request: Request) -> None:
        """What the provider itself keeps from deletion."""
        if request.inputs["deletionPolicy"] == "PREVENT":
            raise RefusedError(f"cannot destroy {request.id} without setting deletion_policy to DELETE: it is PREVENT")

    def same(self, path: str, old: Value, new: Value) -> bool:  # noqa: ARG002 - names mean the same everywhere
        if isinstance(old, str) and isinstance(new, str) and "/" in old and "/" in new:
            return ids.plain(old, self.account) == ids.plain(new, self.account)
        return bool(old == new)

    def already_exists(self, request: Request) -> CloudError:
        return ApiError(409, f"The resource '{request.id}' already exists", "alreadyExists")

    def not_found(self, object_id: str) -> CloudError:
        return NotFoundError(object_id)

    def unchangeable(self, path: str) -> CloudError:
        return ApiError(400, f"Field '{path}' is immutable", "invalid")

    def automatic_name(self, logical: str, digest: str) -> str:
        return f"{logical}-{digest[:7]}"

    def _labels(self, request: Request, more: Mapping[str, Value]) -> Value:
        labels = request.inputs["resourceLabels"] or request.inputs["labels"] or {}
        return {**more, **self._default_labels, **labels}


def _project(config: Properties) -> ids.Project:
    """The emulated project as a provider's configuration completes it."""
    region, zone = config.get("region"), config.get("zone")
    return ids.Project(
        id=ids.EMULATED_PROJECT, location=str(region) if region else None, zone=str(zone) if zone else None
    )
