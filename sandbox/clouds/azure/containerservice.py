"""Microsoft.ContainerService: managed clusters and their node pools."""

import hashlib

from sandbox.clouds.azure import arm, core_quota
from sandbox.clouds.azure import containerservice_rules as rules
from sandbox.clouds.azure.compute import ENCRYPTION_SET, identity_of
from sandbox.clouds.azure.containerregistry import REGISTRY
from sandbox.clouds.azure.containerservice_rules import CLUSTER
from sandbox.clouds.azure.keyvault import VAULT
from sandbox.clouds.azure.managedidentity import IDENTITY
from sandbox.clouds.azure.network import SUBNET
from sandbox.clouds.resource import Reference, Request, ResourceType, constant
from sandbox.values import Value

POOL = f"{CLUSTER}/agentPools"
DEFAULT_VERSION = "1.34.2"
_IMAGES = {"AzureLinux": "AKSAzureLinux-V3gen2", "AzureLinux3": "AKSAzureLinux-V3gen2"}
"""The images of nodes by OS SKU; any other's is Ubuntu's."""


def _location(request: Request) -> str:
    return arm.normal_location(request.inputs.text("location"))


def _version(request: Request) -> Value:
    return request.inputs["kubernetesVersion"] or DEFAULT_VERSION


def _host(request: Request) -> str:
    """The first label of the control plane's name: the prefix and eight digits that the cluster keeps."""
    digits = hashlib.sha256(request.id.lower().encode()).hexdigest()[:8]
    return f"{request.inputs.text('dnsPrefix') or request.inputs.text('fqdnSubdomain')}-{digits}"


def _private_name(request: Request) -> Value:
    if request.inputs["apiServerAccessProfile.enablePrivateCluster"] is not True:
        return None
    return f"{_host(request)}.private.{_location(request)}.azmk8s.io"


def _public_name(request: Request) -> Value:
    private = request.inputs["apiServerAccessProfile.enablePrivateCluster"] is True
    if private and request.inputs["apiServerAccessProfile.enablePrivateClusterPublicFQDN"] is False:
        return None
    return f"{_host(request)}.hcp.{_location(request)}.azmk8s.io"


def _issuer(request: Request) -> Value:
    if request.inputs["oidcIssuerProfile.enabled"] is not True:
        return {"enabled": False}
    tenant = arm.account_of(request).tenant_id
    token = hashlib.sha256(f"issuer {request.id.lower()}".encode()).hexdigest()[:32]
    return {"enabled": True, "issuerURL": f"https://{_location(request)}.oic.prod-aks.azure.com/{tenant}/{token}/"}


def _node_group(request: Request) -> Value:
    group = f"MC_{request.inputs.text('resourceGroupName')}_{request.name}_{_location(request)}"
    return request.inputs["nodeResourceGroup"] or group[:80]


def _image(request: Request) -> Value:
    return f"{_IMAGES.get(request.inputs.text('osSKU'), 'AKSUbuntu-2404gen2CVMcontainerd')}-202611.12.0"


_NAME = arm.name_matches(
    r"[A-Za-z0-9](?:[\w-]{0,61}[A-Za-z0-9])?",
    "InvalidParameter",
    "The value '{name}' of parameter 'resourceName' is invalid: it must have 1 to 63 letters, digits, '_' and '-', and"
    " begin and end with a letter or digit.",
)

TYPES = (
    ResourceType(
        pulumi_type="azure-native:containerservice:ManagedCluster",
        kind=CLUSTER,
        identify=arm.in_group(CLUSTER, "resourceName"),
        name_property="resourceName",
        replace_on=(
            "resourceGroupName", "resourceName", "location", "dnsPrefix", "fqdnSubdomain", "nodeResourceGroup",
            "diskEncryptionSetID", "apiServerAccessProfile.enablePrivateCluster", "networkProfile.podCidr",
            "networkProfile.serviceCidr", "networkProfile.dnsServiceIP",
        ),
        references=(
            Reference("agentPoolProfiles[].vnetSubnetID", (SUBNET,)),
            Reference("apiServerAccessProfile.subnetId", (SUBNET,)),
            Reference("diskEncryptionSetID", (ENCRYPTION_SET,), same_location=True),
            Reference("bootstrapProfile.containerRegistryId", (REGISTRY,)),
            Reference("securityProfile.azureKeyVaultKms.keyVaultResourceId", (VAULT,)),
            Reference("identity.userAssignedIdentities[]", (IDENTITY,)),
            Reference("identityProfile.kubeletidentity.resourceId", (IDENTITY,)),
        ),
        checks=(
            _NAME,
            rules.dns,
            rules.pools,
            rules.private_control_plane,
            rules.control_plane_subnet,
            rules.accounts,
            rules.workload_identity,
            rules.secrets_key,
            rules.way_out,
            rules.node_disks,
            core_quota.nodes_within,
        ),
        outputs={
            "identity": identity_of,
            "fqdn": _public_name,
            "privateFQDN": _private_name,
            "oidcIssuerProfile": _issuer,
            "nodeResourceGroup": _node_group,
            "kubernetesVersion": _version,
            "currentKubernetesVersion": _version,
            "maxAgentPools": constant(100),
            "powerState": constant({"code": "Running"}),
        },
    ),
    ResourceType(
        pulumi_type="azure-native:containerservice:AgentPool",
        kind=POOL,
        identify=arm.in_group(POOL, "resourceName", "agentPoolName"),
        name_property="agentPoolName",
        naming="copy",
        located="none",
        replace_on=(
            "resourceGroupName", "resourceName", "agentPoolName", "vmSize", "osSKU", "osType", "vnetSubnetID",
            "availabilityZones", "osDiskSizeGB", "osDiskType", "enableNodePublicIP", "enableFIPS",
        ),
        references=(Reference("vnetSubnetID", (SUBNET,)),),
        checks=(rules.pool, core_quota.nodes_within),
        outputs={
            "currentOrchestratorVersion": lambda request: request.inputs["orchestratorVersion"] or DEFAULT_VERSION,
            "nodeImageVersion": _image,
        },
    ),
)  # fmt: skip
