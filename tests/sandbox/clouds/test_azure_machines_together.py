"""Scale sets, clusters and Azure Policy: what Azure refuses, and what it answers."""

from collections.abc import Callable

import pytest

from sandbox.provider import Properties, ProviderError
from sandbox.values import Value
from tests.sandbox.clouds.machines_together import (
    CONTROL_PLANES,
    DEFINITIONS,
    GROUP_LOCATIONS,
    LOCATIONS,
    SIZES,
    cluster,
    control_planes,
    node_encryption,
    policy,
    pool,
    registry,
    scale_set,
)
from tests.sandbox.clouds.region import (
    DES,
    IDENTITY,
    LOCATION,
    SUBNET,
    SUBSCRIPTION,
    Bench,
    machine,
    urn,
)
from tests.sandbox.clouds.test_azure_refusals import Mistake, make

_DISK = "virtualMachineProfile__storageProfile__osDisk__managedDisk__securityProfile__securityEncryptionType"
_DISK_KEY = "virtualMachineProfile__storageProfile__osDisk__managedDisk__securityProfile__diskEncryptionSet"
_NICS = "virtualMachineProfile__networkProfile__networkInterfaceConfigurations"
_KMS = "securityProfile__azureKeyVaultKms"


def group(**changes: Value) -> Callable[[Bench], object]:
    return make("compute:VirtualMachineScaleSet", scale_set(**changes))


def _standing(bench: Bench) -> None:
    """What a cluster needs."""
    bench.create("containerregistry:Registry", "images", registry())
    bench.create("compute:DiskEncryptionSet", "nodes", node_encryption())
    bench.create("network:Subnet", "control-planes", control_planes())


def aks(**changes: Value) -> Callable[[Bench], object]:
    def act(bench: Bench) -> None:
        _standing(bench)
        bench.create("containerservice:ManagedCluster", "mistake", cluster(**changes))

    return act


def nodes(**changes: Value) -> Callable[[Bench], object]:
    def act(bench: Bench) -> None:
        _standing(bench)
        bench.create("containerservice:ManagedCluster", "serving", cluster())
        bench.create("containerservice:AgentPool", "mistake", pool(**changes))

    return act


def assign(inputs: Properties) -> Callable[[Bench], object]:
    return make("authorization:PolicyAssignment", inputs)


def under(assignment: Properties, pulumi_type: str, inputs: Properties) -> Callable[[Bench], object]:
    """Something made where a policy forbids it."""

    def act(bench: Bench) -> None:
        bench.create("authorization:PolicyAssignment", "guard", assignment)
        bench.create(pulumi_type, "mistake", inputs)

    return act


_HERE = policy(LOCATIONS, "listOfAllowedLocations", LOCATION)
_SMALL = policy(SIZES, "listOfAllowedSKUs", "Standard_DC2as_v5")
_GROUPS = policy(GROUP_LOCATIONS, "listOfAllowedLocations", LOCATION, scope=SUBSCRIPTION)
_ELSEWHERE = {"resourceGroupName": "rg", "resourceName": "abroad", "location": "northeurope"}

_H100 = {"vmSize": "Standard_NCC40ads_H100_v5", "osSKU": "Ubuntu", "gpuProfile": {"driver": "None"}}

MISTAKES = [
    Mistake("confidential disks in a set", group(**{_DISK: "DiskWithVMGuestState"}),
            "BadRequest", "is not supported for Virtual Machine Scale Sets. Supported values are: 'VMGuestStateOnly'"),
    Mistake("customer's key in a set", group(**{_DISK: "DiskWithVMGuestState", _DISK_KEY: {"id": DES}}),
            "BadRequest", "Sets do not allow setting managedDisk.securityProfile.diskEncryptionSet."),
    Mistake("no disk security in a set", group(**{_DISK: None}),
            "BadRequest", "'managedDisk.securityProfile.securityEncryptionType' is missing"),
    Mistake("ordinary size in a confidential set", group(sku__name="Standard_D4s_v5"),
            "BadRequest", "The VM size 'Standard_D4s_v5' is not supported for creation of VMs"),
    Mistake("size not offered in a set", group(sku__name="Standard_DC4es_v6"), "SkuNotAvailable", "Standard_DC4es_v6"),
    Mistake("set without capacity", group(sku__capacity=None), "InvalidParameter", "'sku.capacity' is missing"),
    Mistake("large set in one placement group", group(sku__capacity=101, singlePlacementGroup=True),
            "InvalidParameter", "Set 'singlePlacementGroup' to false"),
    Mistake("uniform set without upgrade mode", group(upgradePolicy=None),
            "InvalidParameter", "'upgradePolicy.mode' is missing"),
    Mistake("set in a zone that is not", group(zones=["7"]), "InvalidAvailabilityZone", "'7'"),
    Mistake("balance without zones", group(zones=None), "InvalidParameter", "'zoneBalance' is allowed only where"),
    Mistake("set without interface", group(**{_NICS: []}), "InvalidParameter", "networkInterfaceConfigurations' is"),
    Mistake("interface of a set without subnet", group(**{f"{_NICS}__0__ipConfigurations__0__subnet": None}),
            "SubnetMissingInIpConfiguration", "private"),
    Mistake("set in a subnet that is not", group(**{f"{_NICS}__0__ipConfigurations__0__subnet__id": f"{SUBNET}x"}),
            "InvalidResourceReference", "was not found"),
    Mistake("user data of a set", group(virtualMachineProfile__userData="not base64!"), "InvalidParameter", "Base64"),
    Mistake("private basic registry", make("containerregistry:Registry", registry(sku__name="Basic")),
            "NetworkRuleSetNotSupported", "needs the SKU 'Premium', not 'Basic'"),
    Mistake("registry name", make("containerregistry:Registry", registry(registryName="my-images")),
            "InvalidResourceName", "5 to 50 letters and digits"),
    Mistake("cluster without system pool", aks(agentPoolProfiles__0__mode="User"),
            "InvalidParameter", "at least one agent pool with mode 'System'"),
    Mistake("cluster without dns prefix", aks(dnsPrefix=None), "InvalidParameter", "'dnsPrefix' is missing"),
    Mistake("ranges of a private cluster", aks(apiServerAccessProfile__authorizedIPRanges=["203.0.113.0/24"]),
            "PrivateClusterAuthorizedIPRangesNotSupported", "Authorized IP ranges cannot be used"),
    Mistake("zone of a public cluster", aks(apiServerAccessProfile__enablePrivateCluster=False),
            "InvalidParameter", "'privateDNSZone' is allowed only for private clusters"),
    Mistake("no accounts at all", aks(aadProfile=None), "DisableLocalAccountsNotSupported", "Microsoft Entra ID"),
    Mistake("workload identity without issuer", aks(oidcIssuerProfile=None),
            "InvalidParameter", "Workload identity needs 'oidcIssuerProfile.enabled'"),
    Mistake("secrets key without version", aks(**{f"{_KMS}__keyId": "https://kv-test-1.vault.azure.net/keys/etcd"}),
            "InvalidParameter", "is no key with a version"),
    Mistake("secrets key without vault", aks(**{f"{_KMS}__keyVaultResourceId": None}),
            "BadRequest", "KeyVault resource ID is empty when KeyVault network access is Private."),
    Mistake("secrets key without identity", aks(identity={"type": "SystemAssigned"}),
            "InvalidParameter", "needs a cluster with a user-assigned identity"),
    Mistake("secrets key that cannot be reached", aks(apiServerAccessProfile__enableVnetIntegration=False),
            "InvalidParameter", "private key vault is supported only with API Server VNet Integration"),
    Mistake("control plane among nodes", aks(apiServerAccessProfile__subnetId=SUBNET),
            "InvalidParameter", "is not delegated to 'Microsoft.ContainerService/managedClusters'"),
    Mistake("nodes among control planes", nodes(vnetSubnetID=CONTROL_PLANES),
            "InvalidParameter", "of pool 'workers' is delegated to 'Microsoft.ContainerService/managedClusters'"),
    Mistake("no way out and no cache", aks(bootstrapProfile=None),
            "InvalidParameter", "'bootstrapProfile.artifactSource' to be 'Cache'"),
    Mistake("routes that are not", aks(networkProfile__outboundType="userDefinedRouting"),
            "ExistingRouteTableNotAssociatedWithSubnet", "pool 'system'"),
    Mistake("confidential set for nodes", aks(diskEncryptionSetID=DES),
            "InvalidParameter", "which only the OS disk of a single Confidential VM takes"),
    Mistake("registry that is not", lambda bench: bench.create("containerservice:ManagedCluster", "c", cluster()),
            "InvalidResourceReference", "was not found"),
    Mistake("pool name", nodes(agentPoolName="Confidential-1"), "InvalidParameter", "1 to 12 lower-case letters"),
    Mistake("v6 nodes", nodes(vmSize="Standard_DC4as_v6"), "InvalidParameter", "not supported for confidential pools"),
    Mistake("nodes of no size", nodes(vmSize="Standard_DC4as_v55"), "InvalidParameter", "for the VM size is not valid"),
    Mistake("nodes not offered", nodes(**_H100), "SkuNotAvailable", "Standard_NCC40ads_H100_v5"),
    Mistake("TDX nodes", nodes(vmSize="Standard_DC2es_v6"), "BadRequest",
            "The VM size 'Standard_DC2es_v6' is not supported for creation of VMs and Virtual Machine Scale Set with"
            " '<NULL>' security type."),
    Mistake("driver of AKS's own", nodes(**_H100 | {"gpuProfile": None}),
            "InvalidParameter", "'gpuProfile.driver' of pool 'workers' must be 'None'"),
    Mistake("H100 on Azure Linux", nodes(**_H100 | {"osSKU": "AzureLinux3"}),
            "InvalidParameter", "has no confidential image"),
    Mistake("nodes that come by themselves", aks(nodeProvisioningProfile={"mode": "Auto"}),
            "InvalidParameter", "Node auto-provisioning is not supported with the confidential VM size"),
    Mistake("confidential Ubuntu 22.04", nodes(osSKU="Ubuntu2204"), "InvalidParameter", "has no confidential image"),
    Mistake("confidential FIPS", nodes(enableFIPS=True), "InvalidParameter", "FIPS is not supported"),
    Mistake("confidential Trusted Launch", nodes(securityProfile={"enableSecureBoot": True}),
            "InvalidParameter", "Trusted Launch is not supported"),
    Mistake("confidential sandboxing", nodes(workloadRuntime="KataVmIsolation"),
            "InvalidParameter", "Pod Sandboxing is not supported"),
    Mistake("no system nodes", nodes(mode="System", count=0), "InvalidParameter", "is not between 1 and 1000"),
    Mistake("nodes in a zone that is not", nodes(availabilityZones=["4"]), "AvailabilityZoneNotSupported", "'4'"),
    Mistake("pool without cluster", make("containerservice:AgentPool", pool()), "ParentResourceNotFound", "serving"),
    Mistake("policy that is not", assign(policy(f"{DEFINITIONS}/11111111-2222-3333-4444-555555555555", "a")),
            "PolicyDefinitionNotFound", "11111111-2222-3333-4444-555555555555"),
    Mistake("policy without its parameter", assign(policy(LOCATIONS, "listOfAllowedLocations") | {"parameters": {}}),
            "MissingPolicyParameter", "'listOfAllowedLocations'"),
    Mistake("policy with another parameter", assign(policy(LOCATIONS, "listOfAllowedLocations") | {
            "parameters": {"listOfAllowedLocations": {"value": []}, "regions": {"value": []}}}),
            "UndefinedPolicyParameter", "'regions'"),
    Mistake("guarded location", under(_HERE, "managedidentity:UserAssignedIdentity", _ELSEWHERE),
            "RequestDisallowedByPolicy", "Resource 'abroad' was disallowed by policy."),
    Mistake("guarded size", under(_SMALL, "compute:VirtualMachine", machine()),
            "RequestDisallowedByPolicy", "Resource 'inference' was disallowed by policy."),
    Mistake("guarded groups", under(_GROUPS, "resources:ResourceGroup",
            {"resourceGroupName": "abroad", "location": "northeurope"}),
            "RequestDisallowedByPolicy", "Resource 'abroad' was disallowed by policy."),
]  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_refused_with_azures_code_and_wording(bench: Bench, mistake: Mistake) -> None:
    bench.region()
    with pytest.raises(ProviderError) as refusal:
        mistake.act(bench)
    assert str(refusal.value).startswith(f"{mistake.code}: "), refusal.value
    assert mistake.text in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_policy_that_is_not_enforced_or_is_elsewhere_forbids_nothing(bench: Bench) -> None:
    bench.region()
    bench.create("resources:ResourceGroup", "other", {"resourceGroupName": "rg2", "location": "northeurope"})
    bench.create("authorization:PolicyAssignment", "off", _SMALL | {"enforcementMode": "DoNotEnforce"})
    bench.create("compute:VirtualMachine", "vm", machine())
    bench.create("authorization:PolicyAssignment", "here", _HERE | {"policyAssignmentName": "here"})
    bench.create("managedidentity:UserAssignedIdentity", "there", _ELSEWHERE | {"resourceGroupName": "rg2"})


def test_a_preview_goes_by_the_policy_as_it_is_to_be(bench: Bench) -> None:
    bench.region()
    guard = bench.create("authorization:PolicyAssignment", "guard", _SMALL)
    wider = policy(SIZES, "listOfAllowedSKUs", "Standard_DC2as_v5", "Standard_DC4as_v5")
    bench.cloud.update(urn("authorization:PolicyAssignment", "guard"), guard.id, _SMALL, wider, preview=True)
    bench.create("compute:VirtualMachine", "vm", machine(), preview=True)


def test_a_global_resource_is_exempt_from_allowed_locations(bench: Bench) -> None:
    bench.region()
    bench.create("authorization:PolicyAssignment", "here", _HERE)
    zone = {"resourceGroupName": "rg", "location": "Global", "privateZoneName": "test.internal"}
    bench.create("privatedns:PrivateZone", "zone", zone)


def test_a_private_cluster_answers_with_a_private_name_and_its_issuer(bench: Bench) -> None:
    bench.region()
    _standing(bench)
    closed = cluster(apiServerAccessProfile__enablePrivateClusterPublicFQDN=False)
    made = bench.create("containerservice:ManagedCluster", "serving", closed).outputs
    assert made["privateFQDN"].endswith(f".private.{LOCATION}.azmk8s.io")
    assert "fqdn" not in made
    assert made["oidcIssuerProfile"]["issuerURL"].startswith(f"https://{LOCATION}.oic.prod-aks.azure.com/")
    assert made["nodeResourceGroup"] == f"MC_rg_serving_{LOCATION}"
    assert list(made["identity"]["userAssignedIdentities"]) == [IDENTITY]


def test_another_node_size_means_another_pool(bench: Bench) -> None:
    olds, news = pool(), pool(vmSize="Standard_DC8as_v5")
    difference = bench.cloud.diff(urn("containerservice:AgentPool", "workers"), "id", olds, {}, news)
    assert difference.replaces == ("vmSize",)


def test_a_set_keeps_its_machines_confidential_for_life(bench: Bench) -> None:
    olds, news = scale_set(), scale_set(virtualMachineProfile__securityProfile__securityType="TrustedLaunch")
    difference = bench.cloud.diff(urn("compute:VirtualMachineScaleSet", "batch"), "id", olds, {}, news)
    assert difference.replaces == ("virtualMachineProfile.securityProfile.securityType",)
    more = bench.cloud.diff(urn("compute:VirtualMachineScaleSet", "batch"), "id", olds, {}, scale_set(sku__capacity=4))
    assert more.replaces == ()


def test_cores_are_granted_by_region_and_family(bench: Bench) -> None:
    bench.region()
    bench.create("compute:VirtualMachine", "vm", machine())
    with pytest.raises(ProviderError) as refusal:
        bench.create("compute:VirtualMachineScaleSet", "batch", scale_set(sku__capacity=50))
    assert str(refusal.value) == (
        "OperationNotAllowed: Operation could not be completed as it results in exceeding approved standardDCASv5Family"
        f" Cores quota. Additional details - Deployment Model: Resource Manager, Location: {LOCATION}, Current Limit:"
        " 200, Current Usage: 4, Additional Required: 200, (Minimum) New Limit Required: 204."
    )
    made = bench.create("compute:VirtualMachineScaleSet", "batch", scale_set(sku__capacity=49))
    with pytest.raises(ProviderError, match="Current Usage: 4, Additional Required: 240"):
        bench.cloud.update(
            urn("compute:VirtualMachineScaleSet", "batch"), made.id, {}, scale_set(sku__capacity=60), preview=False
        )


def test_nodes_have_cores_too(bench: Bench) -> None:
    bench.region()
    _standing(bench)
    bench.create("containerservice:ManagedCluster", "serving", cluster())
    bench.create("containerservice:AgentPool", "workers", pool())
    with pytest.raises(ProviderError) as refusal:
        bench.create("containerservice:AgentPool", "more", pool(agentPoolName="more", count=46))
    assert str(refusal.value) == (
        "ErrCode_InsufficientVCPUQuota: Insufficient vcpu quota requested 184, remaining 180 for family"
        f" standardDCASv5Family for region {LOCATION}."
    )
    bench.create("containerservice:AgentPool", "more", pool(agentPoolName="more", count=45))
    with pytest.raises(ProviderError, match="Current Usage: 200, Additional Required: 4"):
        bench.create("compute:VirtualMachine", "vm", machine())


def test_the_machines_of_a_set_boot_and_follow_its_capacity(bench: Bench) -> None:
    bench.region()
    kind, inputs = urn("compute:VirtualMachineScaleSet", "batch"), scale_set()
    made = bench.create("compute:VirtualMachineScaleSet", "batch", inputs)
    first = list(bench.hardware.booted)
    assert [(each.name, each.zone, each.tee) for each in first] == [
        ("batch_0", "1", "snp"),
        ("batch_1", "2", "snp"),
        ("batch_2", "1", "snp"),
    ]
    assert len({each.private_ip for each in first}) == 3
    bench.cloud.update(kind, made.id, inputs, scale_set(sku__capacity=1), preview=False)
    assert sorted(bench.hardware.stopped) == [each.id for each in first[1:]]
    bench.cloud.update(kind, made.id, inputs, scale_set(sku__capacity=2), preview=False)
    assert [each.name for each in bench.hardware.booted[3:]] == ["batch_1"]
    bench.cloud.delete(kind, made.id, {})
    assert first[0].id in bench.hardware.stopped
