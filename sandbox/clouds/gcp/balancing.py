"""Compute Engine's load balancing: forwarding rules, regional backend services, health checks, instance groups."""

import ipaddress
import re

from sandbox.clouds.gcp import addressing, ids, references
from sandbox.clouds.gcp.errors import FieldError, RefusedError
from sandbox.clouds.gcp.networks import network_of
from sandbox.clouds.gcp.rules import number, one_of, rfc1035_name
from sandbox.clouds.resource import Reference, Request, ResourceType, Undetermined, constant
from sandbox.clouds.store import Object
from sandbox.values import UNKNOWN, Value

GOOGLE_APIS = ("all-apis", "vpc-sc")
_BUNDLE_NAME = re.compile(r"[a-z][a-z0-9]{0,19}")
_HEALTH_CHECKS = ("grpcHealthCheck", "http2HealthCheck", "httpHealthCheck", "httpsHealthCheck", "sslHealthCheck",
                  "tcpHealthCheck")  # fmt: skip
_MAX_PORTS = 5


def _google_apis(request: Request) -> None:
    """A global rule to a bundle of Google's APIs: Private Service Connect, with a name of its own alphabet."""
    if request.inputs["target"] not in GOOGLE_APIS:
        return
    name, scheme = request.inputs.text("name"), request.inputs["loadBalancingScheme"]
    if not _BUNDLE_NAME.fullmatch(name):
        raise FieldError(
            "name",
            name,
            "A forwarding rule for Private Service Connect to Google APIs must have a name of 1 to 20 lowercase letters"
            " and digits that starts with a letter.",
        )
    if scheme != "":
        raise FieldError(
            "loadBalancingScheme",
            "EXTERNAL" if scheme is None else scheme,
            "Load balancing scheme must be empty for a Private Service Connect forwarding rule.",
        )
    if not request.inputs["network"]:
        raise FieldError("network", "", "A Private Service Connect forwarding rule needs a network.")
    address = _named_address(request, ids.GLOBAL_ADDRESS)
    if address is not None and address.inputs.get("purpose") != addressing.PRIVATE_SERVICE_CONNECT:
        raise FieldError(
            "IPAddress", request.inputs["ipAddress"], "The address must have purpose PRIVATE_SERVICE_CONNECT."
        )


def _named_address(request: Request, kind: str) -> Object | None:
    """The reserved address that the rule names, None where it gives a literal one or none."""
    value = request.inputs["ipAddress"]
    if value is None or _is_address(str(value)):
        return None
    return references.find(request, kind, str(value))


def _is_address(value: str) -> bool:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return False
    return True


def _forwarding(request: Request) -> None:
    """An internal rule leads to a backend service, on some ports of a subnetwork's address."""
    scheme = request.inputs["loadBalancingScheme"]
    if scheme not in ("INTERNAL", "INTERNAL_MANAGED"):
        return
    if bool(request.inputs["backendService"]) == bool(request.inputs["target"]):
        raise FieldError("target", "", "Exactly one of backendService and target must be specified.")
    ports, every = request.inputs["ports"], request.inputs["allPorts"]
    if scheme == "INTERNAL" and bool(ports) == bool(every):
        raise RefusedError("one of `all_ports,port_range,ports` must be specified")
    if ports and len(ports) > _MAX_PORTS:
        raise FieldError("ports", ports, f"At most {_MAX_PORTS} ports are allowed.")


def _rule_address(request: Request) -> Value:
    """The address on which an internal forwarding rule listens."""
    reserved = _named_address(request, ids.ADDRESS)
    if reserved is not None:
        return reserved.outputs["address"]
    fixed = request.inputs["ipAddress"]
    before = None if request.before is None else request.before.outputs.get("ipAddress")
    if not str(request.inputs["loadBalancingScheme"] or "").startswith("INTERNAL"):
        return fixed or request.keep("ipAddress", addressing.public_address)
    if not request.inputs["subnetwork"]:
        raise FieldError("subnetwork", "", "Subnetwork must be specified for internal load balancing.")
    subnet = references.find(request, ids.SUBNETWORK, request.inputs.text("subnetwork"))
    return addressing.allocate(request, subnet, None if fixed is None else str(fixed), before, "IPAddress")


def _global_address(request: Request) -> Value:
    reserved = _named_address(request, ids.GLOBAL_ADDRESS)
    if reserved is not None:
        return reserved.outputs["address"]
    return request.inputs["ipAddress"] or request.keep("ipAddress", addressing.public_address)


def _rule_network(request: Request) -> Value:
    network = network_of(request, request.inputs)
    return ids.self_link(network) if network else None


def _backends(request: Request) -> None:
    """An internal passthrough service balances connections, and probes its backends."""
    if (request.inputs["loadBalancingScheme"] or "INTERNAL") != "INTERNAL":
        return
    for index, backend in enumerate(request.inputs.items("backends")):
        mode = backend["balancingMode"] or "UTILIZATION"
        if mode != "CONNECTION":
            raise FieldError(
                f"backends[{index}].balancingMode",
                mode,
                "Balancing mode must be CONNECTION for an INTERNAL backend service.",
            )
    if not request.inputs["healthChecks"]:
        raise FieldError("healthChecks", "[]", "At least one health check is needed.")


def _one_check(request: Request) -> None:
    given = [name for name in _HEALTH_CHECKS if request.inputs[name] is not None]
    if len(given) != 1:
        raise RefusedError(f"only one of `{','.join(_HEALTH_CHECKS)}` can be specified, and one must be")


def _check_type(request: Request) -> Value:
    given = next(name for name in _HEALTH_CHECKS if request.inputs[name] is not None)
    return given.removesuffix("HealthCheck").upper()


def _members(request: Request) -> None:
    """The members of a group are in its zone and in one network."""
    networks = set()
    for index, value in enumerate(request.inputs["instances"] or ()):
        if value is UNKNOWN:
            continue
        machine = references.find(request, ids.INSTANCE, str(value))
        if machine.id.split("/")[3] != request.id.split("/")[3]:
            raise FieldError(f"instances[{index}]", value, f"The instance is not in the zone of group '{request.id}'.")
        interface = machine.outputs.get("networkInterfaces")
        if isinstance(interface, list):
            networks.add(interface[0].get("network"))
    if len(networks) > 1:
        raise FieldError("instances", "", "All instances of a group must be in the same network.")


def _group_network(request: Request) -> Value:
    if request.inputs["network"]:
        network = ids.target(ids.NETWORK, request.inputs.text("network"), request.session.account, request.inputs)
        return ids.self_link(network)
    for value in request.inputs["instances"] or ():
        if value is UNKNOWN:
            raise Undetermined("instances")
        interfaces = references.find(request, ids.INSTANCE, str(value)).outputs["networkInterfaces"]
        if interfaces is UNKNOWN:
            raise Undetermined("networkInterfaces")
        return interfaces[0]["network"]
    return None


_RULE_FIXED = ("name", "project", "region", "ipAddress", "ipProtocol", "loadBalancingScheme", "network", "subnetwork",
               "ports", "portRange", "backendService", "networkTier", "description", "serviceLabel")  # fmt: skip

TYPES = (
    ResourceType(
        pulumi_type="gcp:compute/globalForwardingRule:GlobalForwardingRule",
        kind=ids.GLOBAL_FORWARDING_RULE,
        identify=ids.compute(ids.GLOBAL_FORWARDING_RULE),
        name_property="name",
        replace_on=(
            "name",
            "project",
            "ipAddress",
            "ipProtocol",
            "loadBalancingScheme",
            "network",
            "subnetwork",
            "portRange",
            "description",
        ),
        references=(Reference("network", (ids.NETWORK,)),),
        checks=(rfc1035_name, _google_apis),
        outputs={
            "forwardingRuleId": number("forwardingRuleId", text=False),
            "ipAddress": _global_address,
            "pscConnectionStatus": constant("ACCEPTED"),
            "pscConnectionId": number("pscConnectionId", text=True),
        },
    ),
    ResourceType(
        pulumi_type="gcp:compute/forwardingRule:ForwardingRule",
        kind=ids.FORWARDING_RULE,
        identify=ids.compute(ids.FORWARDING_RULE),
        name_property="name",
        replace_on=_RULE_FIXED,
        references=(
            Reference("network", (ids.NETWORK,)),
            Reference("subnetwork", (ids.SUBNETWORK,), same_location=True),
            Reference("backendService", (ids.BACKEND_SERVICE,), same_location=True),
        ),
        checks=(
            rfc1035_name,
            one_of("loadBalancingScheme", "EXTERNAL", "EXTERNAL_MANAGED", "INTERNAL", "INTERNAL_MANAGED"),
            _forwarding,
        ),
        outputs={
            "forwardingRuleId": number("forwardingRuleId", text=False),
            "ipAddress": _rule_address,
            "network": _rule_network,
            "ipProtocol": lambda request: request.inputs["ipProtocol"] or "TCP",
        },
    ),
    ResourceType(
        pulumi_type="gcp:compute/regionBackendService:RegionBackendService",
        kind=ids.BACKEND_SERVICE,
        identify=ids.compute(ids.BACKEND_SERVICE),
        name_property="name",
        replace_on=("name", "project", "region", "network", "loadBalancingScheme"),
        references=(
            Reference("backends[].group", (ids.INSTANCE_GROUP, ids.GROUP_MANAGER), same_location=True),
            Reference("healthChecks", (ids.HEALTH_CHECK,), same_location=True),
            Reference("network", (ids.NETWORK,)),
        ),
        checks=(rfc1035_name, _backends),
        outputs={
            "generatedId": number("generatedId", text=False),
            "loadBalancingScheme": lambda request: request.inputs["loadBalancingScheme"] or "INTERNAL",
            "protocol": lambda request: request.inputs["protocol"] or "TCP",
        },
        in_use=references.in_use,
    ),
    ResourceType(
        pulumi_type="gcp:compute/regionHealthCheck:RegionHealthCheck",
        kind=ids.HEALTH_CHECK,
        identify=ids.compute(ids.HEALTH_CHECK),
        name_property="name",
        replace_on=("name", "project", "region"),
        checks=(rfc1035_name, _one_check),
        outputs={"healthCheckId": number("healthCheckId", text=False), "type": _check_type},
        in_use=references.in_use,
    ),
    ResourceType(
        pulumi_type="gcp:compute/instanceGroup:InstanceGroup",
        kind=ids.INSTANCE_GROUP,
        identify=ids.compute(ids.INSTANCE_GROUP),
        name_property="name",
        replace_on=("name", "project", "zone", "network", "description"),
        references=(Reference("network", (ids.NETWORK,)), Reference("instances[]", (ids.INSTANCE,))),
        checks=(rfc1035_name, _members),
        outputs={"size": lambda request: len(request.inputs["instances"] or ()), "network": _group_network},
        in_use=references.in_use,
    ),
)
