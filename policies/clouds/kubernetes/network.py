"""Kubernetes' networks: services, and network policies, which close a namespace."""

from collections.abc import Iterator

from policies.clouds.kubernetes.data import InCluster
from policies.clouds.kubernetes.pods import host_ports, pods_of
from policies.conditions import EVERYWHERE, Matching, OneOf, PrivateRange, is_private
from policies.subject import Property, Resource
from policies.terms import Destination, EgressGuard, EgressRule, Reference, Setting, Unwanted

_SERVICE = "kubernetes:core:Service"
_NAMESPACE = "kubernetes:core:Namespace"
_POLICY = "kubernetes:networking.k8s.io:NetworkPolicy"
_INGRESS = "kubernetes:networking.k8s.io:Ingress"
_GATEWAY = "kubernetes:gateway.networking.k8s.io:Gateway"
_FRONTS = dict.fromkeys((_INGRESS, _GATEWAY), "a front that others than this region reach")
_WEBHOOKS = frozenset(
    f"kubernetes:admissionregistration.k8s.io:{kind}WebhookConfiguration" for kind in ("Mutating", "Validating")
)
_A_CERTIFICATE = Matching(r"[a-z0-9.-]+", "the name of a secret with the front's certificate")


def ways_in(resource: Resource) -> Iterator[Setting | Unwanted]:
    """What makes `resource` reachable from outside the cluster."""
    if resource.type in _FRONTS:
        yield Unwanted(Property("type", resource.type), _FRONTS[resource.type])
    elif resource.type == _SERVICE:
        kinds = ("ClusterIP", "NodePort", "LoadBalancer", "ExternalName")
        yield Setting(resource.props.at("spec", "type"), OneOf(("ClusterIP",)), kinds, unless_stated=True)
        yield Unwanted(resource.props.at("spec", "externalIPs"), "an address outside the cluster")
    elif resource.type == _POLICY:
        for rule in resource.props.at("spec", "ingress").items():
            yield from _sources(rule)
    yield from host_ports(resource)


def _sources(rule: Property) -> Iterator[Setting]:
    """Whence a policy lets traffic in, other than from pods: from everywhere, if it does not say."""
    peers = rule.at("from").items()
    ranges = [peer.at("ipBlock", "cidr") for peer in peers if peer.at("ipBlock").stated]
    yield from (Setting(one, PrivateRange(), EVERYWHERE) for one in (ranges if peers else (rule.at("from"),)))


def ways_out(resource: Resource) -> Iterator[Setting]:
    """Where the control plane sends each object that it is asked for, before it takes it."""
    if resource.type in _WEBHOOKS:
        for webhook in resource.props.at("webhooks").items():
            yield Setting(webhook.at("clientConfig", "url"), InCluster(), unless_stated=True)


def transport(resource: Resource) -> Iterator[Setting]:
    """What keeps the connections of a front encrypted."""
    if resource.type == _INGRESS:
        entries = resource.props.at("spec", "tls").items()
        hosts = entries or (resource.props.at("spec", "tls"),)
        yield from (Setting(one.at("secretName") if entries else one, _A_CERTIFICATE) for one in hosts)
    elif resource.type == _GATEWAY:
        for listener in resource.props.at("spec", "listeners").items():
            yield Setting(listener.at("protocol"), OneOf(("HTTPS", "TLS")), ("HTTP", "TCP", "UDP"))


def needs_guard(resource: Resource) -> Property | None:
    """The name of a namespace, or that of pods, out of which everything may go unless a policy says otherwise."""
    if resource.type == _NAMESPACE:
        return resource.props.at("metadata", "name")
    return _namespace(resource) if pods_of(resource) else None


def guarded_network(resource: Resource) -> Reference | None:
    """The namespace of a network policy."""
    return Reference(_namespace(resource), "metadata") if resource.type == _POLICY else None


def _namespace(resource: Resource) -> Property:
    stated = resource.props.at("metadata", "namespace")
    return stated if stated.stated else Property(stated.path, "default")


def egress_guard(resource: Resource) -> EgressGuard | None:
    """What `resource` allows out; a policy about egress for every pod that allows nothing denies all."""
    if resource.type != _POLICY:
        return None
    spec = resource.props.at("spec")
    kinds = [kind.text for kind in spec.at("policyTypes").items()]
    if "Egress" not in kinds and not spec.at("egress").stated:
        return None
    rules = spec.at("egress").items()
    if not rules:
        everybody = not spec.at("podSelector").names()
        nothing = EgressRule(property=spec.at("egress"), allows=False, denies_all=everybody, destinations=())
        return EgressGuard((nothing,), complete=False)
    return EgressGuard(tuple(_rule(rule) for rule in rules), complete=False)


def _rule(rule: Property) -> EgressRule:
    destinations = tuple(_destination(peer) for peer in rule.at("to").items())
    return EgressRule(property=rule, allows=True, denies_all=False, destinations=destinations)


def _destination(peer: Property) -> Destination:
    """A range of addresses, or pods and namespaces of the same cluster."""
    range_ = peer.at("ipBlock", "cidr")
    return (
        Destination(range_, private=is_private(range_.text or "")) if range_.stated else Destination(peer, private=True)
    )
