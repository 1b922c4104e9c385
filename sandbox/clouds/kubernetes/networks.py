"""The pod network: cluster DNS names lead through services to pods, where every NetworkPolicy on the way agrees."""

import ipaddress
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sandbox.clouds.kubernetes import api
from sandbox.clouds.kubernetes.selectors import selects
from sandbox.clouds.store import Object, Store

CLUSTER_DOMAIN: Final = "cluster.local"
SERVICES: Final = "services"
POLICIES: Final = "networkpolicies.networking.k8s.io"
_DNS_PORT: Final = 53


@dataclass(frozen=True, slots=True)
class Peer:
    """One end of a connection."""

    namespace: str
    labels: Mapping[str, str]
    address: str
    ports: Mapping[str, int]
    """Named container ports."""


_CLUSTER_DNS: Final = Peer("kube-system", {"k8s-app": "kube-dns"}, "10.96.0.10", {"dns": _DNS_PORT})


def resolve(store: Store, host: str, pod_id: str) -> list[str]:
    """The ids of the pods that answer to a service's name when the pod `pod_id` calls it; [] where nothing does."""
    caller = store.get(pod_id)
    if caller is None:
        return []
    source = _peer(caller)
    if not _allowed(store, source, _CLUSTER_DNS, "UDP", _DNS_PORT):
        return []
    service = _service(store, host, source.namespace)
    if service is None:
        return []
    spec = service.inputs["spec"]
    backends = [
        pod
        for pod in store.children(f"{api.NAMESPACES}/{api.namespace_of(service)}", api.PODS)
        if spec.get("selector") and selects({"matchLabels": spec["selector"]}, api.labels_of(pod.inputs))
    ]
    return [pod.id for pod in backends if _reaches(store, source, _peer(pod), spec.get("ports") or ())]


def object_url(site: str) -> str:
    """`https://STORE.SITE.internal/CONTAINER/BLOB`: the site's own object store, whatever the site calls it."""
    return f"https://{{account}}.{site}.internal/{{container}}/{{blob}}"


def object_obstacle(store: Store, host: str, pod_id: str) -> str | None:
    """Why a pod does not reach the site's object store; None where its policies let it out of the cluster.

    The store is outside, at an address and a port that only the site knows: those that the policies name will do.
    """
    caller = store.get(pod_id)
    if caller is None:
        return f"{host}: there is no pod {pod_id}"
    source = _peer(caller)
    if not _allowed(store, source, _CLUSTER_DNS, "UDP", _DNS_PORT):
        return f"{host} is unknown: no NetworkPolicy lets the pod ask the cluster's DNS"
    policies = _selecting(store, "Egress", source)
    rules = [rule for spec in policies for rule in spec.get("egress") or ()]
    if not policies or any(not rule.get("to") or any(peer.get("ipBlock") for peer in rule["to"]) for rule in rules):
        return None
    return f"{host} is outside the cluster: no NetworkPolicy lets the pod out to the ipBlock of the site's store"


def _service(store: Store, host: str, namespace: str) -> Object | None:
    """The service that `name`, `name.namespace`, `name.namespace.svc` or the full name means in a namespace."""
    short = host.removesuffix(".").removesuffix(f".{CLUSTER_DOMAIN}").removesuffix(".svc")
    name, _, stated = short.partition(".")
    return None if "." in stated else store.get(api.object_id(SERVICES, stated or namespace, name))


def _reaches(store: Store, source: Peer, target: Peer, ports: Sequence[Mapping[str, Any]]) -> bool:
    return any(
        _allowed(store, source, target, port.get("protocol") or "TCP", _target_port(port, target)) for port in ports
    )


def _target_port(port: Mapping[str, Any], target: Peer) -> int:
    wanted = port.get("targetPort") or port["port"]
    return target.ports.get(wanted, 0) if isinstance(wanted, str) else int(wanted)


def _peer(pod: Object) -> Peer:
    containers = pod.inputs["spec"].get("containers") or ()
    return Peer(
        namespace=api.namespace_of(pod),
        labels=api.labels_of(pod.inputs),
        address=str((pod.outputs.get("status") or {}).get("podIP") or ""),
        ports={
            port["name"]: int(port["containerPort"])
            for container in containers
            for port in container.get("ports") or ()
            if port.get("name")
        },
    )


def _allowed(store: Store, source: Peer, target: Peer, protocol: str, port: int) -> bool:
    """Whether the source may send and the target may receive."""

    def ends(own: Peer, other: Peer, direction: str) -> bool:
        return _direction(store, direction, own, other, lambda ports: _port_matches(ports, protocol, port, target))

    return ends(source, target, "Egress") and ends(target, source, "Ingress")


def _direction(
    store: Store, direction: str, own: Peer, other: Peer, open_for: Callable[[Sequence[Mapping[str, Any]]], bool]
) -> bool:
    """Whether the policies that select `own` let `other` through; without any, everything passes."""
    field, peers = ("egress", "to") if direction == "Egress" else ("ingress", "from")
    selecting = _selecting(store, direction, own)
    if not selecting:
        return True
    return any(
        open_for(rule.get("ports") or ())
        and (not rule.get(peers) or any(_peer_matches(store, own, each, other) for each in rule[peers]))
        for spec in selecting
        for rule in spec.get(field) or ()
    )


def _selecting(store: Store, direction: str, own: Peer) -> list[Mapping[str, Any]]:
    """The specs of the policies that govern a pod in one direction."""
    return [
        policy.inputs["spec"]
        for policy in store.children(f"{api.NAMESPACES}/{own.namespace}", POLICIES)
        if direction in _types(policy.inputs["spec"])
        and selects(policy.inputs["spec"].get("podSelector") or {}, own.labels)
    ]


def _types(spec: Mapping[str, Any]) -> Sequence[str]:
    return spec.get("policyTypes") or (["Ingress", "Egress"] if spec.get("egress") else ["Ingress"])


def _port_matches(ports: Sequence[Mapping[str, Any]], protocol: str, port: int, target: Peer) -> bool:
    if not ports:
        return True
    for each in ports:
        if (each.get("protocol") or "TCP") != protocol:
            continue
        stated = each.get("port")
        first = target.ports.get(stated) if isinstance(stated, str) else stated
        if first is None and stated is None:
            return True
        if first is not None and first <= port <= (each.get("endPort") or first):
            return True
    return False


def _peer_matches(store: Store, own: Peer, stated: Mapping[str, Any], other: Peer) -> bool:
    block = stated.get("ipBlock")
    if block:
        return _in_block(block, other.address)
    selector = stated.get("namespaceSelector")
    if selector is None:
        in_namespace = other.namespace == own.namespace
    else:
        in_namespace = selects(
            selector, api.namespace_labels(other.namespace, store.get(f"{api.NAMESPACES}/{other.namespace}"))
        )
    return in_namespace and selects(stated.get("podSelector") or {}, other.labels)


def _in_block(block: Mapping[str, Any], address: str) -> bool:
    try:
        here = ipaddress.ip_address(address)
        return here in ipaddress.ip_network(block["cidr"]) and not any(
            here in ipaddress.ip_network(hole) for hole in block.get("except") or ()
        )
    except ValueError:
        return False
