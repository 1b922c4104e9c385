"""What the API server asks of single kinds, and what it answers for them."""

import base64
import binascii
import ipaddress
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sandbox.clouds import addresses
from sandbox.clouds.kubernetes import api, pods, resource_quota
from sandbox.clouds.kubernetes.pod_rules import judge_port, one_of
from sandbox.clouds.kubernetes.selectors import selects
from sandbox.clouds.resource import CloudError, Request
from sandbox.values import UNKNOWN, Value

SERVICE_RANGE: Final = ipaddress.IPv4Network("10.96.0.0/12")
DEFAULT_STORAGE_CLASS: Final = "standard"
_SERVICE_SPACE: Final = addresses.space_of("services")
_LARGEST_BYTES: Final = 1024 * 1024
_ACCESS_MODES: Final = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
_SERVICE_TYPES: Final = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
_BUILT_IN_ROLES: Final = frozenset({"admin", "cluster-admin", "edit", "view"})


def small_enough(request: Request) -> None:
    """A config map or a secret fits into 1 MiB."""
    values = [
        text
        for field in ("data", "stringData", "binaryData")
        for text in (request.inputs[field] or {}).values()
        if isinstance(text, str)
    ]
    if sum(len(text.encode()) for text in values) > _LARGEST_BYTES:
        raise api.invalid(request, "[]", f"Too long: may not be more than {_LARGEST_BYTES} bytes")


def base64_data(request: Request) -> None:
    """A secret's `data` is base64."""
    for key, text in (request.inputs["data"] or {}).items():
        if not isinstance(text, str):
            continue
        try:
            base64.b64decode(text, validate=True)
        except binascii.Error:
            raise api.bad_request(request, f"illegal base64 data in data.{key}; use stringData for text") from None


def service(request: Request) -> None:
    """A service's type, ports and cluster address."""
    spec = request.inputs["spec"]
    kind = spec.get("type") or "ClusterIP"
    one_of(request, "spec.type", kind, _SERVICE_TYPES)
    ports = spec.get("ports") or ()
    if kind == "ExternalName":
        if not spec.get("externalName"):
            raise api.invalid(request, "spec.externalName", "Required value")
        return
    if not ports and spec.get("clusterIP") != "None":
        raise api.invalid(request, "spec.ports", "Required value")
    seen: set[tuple[Value, Value]] = set()
    for index, port in enumerate(ports):
        if len(ports) > 1 and not port.get("name"):
            raise api.invalid(request, f"spec.ports[{index}].name", "Required value")
        judge_port(request, f"spec.ports[{index}].port", port.get("port"))
        judge_port(request, f"spec.ports[{index}].targetPort", port.get("targetPort"))
        if (both := (port.get("protocol") or "TCP", port.get("port"))) in seen:
            raise api.invalid(request, f"spec.ports[{index}]", f"Duplicate value: {both[1]}/{both[0]}")
        seen.add(both)
    _judge_cluster_ip(request, request.inputs["spec.clusterIP"])


def _judge_cluster_ip(request: Request, stated: Value) -> None:
    if stated in (None, "None", ""):
        return
    why = f"failed to allocate IP {stated}: the provided IP ({stated})"
    try:
        inside = ipaddress.IPv4Address(stated) in SERVICE_RANGE
    except ValueError:
        raise api.invalid_value(request, "spec.clusterIPs[0]", stated, "must be a valid IP address") from None
    if not inside:
        raise api.invalid_value(
            request,
            "spec.clusterIPs",
            [stated],
            f"{why} is not in the valid range. The range of valid IPs is {SERVICE_RANGE}",
        )
    if request.claims.take(_SERVICE_SPACE, addresses.key(stated), request.id) is not None:
        raise api.invalid_value(
            request, "spec.clusterIPs", [stated], f"failed to allocate IP {stated}: provided IP is already allocated"
        )


def service_spec(request: Request) -> Value:
    """A service's spec with the address that the cluster gives it."""
    spec = dict(request.inputs["spec"])
    kind = spec.get("type") or "ClusterIP"
    if kind == "ExternalName":
        return spec
    address = spec.get("clusterIP") or (UNKNOWN if request.preview and request.before is None else _allocated(request))
    if address == "None":
        return {**spec, "type": kind}
    return {
        "internalTrafficPolicy": "Cluster",
        "sessionAffinity": "None",
        **spec,
        "type": kind,
        "clusterIP": address,
        "clusterIPs": [address],
        "ipFamilies": ["IPv4"],
        "ipFamilyPolicy": "SingleStack",
    }


def _allocated(request: Request) -> str:
    before = (request.before.outputs["spec"] if request.before else {}).get("clusterIP")
    found = before or addresses.take_next(request.claims, _SERVICE_SPACE, SERVICE_RANGE, 16, 1, request.id)
    return str(found)


def no_load_balancer(_request: Request) -> Value:
    return {"loadBalancer": {}}


def claim(request: Request) -> None:
    """A volume claim: how it is opened, how large it is, and a storage class that exists."""
    modes = request.inputs["spec.accessModes"]
    if not modes:
        raise api.invalid(request, "spec.accessModes", "Required value: at least 1 access mode is required")
    for index, mode in enumerate(modes):
        one_of(request, f"spec.accessModes[{index}]", mode, _ACCESS_MODES)
    if api.quantity(request.inputs["spec.resources.requests.storage"] or "") is None:
        raise api.invalid(request, "spec.resources[storage]", "Required value")
    before = request.before.inputs["spec"]["resources"]["requests"]["storage"] if request.before else "0"
    if (api.quantity(before) or 0) > (api.quantity(request.inputs["spec.resources.requests.storage"]) or 0):
        raise api.invalid(
            request, "spec.resources.requests.storage", "Forbidden: field can not be less than status.capacity"
        )
    name = request.inputs["spec.storageClassName"]
    if name in (None, "", DEFAULT_STORAGE_CLASS) or request.preview:
        return
    if request.session.lookup(f"storageclasses.storage.k8s.io/{name}", preview=False) is None:
        raise CloudError(
            "ProvisioningFailed",
            f'persistentvolumeclaims "{request.name}": storageclass.storage.k8s.io "{name}" not found',
        )


def claim_spec(request: Request) -> Value:
    spec = {"storageClassName": DEFAULT_STORAGE_CLASS, "volumeMode": "Filesystem", **request.inputs["spec"]}
    return spec if request.preview else {**spec, "volumeName": f"pvc-{request.name}"}


def bound(request: Request) -> Value:
    return {
        "phase": "Bound",
        "accessModes": request.inputs["spec.accessModes"],
        "capacity": request.inputs["spec.resources.requests"],
    }


def active(_request: Request) -> Value:
    return {"phase": "Active"}


def pod_security(request: Request) -> None:
    """Pod Security Admission of a pod that a program makes itself."""
    spec = request.inputs["spec"]
    namespace = request.session.lookup(request.parent, preview=request.preview)
    pods.require_security(namespace, request.name, spec)
    if not request.preview:
        resource_quota.require_within(request.store, request.parent, request.name, spec)
    for wanted in () if request.preview else pods.wanted_for_admission(api.namespace_of(request), spec):
        if request.session.lookup(wanted.id, preview=False) is None:
            raise api.forbidden(request, wanted.refusal)


def selects_its_template(request: Request) -> None:
    """A workload's selector matches the labels of its own pods."""
    selector, labels = request.inputs["spec.selector"], request.inputs["spec.template.metadata.labels"] or {}
    if not selector or not (selector.get("matchLabels") or selector.get("matchExpressions")):
        raise api.invalid_value(request, "spec.selector", selector, "empty selector is invalid for workload")
    if not selects(selector, labels):
        raise api.invalid_value(
            request, "spec.template.metadata.labels", labels, "`selector` does not match template `labels`"
        )


def rolled_out(request: Request) -> Value:
    """The status after the rollout: the object is not answered before."""
    stated = request.inputs["spec.replicas"]
    replicas = 1 if stated is None else int(stated)
    return {
        "replicas": replicas,
        "readyReplicas": replicas,
        "availableReplicas": replicas,
        "updatedReplicas": replicas,
        "conditions": [{"type": "Available", "status": "True", "reason": "MinimumReplicasAvailable"}],
    }


def network_policy(request: Request) -> None:
    """The types, the peers and the ports of a network policy."""
    spec = request.inputs["spec"] or {}
    for index, kind in enumerate(spec.get("policyTypes") or ()):
        one_of(request, f"spec.policyTypes[{index}]", kind, ("Egress", "Ingress"))
    for direction, peers in (("ingress", "from"), ("egress", "to")):
        for index, rule in enumerate(spec.get(direction) or ()):
            where = f"spec.{direction}[{index}]"
            for number, peer in enumerate(rule.get(peers) or ()):
                _judge_peer(request, f"{where}.{peers}[{number}]", peer)
            for number, port in enumerate(rule.get("ports") or ()):
                judge_port(request, f"{where}.ports[{number}].port", port.get("port"))


def _judge_peer(request: Request, path: str, peer: Mapping[str, Any]) -> None:
    kinds = [kind for kind in ("ipBlock", "namespaceSelector", "podSelector") if peer.get(kind) is not None]
    if not kinds:
        raise api.invalid(request, path, "Required value: must specify a peer")
    if "ipBlock" not in kinds:
        return
    if len(kinds) > 1:
        raise api.invalid(request, path, "Forbidden: may not specify both ipBlock and another peer")
    block = peer["ipBlock"]
    for field, cidr in (("cidr", block.get("cidr")), *((f"except[{i}]", hole) for i, hole in enumerate(_holes(block)))):
        try:
            ipaddress.ip_network(cidr)
        except ValueError:
            raise api.invalid_value(request, f"{path}.ipBlock.{field}", cidr, "must be a valid CIDR value") from None


def _holes(block: Mapping[str, Any]) -> Sequence[Any]:
    return block.get("except") or ()


def handler(request: Request) -> None:
    """A runtime class's handler is a DNS label."""
    name = request.inputs.text("handler")
    if not api.is_dns_label(name):
        raise api.invalid_value(
            request,
            "handler",
            name,
            "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and"
            " end with an alphanumeric character",
        )


def disruption_budget(request: Request) -> None:
    spec = request.inputs["spec"] or {}
    if spec.get("minAvailable") is not None and spec.get("maxUnavailable") is not None:
        raise api.invalid_value(
            request, "spec", {key: spec[key] for key in ("minAvailable", "maxUnavailable")},
            "minAvailable and maxUnavailable cannot be both set",
        )  # fmt: skip


def role_reference(request: Request) -> None:
    """The role that a binding grants exists: the API server compares its rules with those of who asks."""
    kind, name = request.inputs.text("roleRef.kind"), request.inputs.text("roleRef.name")
    one_of(request, "roleRef.kind", kind, ("Role", "ClusterRole"))
    if request.preview or (kind == "ClusterRole" and name in _BUILT_IN_ROLES):
        return
    resource = f"{kind.lower()}s.rbac.authorization.k8s.io"
    namespace = api.namespace_of(request) if kind == "Role" else ""
    if request.session.lookup(api.object_id(resource, namespace, name), preview=False) is None:
        raise CloudError("NotFound", f'{resource} "{name}" not found')
