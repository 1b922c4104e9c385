"""Pods as the cluster's controllers and nodes see them: admitted, bound to a node, given their volumes, booted.

A pod whose runtime class has a confidential handler is a confidential guest, and boots on the region's hardware. The
guest image is that which annotation `io.katacontainers.config.hypervisor.image` names on the node.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final

import catalog
from sandbox.clouds.hardware import Hardware, Machine, image_reference
from sandbox.clouds.kubernetes import api, initdata, pod_security
from sandbox.clouds.kubernetes.nodes import CLOUD, TEE_LABELS, Node
from sandbox.clouds.resource import CloudError
from sandbox.clouds.store import Object, Store
from sandbox.provider import Properties

RUNTIME_CLASSES: Final = "runtimeclasses.node.k8s.io"
GUEST_IMAGE: Final = "io.katacontainers.config.hypervisor.image"
MACHINE_TYPE: Final = "io.katacontainers.config.hypervisor.machine_type"
_PEER_PODS: Final = "kata-remote"
_WITH_GPU: Final = "-nvidia-gpu-"
_HANDLERS: Final[Mapping[str, str | None]] = {
    "runc": None,
    "kata-qemu": None,
    "kata-qemu-coco-dev": None,
    "kata-qemu-snp": "snp",
    "kata-qemu-nvidia-gpu-snp": "snp",
    "kata-qemu-tdx": "tdx",
    "kata-qemu-nvidia-gpu-tdx": "tdx",
}
"""TEE of each handler that the emulated nodes' containerd knows, None for one without; `kata-remote` besides."""
_MADE_BY_PEOPLE: Final = frozenset({("secrets", "hsm-pin"), ("configmaps", "kube-root-ca.crt")})
"""What pods find in every namespace: the Secret with the HSM's PIN, which the people of the emulated site have made
because no program may hold it, and the cluster's own certificate."""
_IMAGE: Final = re.compile(r"(?P<name>.+)-(?P<version>\d+\.\d+\.\d+)")


@dataclass(frozen=True, slots=True)
class Wanted:
    """An object that a pod needs before it can start."""

    id: str
    refusal: str
    """What the controller reports while it is missing."""


def wanted_for_admission(namespace: str, spec: Mapping[str, Any]) -> Iterator[Wanted]:
    """What must exist before the API server accepts the pod."""
    account = spec.get("serviceAccountName") or "default"
    if account != "default":
        yield Wanted(
            api.object_id("serviceaccounts", namespace, account),
            f'error looking up service account {namespace}/{account}: serviceaccount "{account}" not found',
        )
    runtime = spec.get("runtimeClassName")
    if runtime:
        yield Wanted(f"{RUNTIME_CLASSES}/{runtime}", f'pod rejected: RuntimeClass "{runtime}" not found')


def wanted_to_start(namespace: str, spec: Mapping[str, Any]) -> Iterator[Wanted]:
    """The volumes and the environment, which the node needs."""
    for volume in spec.get("volumes") or ():
        for resource, name in _sources(volume):
            if (resource, name) in _MADE_BY_PEOPLE:
                continue
            singular = {"persistentvolumeclaims": "persistentvolumeclaim"}.get(resource, resource.removesuffix("s"))
            yield Wanted(
                api.object_id(resource, namespace, name),
                f'MountVolume.SetUp failed for volume "{volume["name"]}" : {singular} "{name}" not found',
            )
    for container in [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]:
        for resource, name in _environment(container):
            yield Wanted(
                api.object_id(resource, namespace, name),
                f'CreateContainerConfigError: container "{container["name"]}": {resource.removesuffix("s")}'
                f' "{name}" not found',
            )


def _sources(volume: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for source in [volume, *((volume.get("projected") or {}).get("sources") or ())]:
        for field, resource, key in (
            ("configMap", "configmaps", "name"),
            ("secret", "secrets", "secretName" if source is volume else "name"),
            ("persistentVolumeClaim", "persistentvolumeclaims", "claimName"),
        ):
            stated = source.get(field)
            if isinstance(stated, Mapping) and stated.get(key) and not stated.get("optional"):
                yield resource, stated[key]


def _environment(container: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for entry in container.get("env") or ():
        origin = entry.get("valueFrom") or {}
        for field, resource in (("configMapKeyRef", "configmaps"), ("secretKeyRef", "secrets")):
            if origin.get(field) and not origin[field].get("optional"):
                yield resource, origin[field]["name"]
    for entry in container.get("envFrom") or ():
        for field, resource in (("configMapRef", "configmaps"), ("secretRef", "secrets")):
            if entry.get(field) and not entry[field].get("optional"):
                yield resource, entry[field]["name"]


def require_security(namespace: Object | None, name: str, spec: Mapping[str, Any]) -> None:
    """Pod Security Admission, at the level that the namespace enforces."""
    level = (api.labels_of(namespace.inputs) if namespace else {}).get(pod_security.LABEL, "privileged")
    found = pod_security.violations(level, spec)
    if found:
        raise CloudError(
            "Forbidden", f'pods "{name}" is forbidden: violates PodSecurity "{level}:latest": {", ".join(found)}'
        )


def boot(store: Store, hardware: Hardware, pod: Object, node: Node) -> None:
    """Start a pod on its node; one without a confidential runtime class starts without the hardware's knowing."""
    spec, annotations = pod.inputs["spec"], pod.inputs["metadata"].get("annotations") or {}
    runtime = spec.get("runtimeClassName")
    found = store.get(f"{RUNTIME_CLASSES}/{runtime}") if runtime else None
    handler = str(found.inputs["handler"]) if found else "runc"
    size, tee = _machine(handler, annotations, node)
    if tee is None:
        return
    try:
        told = initdata.guest_configuration(annotations)
    except initdata.InitDataError as error:
        raise _sandbox_failure(str(error)) from None
    _hold_ceremony(hardware, told)
    hardware.boot(
        Machine(
            id=pod.id,
            name=pod.name,
            location=node.region,
            zone=node.zone,
            size=size,
            tee=tee,
            image_reference=_image_reference(annotations),
            custom_data=told,
            private_ip=pod.outputs["status"]["podIP"],
            network_id=pod.id,
            secure_boot=False,
            vtpm=False,
            gpu=_gpu(handler, size),
        )
    )


def _machine(handler: str, annotations: Mapping[str, Any], node: Node) -> tuple[str, str | None]:
    """Size and TEE of the machine that a handler starts: on the node, or beside it for a peer pod."""
    if handler == _PEER_PODS:
        size = str(annotations.get(MACHINE_TYPE, node.size))
        try:
            return size, catalog.load().machine_type(CLOUD, size).tee
        except catalog.UnknownFact as error:
            raise _sandbox_failure(f"remote hypervisor: {error}") from None
    if handler not in _HANDLERS:
        raise _sandbox_failure(f'no runtime for "{handler}" is configured')
    tee = _HANDLERS[handler]
    if tee is not None and node.tee != tee:
        label = f"{TEE_LABELS[tee]}=true"
        raise _sandbox_failure(
            f'runtime "{handler}": node {node.name} has no {tee}; let the runtime class select nodes by {label}'
        )
    return node.size, tee


def _gpu(handler: str, size: str) -> str | None:
    """The GPU of the machine that a handler starts, None for one without; of a node's own only the maker is known."""
    if handler == _PEER_PODS:
        known = catalog.load().machine_type(CLOUD, size)
        return known.gpu.name if known.gpu and known.gpu.cc else None
    return "nvidia gpu" if _WITH_GPU in handler else None


def _image_reference(annotations: Mapping[str, Any]) -> str:
    path = str(annotations.get(GUEST_IMAGE, ""))
    match = _IMAGE.fullmatch(PurePosixPath(path).stem)
    if match is None:
        raise _sandbox_failure(
            f"annotation {GUEST_IMAGE} is {path!r}; it names the guest image on the node, <name>-<version>.img"
        )
    return image_reference(match["name"], match["version"])


def _hold_ceremony(hardware: Hardware, told: bytes | None) -> None:
    """Make the KEKs that a verifier's configuration names.

    At a site, people make them in the HSM before; the emulated site does it when a verifier first needs them.
    """
    configuration = _parsed(told)
    for resource in configuration.get("resources", ()) if configuration.get("role") == "verifier" else ():
        hardware.create_key("site", str(resource["kek"]), {})


def _parsed(told: bytes | None) -> dict[str, Any]:
    try:
        found = json.loads(told or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _sandbox_failure(why: str) -> CloudError:
    return CloudError("FailedCreatePodSandBox", why)


def running(pod: Properties, node: Node, address: str) -> Properties:
    """A pod as the API shows it once it runs."""
    return {
        **pod,
        "spec": {**pod["spec"], "nodeName": node.name},
        "status": {
            "phase": "Running",
            "podIP": address,
            "podIPs": [{"ip": address}],
            "conditions": [{"type": "Ready", "status": "True"}],
        },
    }
