"""The emulated Kubernetes cluster: its API server behind Pulumi's provider protocol."""

import copy
import hashlib
import importlib.metadata
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from sandbox.clouds import schema
from sandbox.clouds.core import EmulatedCloud
from sandbox.clouds.hardware import Hardware
from sandbox.clouds.kubernetes import admission, api, kinds, metadata, networks, published
from sandbox.clouds.kubernetes.controllers import PATIENCE_SECONDS, Controllers
from sandbox.clouds.resource import Account, CloudError, Request, ResourceType, Undetermined, View, now
from sandbox.clouds.store import Object, Store
from sandbox.engine.urn import name_of, type_of
from sandbox.provider import Checked, CheckFailure, Created, Diff, Properties, Read
from sandbox.values import UNKNOWN, Value, contains_unknown

EMULATED_CONTEXT: Final = "bailiwick-emulated"
"""The one context that the emulated kubeconfig has."""

_AUTO_NAMED: Final = "pulumi.com/autonamed"
"""The annotation by which Pulumi's provider knows a name that it made."""


class KubernetesCloud(EmulatedCloud):
    """One emulated cluster. Its objects live in `cloud.db` under `data_dir`."""

    package = "kubernetes"
    version = importlib.metadata.version("pulumi-kubernetes")

    def __init__(
        self,
        data_dir: Path,
        hardware: Hardware,
        *,
        clock: Callable[[], float] = time.time,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self._controllers = Controllers(self, patience)
        types = {kind.pulumi_type: kind for kind in kinds.types(self._controllers)}
        super().__init__(Store(data_dir / "cloud.db"), hardware, Account(id=EMULATED_CONTEXT), types, clock)

    def configure(self, config: Properties) -> None:
        """Take the provider's configuration. Raises `CloudError` where it names a cluster that is not emulated."""
        if config.get("kubeconfig") or config.get("renderYamlToDirectory"):
            raise CloudError(
                "Unauthorized",
                f"the emulated cluster takes no kubeconfig and renders no YAML; set context: {EMULATED_CONTEXT}",
            )
        context = config.get("context") or EMULATED_CONTEXT
        if context != EMULATED_CONTEXT:
            raise CloudError(
                "Unauthorized", f'context "{context}" does not exist; the emulated kubeconfig has {EMULATED_CONTEXT}'
            )
        namespace = config.get("namespace")
        self.account = Account(id=EMULATED_CONTEXT, location=str(namespace) if namespace else None)
        self.forget_previews()

    def check(self, urn: str, olds: Properties, news: Properties) -> Checked:
        inputs: Properties = _without_nulls(news)
        token = type_of(urn)
        kind = self.types.get(token)
        if kind is None:
            return Checked(inputs, (CheckFailure("", self._not_emulated(token)),))
        inputs.setdefault("apiVersion", api.api_version_of(kind))
        inputs.setdefault("kind", api.kind_name(kind))
        self.complete(kind, inputs, olds)
        self._autoname(kind, urn, inputs, olds)
        return Checked(inputs, tuple(published.failures(kind, inputs)))

    def diff(self, urn: str, id: str, olds: Properties, outputs: Properties, news: Properties) -> Diff:  # noqa: A002 - the protocol's signature
        found = super().diff(urn, id, olds, outputs, news)
        autonamed = (View(olds)["metadata.annotations"] or {}).get(_AUTO_NAMED) == "true"
        return replace(found, delete_before_replace=bool(found.replaces) and not autonamed)

    def create(self, urn: str, inputs: Properties, *, preview: bool) -> Created:
        created = super().create(urn, inputs, preview=preview)
        return replace(created, id=_visible(created.id))

    def read(self, urn: str, id: str, inputs: Properties) -> Read | None:  # noqa: A002 - the protocol's signature
        found = super().read(urn, self._internal(urn, id), inputs)
        return found and replace(found, id=_visible(found.id))

    def update(
        self,
        urn: str,
        id: str,  # noqa: A002 - the protocol's signature
        olds: Properties,
        news: Properties,
        *,
        preview: bool,
    ) -> Properties:
        return super().update(urn, self._internal(urn, id), olds, news, preview=preview)

    def delete(self, urn: str, id: str, outputs: Properties) -> None:  # noqa: A002 - the protocol's signature
        super().delete(urn, self._internal(urn, id), outputs)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """The store to oneself, all or nothing."""
        with self._lock, self.store.transaction():
            yield

    def request_for(self, kind: ResourceType, manifest: Properties) -> Request:
        """A request of the controllers' own, to judge what they create."""
        return self._request(kind, "", manifest, None, preview=False)

    def resolve(self, host: str, from_network_id: str) -> list[str]:
        """The ids of the pods that answer to a service's DNS name, as seen from the pod with that id."""
        with self._lock:
            return networks.resolve(self.store, host, from_network_id)

    def object_url(self, location: str) -> str:
        """The site's object store; see `sandbox.clouds.opening.Cloud`."""
        return networks.object_url(location)

    def object_obstacle(self, host: str, from_network_id: str) -> str | None:
        """Why no policy lets the pod with that id out to the site's object store."""
        with self._lock:
            return networks.object_obstacle(self.store, host, from_network_id)

    def describe(self, mismatch: schema.Mismatch) -> CheckFailure:
        return CheckFailure(mismatch.path, f"BadRequest: {mismatch.kind}: {mismatch.path}")

    def complete(self, kind: ResourceType, inputs: Properties, olds: Properties) -> None:  # noqa: ARG002
        """The provider's default namespace."""
        stated = inputs.setdefault("metadata", {})
        if isinstance(stated, dict) and api.is_namespaced(kind) and stated.get("namespace") in (None, ""):
            stated["namespace"] = self.account.location or api.DEFAULT_NAMESPACE

    def admit(self, request: Request) -> None:
        metadata.judge(request)
        admission.admit(request)

    def links(self, request: Request) -> Iterable[tuple[str, str]]:  # noqa: ARG002
        """None: what a pod names is looked for when it starts, by the node and not by the API server."""
        return ()

    def answer(self, request: Request) -> dict[str, Callable[[Request], Value]]:  # noqa: ARG002
        return {}

    def guard(self, request: Request) -> None:
        if request.type.kind == api.NAMESPACES and request.name in api.SYSTEM_NAMESPACES:
            raise api.forbidden(request, "this namespace may not be deleted")

    def same(self, path: str, old: Value, new: Value) -> bool:  # noqa: ARG002
        return bool(old == new)

    def already_exists(self, request: Request) -> CloudError:
        return CloudError("AlreadyExists", f'{request.type.kind} "{request.name}" already exists')

    def not_found(self, object_id: str) -> CloudError:
        resource, _, rest = object_id.partition("/")
        return CloudError("NotFound", f'{resource} "{rest.rsplit("/", 1)[-1]}" not found')

    def unchangeable(self, path: str) -> CloudError:
        return CloudError("Invalid", f"{path}: Forbidden: field is immutable")

    def _not_emulated(self, token: str) -> str:
        return (
            f"'{token}' is not emulated: add its kind to sandbox/clouds/kubernetes/kinds.py; its schema is in"
            f" kubernetes-validate for Kubernetes {published.VERSION} unless it comes from a CustomResourceDefinition"
        )

    def _outputs(self, request: Request) -> Properties:
        """The manifest, with what the API server and the controllers add."""
        outputs = copy.deepcopy(dict(request.inputs.properties))
        if isinstance(outputs["metadata"], dict):
            outputs["metadata"] = _metadata(request)
        for name, compute in request.type.outputs.items():
            if contains_unknown(outputs.get(name)):
                continue
            try:
                outputs[name] = compute(request)
            except Undetermined:
                outputs[name] = UNKNOWN
        return outputs

    def _foretell(self, kind: ResourceType, urn: str, inputs: Properties, before: Object | None) -> Created:
        try:
            kind.identify(self.account, View(inputs))
        except Undetermined:
            return Created("", dict(inputs))
        return super()._foretell(kind, urn, inputs, before)

    def _autoname(self, kind: ResourceType, urn: str, inputs: Properties, olds: Properties) -> None:
        stated: Any = inputs["metadata"]
        if not isinstance(stated, dict) or stated.get("name") is not None:
            return
        old = View(olds)["metadata.name"]
        digest = hashlib.sha256(f"{kind.kind} {urn}".encode()).hexdigest()
        stated["name"] = old or f"{name_of(urn).lower()}-{digest[:8]}"
        if isinstance(annotations := stated.setdefault("annotations", {}), dict):
            annotations[_AUTO_NAMED] = "true"

    def _internal(self, urn: str, visible: str) -> str:
        """The id inside the cluster of the object that Pulumi calls `<namespace>/<name>`; '' for none."""
        return f"{self._type(urn).kind}/{visible}" if visible else ""


def _without_nulls(value: Value) -> Value:
    """A copy in which a field that is null is absent, as the API server reads it."""
    if isinstance(value, dict):
        return {name: _without_nulls(item) for name, item in value.items() if item is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value


def _visible(object_id: str) -> str:
    return object_id.partition("/")[2]


def _metadata(request: Request) -> Value:
    """An object's metadata as the API server answers it."""
    before: Mapping[str, Any] = (request.before.outputs if request.before else {}).get("metadata") or {}
    stated = request.inputs["metadata"]
    if request.preview and not before:
        return {**stated, "uid": UNKNOWN, "resourceVersion": UNKNOWN, "creationTimestamp": UNKNOWN, "generation": 1}
    changed = request.before is not None and request.before.inputs.get("spec") != request.inputs.properties.get("spec")
    return {
        **stated,
        "uid": before.get("uid") or str(uuid.uuid4()),
        "resourceVersion": str(int(before.get("resourceVersion") or 0) + 1),
        "creationTimestamp": before.get("creationTimestamp") or now(),
        "generation": int(before.get("generation") or 1) + changed,
    }
