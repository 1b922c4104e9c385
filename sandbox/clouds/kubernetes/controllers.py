"""The cluster's controllers: workloads become pods, and pods land on nodes.

They run when the API server has written an object, outside its lock: what a pod boots may ask the cluster. Objects that
a pod names may come a little later than the pod, as programs create them in parallel; a controller tries again for
`patience` seconds before it reports that the rollout fails.
"""

import copy
import hashlib
import ipaddress
import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

from sandbox.clouds import addresses
from sandbox.clouds.hardware import Hardware
from sandbox.clouds.kubernetes import admission, api, nodes, pods, resource_quota
from sandbox.clouds.kubernetes.nodes import Placed, UnschedulableError
from sandbox.clouds.resource import CloudError, Request, ResourceType, View
from sandbox.clouds.store import Object, Store
from sandbox.provider import Properties

PATIENCE_SECONDS: Final = 5.0
_POLL_SECONDS: Final = 0.02
_POD_RANGE: Final = ipaddress.IPv4Network("10.244.0.0/16")
_POD_SPACE: Final = addresses.space_of("pods")
_OWNER: Final = "bailiwick.dev/controlled-by"
_HASH: Final = "pod-template-hash"


class Cluster(Protocol):
    """What the controllers need of the API server."""

    store: Store
    hardware: Hardware
    types: Mapping[str, ResourceType]

    def transaction(self) -> AbstractContextManager[None]:
        """The store to oneself, all or nothing."""

    def request_for(self, kind: ResourceType, manifest: Properties) -> Request:
        """A request of the controllers' own, to judge what they create."""


@dataclass(frozen=True, slots=True)
class _Pod:
    """One pod to make."""

    name: str
    owner: Object
    metadata: Mapping[str, Any]
    spec: Mapping[str, Any]

    @property
    def manifest(self) -> Properties:
        namespace = api.namespace_of(self.owner)
        metadata = {
            **copy.deepcopy(dict(self.metadata)),
            "name": self.name,
            "namespace": namespace,
            "ownerReferences": [
                {
                    "apiVersion": self.owner.inputs["apiVersion"],
                    "kind": self.owner.inputs["kind"],
                    "name": self.owner.name,
                    "uid": self.owner.outputs["metadata"]["uid"],
                    "controller": True,
                }
            ],
        }
        spec = {"serviceAccountName": "default", **copy.deepcopy(dict(self.spec))}
        return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


class Controllers:
    """Makes and removes pods for the objects that a program deploys."""

    def __init__(self, cluster: Cluster, patience: float = PATIENCE_SECONDS) -> None:
        self._cluster = cluster
        self._patience = patience

    def run_pod(self, _request: Request, item: Object) -> None:
        """Bind and start a pod that the program made itself."""
        self._start(item.inputs, item)

    def roll_out(self, _request: Request, item: Object) -> None:
        """Make the pods that a workload wants now, then remove those of its earlier template."""
        template = item.inputs["spec"]["template"]
        wanted = self._wanted(item, template)
        names = {pod.name for pod in wanted}
        stale = [pod for pod in self._owned(item) if pod.name not in names]
        recreate = (item.inputs["spec"].get("strategy") or {}).get("type") == "Recreate"
        if recreate:
            self._remove(stale)
        present = {pod.name for pod in self._owned(item)}
        for pod in wanted:
            if pod.name not in present:
                self._make(pod)
        if not recreate:
            self._remove(stale)

    def stop(self, request: Request, item: Object) -> None:
        """Remove a workload's pods, or power a pod off. Runs inside the API server's transaction."""
        if request.type.kind == api.PODS:
            self._cluster.hardware.power_off(item.id)
            return
        for pod in self._owned(item):
            self._cluster.hardware.power_off(pod.id)
            self._cluster.store.remove(pod.id)

    def _owned(self, item: Object) -> list[Object]:
        return [
            pod
            for pod in self._cluster.store.children(item.parent, api.PODS)
            if (pod.inputs["metadata"].get("annotations") or {}).get(_OWNER) == item.id
        ]

    def _remove(self, stale: Iterable[Object]) -> None:
        for pod in stale:
            self._cluster.hardware.power_off(pod.id)
            with self._cluster.transaction():
                self._cluster.store.remove(pod.id)

    def _wanted(self, item: Object, template: Mapping[str, Any]) -> list[_Pod]:
        digest = hashlib.sha256(json.dumps(template, sort_keys=True).encode()).hexdigest()
        metadata = dict(template.get("metadata") or {})
        metadata["annotations"] = {**(metadata.get("annotations") or {}), _OWNER: item.id}
        if item.kind == "statefulsets.apps":
            names = [f"{item.name}-{index}" for index in range(_replicas(item))]
        elif item.kind == "daemonsets.apps":
            selector = template["spec"].get("nodeSelector") or {}
            fitting = [node for node in nodes.nodes() if selector.items() <= node.labels.items()]
            names = [f"{item.name}-{_suffix(item, node.name)}" for node in fitting]
        elif item.kind == "jobs.batch":
            names = [f"{item.name}-{_suffix(item, '0')}"]
        else:
            metadata["labels"] = {**(metadata.get("labels") or {}), _HASH: digest[:10]}
            names = [f"{item.name}-{digest[:10]}-{_suffix(item, str(n))}" for n in range(_replicas(item))]
        return [_Pod(name, item, metadata, template["spec"]) for name in names]

    def _make(self, pod: _Pod) -> None:
        """Admit, write and start one pod; a rollout that cannot is refused with the reason."""
        owner = f'{pod.owner.kind} "{pod.owner.name}"'
        manifest = pod.manifest
        try:
            item = self._retry(lambda: self._admit(manifest))
        except CloudError as error:
            raise CloudError("ReplicaFailure", f"{owner}: [FailedCreate] {_message(error)}") from None
        try:
            self._start(manifest, item)
        except CloudError as error:
            with self._cluster.transaction():
                self._cluster.store.remove(item.id)
            why = f"[MinimumReplicasUnavailable] pod {pod.name}: {error}"
            raise CloudError("ProgressDeadlineExceeded", f"{owner}: {why}") from None

    def _admit(self, manifest: Properties) -> Object:
        kind = self._cluster.types["kubernetes:core/v1:Pod"]
        request = self._cluster.request_for(kind, manifest)
        namespace = api.namespace_of(request)
        for wanted in pods.wanted_for_admission(namespace, manifest["spec"]):
            if self._cluster.store.get(wanted.id) is None:
                raise api.forbidden(request, wanted.refusal)
        pods.require_security(self._cluster.store.get(request.parent), request.name, manifest["spec"])
        resource_quota.require_within(self._cluster.store, request.parent, request.name, manifest["spec"])
        admission.admit(request)
        outputs = {**manifest, "metadata": {**manifest["metadata"], "uid": _uid(request.id)}}
        item = Object(request.id, api.PODS, kind.pulumi_type, "", request.parent.lower(), manifest, outputs)
        with self._cluster.transaction():
            self._cluster.store.put(item, [])
        return item

    def _start(self, manifest: Properties, item: Object) -> None:
        """Schedule a pod that was admitted, give it what it mounts, and boot it."""
        store, namespace = self._cluster.store, api.namespace_of(item)
        spec = manifest["spec"]

        def mount() -> None:
            for wanted in pods.wanted_to_start(namespace, spec):
                if store.get(wanted.id) is None:
                    raise CloudError("FailedMount", wanted.refusal)

        self._retry(mount)
        with self._cluster.transaction():
            try:
                node = nodes.schedule(spec, self._runtime_selector(spec), api.labels_of(manifest), self._placed(item))
            except UnschedulableError as error:
                raise CloudError("FailedScheduling", str(error)) from None
            address = addresses.take_next(store.claims, _POD_SPACE, _POD_RANGE, 2, 1, item.id)
            placed = replace(item, outputs=pods.running(item.outputs, node, address or ""))
            store.put(placed, [])
        pods.boot(store, self._cluster.hardware, placed, node)

    def _runtime_selector(self, spec: Mapping[str, Any]) -> dict[str, str]:
        name = spec.get("runtimeClassName")
        found = self._cluster.store.get(f"{pods.RUNTIME_CLASSES}/{name}") if name else None
        selector: dict[str, str] = View(found.inputs)["scheduling.nodeSelector"] if found else {}
        return selector or {}

    def _placed(self, item: Object) -> Sequence[Placed]:
        bound = [pod for pod in self._cluster.store.of_kind(api.PODS) if pod.id != item.id and "status" in pod.outputs]
        return [
            Placed(
                pod.outputs["spec"].get("nodeName", ""), api.labels_of(pod.inputs), *nodes.requests(pod.inputs["spec"])
            )
            for pod in bound
        ]

    def _retry(self, attempt: Callable[[], Any]) -> Any:
        """What `attempt` gives; a refusal counts only when it lasts."""
        deadline = time.monotonic() + self._patience
        while True:
            try:
                return attempt()
            except CloudError as error:
                missing = "not found" in str(error)
                if not missing or time.monotonic() > deadline:
                    raise
            time.sleep(_POLL_SECONDS)


def _replicas(item: Object) -> int:
    stated = item.inputs["spec"].get("replicas")
    return 1 if stated is None else int(stated)


def _suffix(item: Object, which: str) -> str:
    return hashlib.sha256(f"{item.id}/{which}".encode()).hexdigest()[:5]


def _uid(object_id: str) -> str:
    digest = hashlib.sha256(object_id.encode()).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:32]}"


def _message(error: CloudError) -> str:
    return str(error).partition(": ")[2]
