"""What Azure checks of managed clusters and node pools.

What confidential pools cannot have: MicrosoftDocs/azure-aks-docs, use-cvm.md and use-confidential-gpus.md; what becomes
of Intel TDX: Azure/AKS issue 5618. What a cluster without a way out needs: network-isolated clusters, same place.
"""

import re

import catalog
from sandbox.clouds.azure import arm, compute_rules
from sandbox.clouds.azure.places import CLOUD, Size, zones
from sandbox.clouds.azure.references import location_of
from sandbox.clouds.resource import CloudError, Request, View

_POOL_NAME = re.compile(r"[a-z][a-z0-9]{0,11}")
CLUSTER = "Microsoft.ContainerService/managedClusters"
_FEATURES = ("aks-confidential-nodes", "aks-gpu-confidential-nodes")
_MOST_NODES = 1000
_TRUSTED_LAUNCH = ("enableSecureBoot", "enableVTPM")


def _refusal(code: str, message: str) -> CloudError:
    return CloudError(code, f"Preflight validation check for resource(s) failed: {message}")


def dns(request: Request) -> None:
    """The control plane has a name: a prefix, or a subdomain in a zone of one's own."""
    if not request.inputs["dnsPrefix"] and not request.inputs["fqdnSubdomain"]:
        raise _refusal("InvalidParameter", "Required parameter 'dnsPrefix' is missing (null).")


def pools(request: Request) -> None:
    """At least one pool runs the system; each is one that AKS can make."""
    profiles = request.inputs.items("agentPoolProfiles")
    if not any(profile["mode"] == "System" for profile in profiles):
        raise _refusal(
            "InvalidParameter", "Must define at least one agent pool with mode 'System' in 'agentPoolProfiles'."
        )
    for profile in profiles:
        _pool(request, profile, profile.text("name"))


def pool(request: Request) -> None:
    """A pool of its own."""
    _pool(request, request.inputs, request.name)


def private_control_plane(request: Request) -> None:
    profile = View(request.inputs["apiServerAccessProfile"] or {})
    private = profile["enablePrivateCluster"] is True
    if private and profile["authorizedIPRanges"]:
        raise _refusal(
            "PrivateClusterAuthorizedIPRangesNotSupported",
            "Authorized IP ranges cannot be used with a private cluster: its control plane has no public address.",
        )
    if not private and profile["privateDNSZone"]:
        raise _refusal("InvalidParameter", "Parameter 'privateDNSZone' is allowed only for private clusters.")
    if not private and request.inputs["publicNetworkAccess"] == "Disabled":
        raise _refusal("InvalidParameter", "'publicNetworkAccess' can be 'Disabled' only for private clusters.")


def accounts(request: Request) -> None:
    """Without local accounts somebody from the directory must come in."""
    if request.inputs["disableLocalAccounts"] is True and request.inputs["aadProfile.managed"] is not True:
        raise _refusal(
            "DisableLocalAccountsNotSupported",
            "Disabling local accounts needs a cluster with managed Microsoft Entra ID.",
        )
    if request.inputs["aadProfile.enableAzureRBAC"] is True and request.inputs["enableRBAC"] is False:
        raise _refusal("InvalidParameter", "Azure RBAC for Kubernetes needs 'enableRBAC'.")


def workload_identity(request: Request) -> None:
    wanted = request.inputs["securityProfile.workloadIdentity.enabled"] is True
    if wanted and request.inputs["oidcIssuerProfile.enabled"] is not True:
        raise _refusal("InvalidParameter", "Workload identity needs 'oidcIssuerProfile.enabled'.")


def secrets_key(request: Request) -> None:
    """A key for etcd: a version of it, an identity to use it, and the vault where the way to it is private.

    Only a control plane inside the network finds that way (use-kms-etcd-encryption.md, same place). What Azure says of
    a missing vault: Azure/telescope pull 1121.
    """
    kms = View(request.inputs["securityProfile.azureKeyVaultKms"] or {})
    if kms["enabled"] is not True:
        return
    if kms.text("keyId").count("/") < 5:
        raise _refusal("InvalidParameter", f"'azureKeyVaultKms.keyId' '{kms.text('keyId')}' is no key with a version.")
    if request.inputs["identity.type"] != "UserAssigned":
        raise _refusal("InvalidParameter", "Key Vault KMS needs a cluster with a user-assigned identity.")
    if kms["keyVaultNetworkAccess"] != "Private":
        return
    if not kms["keyVaultResourceId"]:
        raise CloudError("BadRequest", "KeyVault resource ID is empty when KeyVault network access is Private.")
    if not _integrated(request):
        raise _refusal("InvalidParameter", "A private key vault is supported only with API Server VNet Integration.")


def control_plane_subnet(request: Request) -> None:
    """A control plane in the network has a subnet that nobody but AKS uses."""
    subnet_id = request.inputs["apiServerAccessProfile.subnetId"]
    if subnet_id is None or not _integrated(request):
        return
    if not _delegated(request, subnet_id):
        raise _refusal("InvalidParameter", f"The API server subnet '{subnet_id}' is not delegated to '{CLUSTER}'.")


def _delegated(request: Request, subnet_id: str) -> bool:
    """Whether a subnet is AKS's, for control planes and nothing else."""
    delegations = View(request.find(subnet_id).inputs).items("delegations")
    return any(one["serviceName"] == CLUSTER for one in delegations)


def _integrated(request: Request) -> bool:
    return request.inputs["apiServerAccessProfile.enableVnetIntegration"] is True


def way_out(request: Request) -> None:
    """Nodes that reach nothing outside get AKS's own images from a registry that caches them."""
    outbound = request.inputs["networkProfile.outboundType"]
    cached = request.inputs["bootstrapProfile.artifactSource"] == "Cache"
    if outbound == "none" and not cached:
        raise _refusal(
            "InvalidParameter", "Outbound type 'none' needs 'bootstrapProfile.artifactSource' to be 'Cache'."
        )
    if outbound == "userDefinedRouting":
        for profile in request.inputs.items("agentPoolProfiles"):
            subnet = profile["vnetSubnetID"]
            if subnet is None or request.find(subnet).inputs.get("routeTable") is None:
                raise _refusal(
                    "ExistingRouteTableNotAssociatedWithSubnet",
                    f"Outbound type 'userDefinedRouting' needs a route table on the subnet of pool"
                    f" '{profile.text('name')}'.",
                )


def node_disks(request: Request) -> None:
    """Nodes' disks take an ordinary disk encryption set."""
    set_id = request.inputs["diskEncryptionSetID"]
    if set_id is not None and request.find(set_id).inputs.get("encryptionType") == compute_rules.CONFIDENTIAL_SET:
        raise _refusal(
            "InvalidParameter",
            f"The disk encryption set '{set_id}' has encryption type '{compute_rules.CONFIDENTIAL_SET}', which only the"
            " OS disk of a single Confidential VM takes.",
        )


def _pool(request: Request, pool: View, name: str) -> None:
    if not _POOL_NAME.fullmatch(name):
        raise _refusal(
            "InvalidParameter",
            f"The agent pool name '{name}' is invalid: it must have 1 to 12 lower-case letters and digits and begin"
            " with a letter.",
        )
    count = pool["count"]
    least = 1 if pool["mode"] == "System" else 0
    if count is not None and not least <= count <= _MOST_NODES:
        raise _refusal(
            "InvalidParameter", f"The count {count:g} of pool '{name}' is not between {least} and {_MOST_NODES}."
        )
    subnet_id = pool["vnetSubnetID"]
    if subnet_id is not None and _delegated(request, subnet_id):
        raise _refusal("InvalidParameter", f"The subnet '{subnet_id}' of pool '{name}' is delegated to '{CLUSTER}'.")
    _zones(request, pool, name)
    size = compute_rules.known_size(pool.text("vmSize"), request)
    if size.tee in compute_rules.CONFIDENTIAL_SIZE_TEES:
        _confidential(request, pool, name, size)
    compute_rules.offered_here(size, request)


def _zones(request: Request, pool: View, name: str) -> None:
    region = arm.normal_location(location_of(request))
    for zone in pool["availabilityZones"] or []:
        if region and zone not in zones(region):
            raise _refusal(
                "AvailabilityZoneNotSupported", f"Zone '{zone}' of pool '{name}' is not supported in '{region}'."
            )


def _confidential(request: Request, pool: View, name: str, size: Size) -> None:
    feature = _feature(name, size)
    os_sku = pool["osSKU"]
    if os_sku is not None and os_sku not in feature.os_skus:
        allowed = ", ".join(feature.os_skus)
        raise _refusal(
            "InvalidParameter", f"OS SKU '{os_sku}' of pool '{name}' has no confidential image: {allowed} have."
        )
    excluded = {
        "FIPS": pool["enableFIPS"] is True,
        "Trusted Launch": any(pool[f"securityProfile.{setting}"] is True for setting in _TRUSTED_LAUNCH),
        "Pod Sandboxing": pool["workloadRuntime"] == "KataVmIsolation",
        "Node auto-provisioning": _of_cluster(request)["nodeProvisioningProfile.mode"] == "Auto",
    }
    for what, wanted in excluded.items():
        if wanted:
            raise _refusal("InvalidParameter", f"{what} is not supported with the confidential VM size '{size.name}'.")
    if size.gpu and pool["gpuProfile.driver"] != "None":
        raise _refusal(
            "InvalidParameter",
            f"'gpuProfile.driver' of pool '{name}' must be 'None': AKS installs no driver for the confidential GPU of"
            f" '{size.name}'.",
        )


def _feature(name: str, size: Size) -> catalog.ClusterFeature:
    """What the catalogue says of nodes of this size. Raises `CloudError` for one that AKS has no nodes of."""
    facts = catalog.load()
    features = [facts.cluster_features(CLOUD)[id_] for id_ in _FEATURES]
    if not any(size.tee in feature.tees for feature in features):
        raise compute_rules.unsupported_size(size.name, None)
    family = facts.machine_type(CLOUD, size.name).family
    for feature in features:
        if family in feature.families:
            return feature
    raise _refusal(
        "InvalidParameter", f"The VM size '{size.name}' of pool '{name}' is not supported for confidential pools."
    )


def _of_cluster(request: Request) -> View:
    """The inputs of the cluster that has the requested pool, or is requested with it."""
    found = request.session.lookup(request.parent, preview=request.preview)
    return View(found.inputs) if found and found.kind == CLUSTER else request.inputs
