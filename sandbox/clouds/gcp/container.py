"""Google Kubernetes Engine: clusters and node pools. The nodes themselves are not emulated."""

from typing import Final

from sandbox.clouds.gcp import ids, keys, service_agents
from sandbox.clouds.gcp.errors import ApiError, RefusedError, not_one_of
from sandbox.clouds.gcp.places import TEES, has_tee, is_zone, machine_type, within_region, zones
from sandbox.clouds.gcp.references import CRYPTO_KEY
from sandbox.clouds.gcp.rules import matches, one_of
from sandbox.clouds.resource import Account, Reference, Request, ResourceType, View, constant
from sandbox.clouds.store import Object
from sandbox.values import Value

CLUSTER: Final = "container.googleapis.com/Cluster"
NODE_POOL: Final = "container.googleapis.com/NodePool"
_NAME: Final = r"[a-z](?:[-a-z0-9]{0,38}[a-z0-9])?"
_VERSION: Final = "1.34.1-gke.1829001"


def _location(account: Account, inputs: View) -> str:
    return inputs.text("location") or ids.region_for(account, inputs)


def _cluster_identity(account: Account, inputs: View) -> tuple[str, str]:
    project = f"projects/{ids.project_of(account, inputs)}"
    return f"{project}/locations/{_location(account, inputs)}/clusters/{inputs.text('name')}", project


def _pool_identity(account: Account, inputs: View) -> tuple[str, str]:
    cluster = ids.plain(inputs.text("cluster"), account)
    if "/" not in cluster:
        project = ids.project_of(account, inputs)
        cluster = f"projects/{project}/locations/{_location(account, inputs)}/clusters/{cluster}"
    return f"{cluster}/nodePools/{inputs.text('name')}", cluster


def _nodes(config: View, confidential: View, places: list[str]) -> None:
    """Confidential nodes have a machine type with the TEE, in every zone of the pool."""
    if confidential["enabled"] is not True:
        return
    kind = confidential["confidentialInstanceType"] or "SEV"
    if kind not in TEES:
        raise not_one_of("confidential_nodes.confidential_instance_type", kind, tuple(TEES))
    name = config.text("machineType") or "e2-medium"
    wanted = machine_type(name)
    if wanted is None:
        raise ApiError(400, f"Machine type with name '{name}' does not exist", "badRequest")
    tee = TEES[kind]
    if tee not in wanted.tees:
        raise ApiError(
            400, f"Confidential Nodes of type {kind} are not supported on machine type '{name}'", "badRequest"
        )
    for zone in places:
        if not has_tee(wanted, tee, zone):
            raise ApiError(
                400, f"Confidential Nodes of type {kind} on '{name}' are not available in zone '{zone}'", "badRequest"
            )
    _purchase(config, wanted.purchase, name)


def _purchase(config: View, purchase: tuple[str, ...], name: str) -> None:
    if "on-demand" not in purchase and not (config["spot"] is True or config["flexStart"] is True):
        raise ApiError(
            400, f"Machine type '{name}' needs spot or flex_start nodes: it is not sold on demand", "badRequest"
        )


def _node_zones(request: Request, location: str) -> list[str]:
    listed = request.inputs["nodeLocations"]
    if listed:
        return [str(zone) for zone in listed]
    return [location] if is_zone(location) else list(zones(location))


def _cluster_nodes(request: Request) -> None:
    """A cluster's own setting makes the nodes of every pool confidential."""
    config = View(request.inputs["nodeConfig"] or {})
    chosen = request.inputs["confidentialNodes"] or config["confidentialNodes"] or {}
    _nodes(config, View(chosen), _node_zones(request, request.id.split("/")[3]))


def _pool_nodes(request: Request) -> None:
    cluster = request.session.lookup(request.parent, preview=request.preview)
    if cluster is None:
        if request.preview:
            return
        raise ApiError(404, f"Not found: {request.parent}", "notFound")
    places = _node_zones(request, request.parent.split("/")[3])
    if not request.inputs["nodeLocations"] and cluster.inputs.get("nodeLocations"):
        places = [str(zone) for zone in cluster.inputs["nodeLocations"]]
    config = View(request.inputs["nodeConfig"] or {})
    chosen = config["confidentialNodes"] or View(cluster.inputs)["confidentialNodes"] or {}
    _nodes(config, View(chosen), places)


def _node_locations(request: Request) -> None:
    """Nodes lie in the cluster's region."""
    region = within_region(request.id.split("/")[3])
    for zone in request.inputs["nodeLocations"] or ():
        if str(zone) not in zones(region):
            raise ApiError(400, f"Location '{zone}' is not in region '{region}' of the cluster", "badRequest")


def _endpoint(request: Request) -> None:
    private = View(request.inputs["privateClusterConfig"] or {})
    if private["enablePrivateEndpoint"] is True and private["enablePrivateNodes"] is not True:
        raise ApiError(400, "Private endpoint can only be enabled for a cluster with private nodes", "badRequest")


def _database_key(request: Request) -> None:
    if request.inputs["databaseEncryption.state"] == "ENCRYPTED" and not request.inputs["databaseEncryption.keyName"]:
        raise ApiError(400, "Database encryption key name is missing", "badRequest")


def _protected(_request: Request, item: Object) -> None:
    if item.inputs.get("deletionProtection") is not False:
        raise RefusedError(
            "Cannot destroy cluster because deletion_protection is set to true. Set it to false to proceed with cluster"
            " deletion."
        )


def _first_pool(request: Request) -> None:
    """A standard cluster is made with nodes, or with a default pool that goes."""
    if request.inputs["enableAutopilot"] is True or request.before is not None:
        return
    if not (request.inputs["initialNodeCount"] or request.inputs["nodePools"]):
        raise ApiError(400, "Cluster.initial_node_count must be greater than zero", "badRequest")


def _endpoint_address(request: Request) -> Value:
    return request.inputs["privateClusterConfig.privateEndpoint"] or "172.16.0.2"


def _cluster_link(request: Request) -> Value:
    return f"https://container.googleapis.com/v1/{request.id}"


def _region(request: Request) -> str:
    return within_region(request.parent.split("/")[3])


TYPES = (
    ResourceType(
        pulumi_type="gcp:container/cluster:Cluster",
        kind=CLUSTER,
        identify=_cluster_identity,
        name_property="name",
        replace_on=(
            "name", "project", "location", "network", "subnetwork", "confidentialNodes.confidentialInstanceType",
            "ipAllocationPolicy", "privateClusterConfig.enablePrivateNodes", "initialNodeCount", "enableAutopilot",
            "nodeConfig", "datapathProvider", "userManagedKeysConfig",
        ),
        references=(
            Reference("network", (ids.NETWORK,)),
            Reference("subnetwork", (ids.SUBNETWORK,)),
            Reference("databaseEncryption.keyName", (CRYPTO_KEY,)),
            Reference("nodeConfig.bootDiskKmsKey", (CRYPTO_KEY,)),
        ),
        checks=(
            matches("name", _NAME),
            one_of("databaseEncryption.state", "ENCRYPTED", "DECRYPTED", "ALL_OBJECTS_ENCRYPTION_ENABLED"),
            _first_pool,
            _node_locations,
            _cluster_nodes,
            _endpoint,
            _database_key,
            keys.usable("databaseEncryption.keyName", service_agents.CONTAINER),
            keys.usable("nodeConfig.bootDiskKmsKey", service_agents.COMPUTE),
        ),
        outputs={
            "endpoint": _endpoint_address,
            "masterVersion": constant(_VERSION),
            "selfLink": _cluster_link,
            "location": lambda request: request.id.split("/")[3],
        },
        stopped=_protected,
    ),
    ResourceType(
        pulumi_type="gcp:container/nodePool:NodePool",
        kind=NODE_POOL,
        identify=_pool_identity,
        name_property="name",
        replace_on=(
            "name", "namePrefix", "project", "cluster", "location", "initialNodeCount", "maxPodsPerNode",
            "nodeConfig.machineType", "nodeConfig.confidentialNodes", "nodeConfig.bootDiskKmsKey",
            "nodeConfig.serviceAccount", "nodeConfig.spot", "nodeConfig.flexStart", "nodeConfig.guestAccelerators",
            "nodeConfig.shieldedInstanceConfig", "nodeConfig.enableConfidentialStorage", "placementPolicy",
        ),
        references=(Reference("nodeConfig.bootDiskKmsKey", (CRYPTO_KEY,)),),
        checks=(
            matches("name", _NAME),
            _pool_nodes,
            keys.usable("nodeConfig.bootDiskKmsKey", service_agents.COMPUTE, _region),
        ),
        outputs={"version": constant(_VERSION), "instanceGroupUrls": constant([])},
    ),
)  # fmt: skip
