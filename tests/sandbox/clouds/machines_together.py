"""Scale sets, clusters and policy assignments as a program would ask for them; `a__b` stands for the path `a.b`."""

from typing import Any

from sandbox.provider import Properties
from sandbox.values import Value
from tests.sandbox.clouds.region import GROUP, IDENTITY, IMAGE, LOCATION, SUBNET, VAULT, VNET, in_group

ORDINARY_DES = f"{GROUP}/providers/Microsoft.Compute/diskEncryptionSets/nodes"
CONTROL_PLANES = f"{VNET}/subnets/control-planes"
REGISTRY = f"{GROUP}/providers/Microsoft.ContainerRegistry/registries/images1"
DEFINITIONS = "/providers/Microsoft.Authorization/policyDefinitions"
LOCATIONS = f"{DEFINITIONS}/e56962a6-4747-49cd-b67b-bf8b01975c4c"
GROUP_LOCATIONS = f"{DEFINITIONS}/e765b5de-1225-4ba3-bd56-1ac6695af988"
SIZES = f"{DEFINITIONS}/cccc23c7-8427-4f53-ad12-b6a63eb452b3"
_DISK = "virtualMachineProfile__storageProfile__osDisk__managedDisk__securityProfile__securityEncryptionType"


def changed(inputs: Properties, changes: dict[str, Value]) -> Properties:
    """`inputs` with other values at some paths; None removes what is there."""
    for path, value in changes.items():
        *steps, last = path.split("__")
        place: Any = inputs
        for step in steps:
            place = place[int(step)] if step.isdigit() else place.setdefault(step, {})
        if value is None:
            place.pop(last, None)
        else:
            place[last] = value
    return inputs


def scale_set(**changes: Value) -> Properties:
    """Three confidential machines."""
    inputs = in_group(
        vmScaleSetName="batch",
        zones=["1", "2"],
        zoneBalance=True,
        orchestrationMode="Uniform",
        singlePlacementGroup=False,
        sku={"name": "Standard_DC4as_v5", "capacity": 3},
        upgradePolicy={"mode": "Manual"},
        identity={"type": "UserAssigned", "userAssignedIdentities": [IDENTITY]},
        virtualMachineProfile={
            "securityProfile": {
                "securityType": "ConfidentialVM",
                "uefiSettings": {"secureBootEnabled": True, "vTpmEnabled": True},
            },
            "storageProfile": {
                "imageReference": {"id": IMAGE},
                "osDisk": {"createOption": "FromImage", "managedDisk": {}},
            },
            "networkProfile": {
                "networkInterfaceConfigurations": [
                    {
                        "name": "nic",
                        "primary": True,
                        "ipConfigurations": [{"name": "private", "subnet": {"id": SUBNET}}],
                    }
                ]
            },
        },
    )
    return changed(inputs, {_DISK: "VMGuestStateOnly", **changes})


def registry(**changes: Value) -> Properties:
    inputs = in_group(registryName="images1", sku={"name": "Premium"}, publicNetworkAccess="Disabled")
    return changed(inputs, changes)


def node_encryption() -> Properties:
    """A disk encryption set of the ordinary kind."""
    return in_group(
        diskEncryptionSetName="nodes",
        encryptionType="EncryptionAtRestWithCustomerKey",
        identity={"type": "UserAssigned", "userAssignedIdentities": [IDENTITY]},
        activeKey={"keyUrl": "https://kv-test-1.vault.azure.net/keys/os-disk/1", "sourceVault": {"id": VAULT}},
    )


def control_planes() -> Properties:
    """A subnet that is AKS's."""
    return {
        "resourceGroupName": "rg",
        "virtualNetworkName": "vnet",
        "subnetName": "control-planes",
        "addressPrefix": "10.20.9.0/28",
        "delegations": [{"name": "aks", "serviceName": "Microsoft.ContainerService/managedClusters"}],
    }


def cluster(**changes: Value) -> Properties:
    """A private cluster without a way out, of confidential nodes."""
    inputs = in_group(
        resourceName="serving",
        dnsPrefix="serving",
        identity={"type": "UserAssigned", "userAssignedIdentities": [IDENTITY]},
        agentPoolProfiles=[
            {
                "name": "system",
                "mode": "System",
                "count": 2,
                "vmSize": "Standard_DC4as_v5",
                "osSKU": "AzureLinux3",
                "vnetSubnetID": SUBNET,
            }
        ],
        apiServerAccessProfile={
            "enablePrivateCluster": True,
            "privateDNSZone": "system",
            "enableVnetIntegration": True,
            "subnetId": CONTROL_PLANES,
        },
        bootstrapProfile={"artifactSource": "Cache", "containerRegistryId": REGISTRY},
        networkProfile={"outboundType": "none"},
        aadProfile={"managed": True, "enableAzureRBAC": True},
        disableLocalAccounts=True,
        diskEncryptionSetID=ORDINARY_DES,
        oidcIssuerProfile={"enabled": True},
        securityProfile={
            "workloadIdentity": {"enabled": True},
            "azureKeyVaultKms": {
                "enabled": True,
                "keyId": "https://kv-test-1.vault.azure.net/keys/etcd/1",
                "keyVaultNetworkAccess": "Private",
                "keyVaultResourceId": VAULT,
            },
        },
    )
    return changed(inputs, changes)


def pool(**changes: Value) -> Properties:
    """A pool of confidential nodes in that cluster."""
    inputs: Properties = {
        "resourceGroupName": "rg",
        "resourceName": "serving",
        "agentPoolName": "workers",
        "mode": "User",
        "count": 3,
        "vmSize": "Standard_DC4as_v5",
        "osSKU": "AzureLinux3",
        "vnetSubnetID": SUBNET,
    }
    return changed(inputs, changes)


def policy(definition: str, parameter: str, *values: str, scope: str = GROUP, **more: Value) -> Properties:
    """An assignment of a built-in definition."""
    return {
        "scope": scope,
        "policyAssignmentName": "guard",
        "policyDefinitionId": definition,
        "parameters": {parameter: {"value": list(values)}},
        **more,
    }


def parts() -> list[tuple[str, str, Properties]]:
    """Everything here, in an order in which a program would create it."""
    return [
        ("compute:VirtualMachineScaleSet", "batch", scale_set()),
        ("containerregistry:Registry", "images", registry()),
        ("compute:DiskEncryptionSet", "nodes", node_encryption()),
        ("network:Subnet", "control-planes", control_planes()),
        ("containerservice:ManagedCluster", "serving", cluster()),
        ("containerservice:AgentPool", "workers", pool()),
        (
            "authorization:PolicyAssignment",
            "policy",
            policy(LOCATIONS, "listOfAllowedLocations", LOCATION) | {"policyAssignmentName": "locations"},
        ),
    ]
