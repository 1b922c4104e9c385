"""What Azure refuses, the emulated Azure refuses, with Azure's code and wording."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from sandbox.provider import Properties, ProviderError
from sandbox.values import Value
from tests.sandbox.clouds.region import (
    DES,
    GROUP,
    NIC,
    POLICY,
    SUBNET,
    SUBSCRIPTION,
    VAULT,
    VNET,
    Bench,
    encoded,
    encryption_set,
    in_group,
    interface,
    key,
    machine,
    network_id,
    urn,
)

ZERO = "00000000-0000-0000-0000-000000000000"
OTHER_GUID = "11111111-2222-3333-4444-555555555555"


@dataclass(frozen=True)
class Mistake:
    """`act` is the mistake, made in a region that stands; the error begins with `code` and contains `text`."""

    name: str
    act: Callable[[Bench], object]
    code: str
    text: str


def make(pulumi_type: str, inputs: Properties) -> Callable[[Bench], object]:
    return lambda bench: bench.create(pulumi_type, "mistake", inputs)


def delete(pulumi_type: str, object_id: str) -> Callable[[Bench], object]:
    return lambda bench: bench.cloud.delete(urn(pulumi_type, "any"), object_id, {})


def vm(**changes: Value) -> Callable[[Bench], object]:
    return make("compute:VirtualMachine", machine(**changes))


def subnet(name: str, prefix: str, network: str = "vnet") -> Properties:
    return {
        "resourceGroupName": "rg",
        "virtualNetworkName": network,
        "subnetName": name,
        "addressPrefix": prefix,
    }


def network(name: str, *prefixes: str, **more: Value) -> Properties:
    return in_group(virtualNetworkName=name, addressSpace={"addressPrefixes": list(prefixes)}, **more)


def vault(name: str, **properties: Value) -> Properties:
    sku = {"family": "A", "name": "premium"}
    return in_group(vaultName=name, properties={"tenantId": ZERO, "sku": sku, **properties})


def account(name: str, **more: Value) -> Properties:
    return in_group(accountName=name, kind="StorageV2", sku={"name": "Standard_ZRS"}, **more)


def retention(state: str, days: int) -> Value:
    policy = {"state": state, "immutabilityPeriodSinceCreationInDays": days}
    return {"enabled": True, "immutabilityPolicy": policy}


def assignment(principal: str, scope: str = GROUP, **more: Value) -> Properties:
    role = f"{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{OTHER_GUID}"
    return {"scope": scope, "roleDefinitionId": role, "principalId": principal, **more}


def rule(name: str, **more: Value) -> Value:
    return {
        "name": name,
        "access": "Deny",
        "direction": "Inbound",
        "priority": 4000,
        "protocol": "*",
        "sourceAddressPrefix": "*",
        "sourcePortRange": "*",
        "destinationAddressPrefix": "*",
        "destinationPortRange": "*",
        **more,
    }


def rules(*listed: Value) -> Callable[[Bench], object]:
    return make("network:NetworkSecurityGroup", in_group(networkSecurityGroupName="other", securityRules=list(listed)))


def lock_then_reduce(bench: Bench) -> None:
    name, urn_ = "storage:StorageAccount", urn("storage:StorageAccount", "audit")
    created = bench.create(
        name, "audit", account("auditlog1", immutableStorageWithVersioning=retention("Unlocked", 365))
    )
    locked = account("auditlog1", immutableStorageWithVersioning=retention("Locked", 365))
    bench.cloud.update(urn_, created.id, {}, locked, preview=False)
    reduced = account("auditlog1", immutableStorageWithVersioning=retention("Locked", 200))
    bench.cloud.update(urn_, created.id, locked, reduced, preview=False)


def turn_off_purge_protection(bench: Bench) -> None:
    with_it = vault("kv-test-1", enablePurgeProtection=True, softDeleteRetentionInDays=90)
    without = vault("kv-test-1", softDeleteRetentionInDays=90)
    bench.cloud.update(urn("keyvault:Vault", "vault"), VAULT, with_it, without, preview=False)


def two_machines_on_one_interface(bench: Bench) -> None:
    bench.create("compute:VirtualMachine", "one", machine())
    bench.create("compute:VirtualMachine", "two", machine(vmName="other"))


def same_assignment_twice(bench: Bench) -> None:
    for name in ("one", "two"):
        bench.create("authorization:RoleAssignment", name, assignment(OTHER_GUID))


def assign_to_client_id(bench: Bench) -> None:
    created = bench.create("managedidentity:UserAssignedIdentity", "other", in_group(resourceName="other"))
    bench.create("authorization:RoleAssignment", "wrong", assignment(created.outputs["clientId"]))


def delete_locked(bench: Bench) -> None:
    bench.create(
        "authorization:ManagementLockByScope", "lock", {"scope": VAULT, "lockName": "l", "level": "CanNotDelete"}
    )
    bench.cloud.delete(urn("keyvault:Vault", "vault"), VAULT, {})


def vault_over_a_deleted_one(bench: Bench) -> None:
    bench.cloud.delete(urn("keyvault:Vault", "vault"), VAULT, {})
    bench.create("keyvault:Vault", "again", vault("kv-test-1", createMode="default"))


def zone_with_link(bench: Bench) -> None:
    zone = {"resourceGroupName": "rg", "location": "Global", "privateZoneName": "test.internal"}
    created = bench.create("privatedns:PrivateZone", "zone", zone)
    link = {**zone, "virtualNetworkLinkName": "link", "virtualNetwork": {"id": VNET}, "registrationEnabled": False}
    bench.create("privatedns:VirtualNetworkLink", "link", link)
    bench.cloud.delete(urn("privatedns:PrivateZone", "zone"), created.id, {})


def elsewhere(bench: Bench) -> None:
    """An interface in another region than its subnet."""
    bench.create("network:NetworkInterface", "far", interface("far") | {"location": "francecentral"})


MISTAKES = [
    Mistake("group missing", make("network:VirtualNetwork", network("n", "10.0.0.0/8") | {"resourceGroupName": "no"}),
            "ResourceGroupNotFound", "Resource group 'no' could not be found."),
    Mistake("parent missing", make("network:Subnet", subnet("s", "10.20.9.0/24", "nowhere")),
            "ParentResourceNotFound", "parent resource 'Microsoft.Network/virtualNetworks/nowhere'"),
    Mistake("location unknown", make("resources:ResourceGroup", {"resourceGroupName": "g", "location": "mordor"}),
            "LocationNotAvailableForResourceType", "The provided location 'mordor' is not available"),
    Mistake("zone not global", make("privatedns:PrivateZone", in_group(privateZoneName="a.internal")),
            "LocationNotAvailableForResourceType", "List of available regions for the resource type is 'global'"),
    Mistake("same id twice", make("network:VirtualNetwork", network("vnet", "10.0.0.0/8")),
            "Conflict", "cannot create already existing resource"),
    Mistake("too many tags", make("resources:ResourceGroup", {"resourceGroupName": "g", "location": "francecentral",
            "tags": {f"t{number}": "" for number in range(51)}}), "InvalidTagsCount", "51 tags; the limit is 50"),
    Mistake("tag name", make("resources:ResourceGroup", {"resourceGroupName": "g", "location": "francecentral",
            "tags": {"a<b": ""}}), "InvalidTagNameCharacters", "The tag names 'a<b' have reserved characters '<'"),
    Mistake("not an id", make("network:NetworkInterface", interface("n", subnet={"id": "guests"})),
            "LinkedInvalidPropertyId", "Property id 'guests' at path 'properties.ipConfigurations[0].subnet.id'"),
    Mistake("dangling subnet", make("network:NetworkInterface", interface("n", subnet={"id": f"{VNET}/subnets/no"})),
            "InvalidResourceReference", "/subnets/no referenced by resource"),
    Mistake("id of another type", make("network:NetworkInterface", interface("n", subnet={"id": VNET})),
            "InvalidResourceReference", "expected 'Microsoft.Network/virtualNetworks/subnets'"),
    Mistake("real subscription", make("network:NetworkInterface", interface("n", subnet={"id": SUBNET.replace(
            ZERO, OTHER_GUID)})), "SubscriptionNotFound", f"The subscription '{OTHER_GUID}' could not be found."),
    Mistake("interface in another region", elsewhere,
            "InvalidResourceReference", "both resources are in the same region"),
    Mistake("subnet outside", make("network:Subnet", subnet("s", "192.168.0.0/24")),
            "NetcfgSubnetRangeOutsideVnet", "Subnet 's' is not valid because its IP address range is outside"),
    Mistake("subnets overlap", make("network:Subnet", subnet("s", "10.20.1.128/25")),
            "NetcfgSubnetRangesOverlap", "overlaps with that of an existing subnet in virtual network 'vnet'"),
    Mistake("inline subnet outside", make("network:VirtualNetwork", network("n", "10.0.0.0/16", subnets=[
            {"name": "s", "addressPrefix": "10.1.0.0/24"}])), "NetcfgSubnetRangeOutsideVnet", "Subnet 's'"),
    Mistake("no CIDR", make("network:Subnet", subnet("s", "10.20.2.0/33")),
            "InvalidAddressPrefixFormat", "It should follow CIDR notation, for example 10.0.0.0/24"),
    Mistake("host bits", make("network:Subnet", subnet("s", "10.20.2.1/24")),
            "InvalidCIDRNotation", "the address prefix should be 10.20.2.0/24"),
    Mistake("address spaces overlap", make("network:VirtualNetwork", network("n", "10.0.0.0/8", "10.1.0.0/16")),
            "VnetAddressSpaceOverlapsWithAlreadyExistingAddressSpace", "10.0.0.0/8 and 10.1.0.0/16"),
    Mistake("address outside subnet", make("network:NetworkInterface", interface("n", privateIPAddress="10.20.2.9")),
            "PrivateIPAddressNotInSubnet", "10.20.2.9 does not belong to the range of subnet prefix 10.20.1.0/24"),
    Mistake("address reserved", make("network:NetworkInterface", interface("n", privateIPAddress="10.20.1.1")),
            "PrivateIPAddressInReservedRange", "10.20.1.1 falls within reserved IP range"),
    Mistake("address in use", make("network:NetworkInterface", interface("n", privateIPAddress="10.20.1.4")),
            "PrivateIPAddressIsAllocated", "10.20.1.4 which is already allocated to resource"),
    Mistake("rule priority", rules(rule("r", priority=5)),
            "SecurityRuleInvalidPriority", "Value provided: 5 Allowed range 100-4096"),
    Mistake("rule priority twice", rules(rule("a"), rule("b")),
            "SecurityRuleConflict", "Security rule b conflicts with rule a"),
    Mistake("rule port", rules(rule("r", destinationPortRange="99999")),
            "SecurityRuleInvalidPortRange", "Value provided: 99999"),
    Mistake("rule prefix", rules(rule("r", sourceAddressPrefix="10.0.0.0.0")),
            "SecurityRuleInvalidAddressPrefix", "Value provided: 10.0.0.0.0"),
    Mistake("size unknown", vm(hardwareProfile__vmSize="Standard_DC4as_v9"),
            "InvalidParameter", "The value 'Standard_DC4as_v9' provided for the VM size is not valid"),
    Mistake("size not offered", vm(hardwareProfile__vmSize="Standard_NCC40ads_H100_v5"),
            "SkuNotAvailable", "is currently not available in location 'germanywestcentral'"),
    Mistake("TEE size, ordinary machine", vm(securityProfile=None),
            "BadRequest", "'Standard_DC4as_v5' is not supported for creation of VMs and Virtual Machine Scale Set with"
            " '<NULL>' security type."),
    Mistake("ordinary size, confidential machine", vm(hardwareProfile__vmSize="Standard_D4s_v5"),
            "BadRequest", "with 'ConfidentialVM' security type and managedDisk.securityProfile.securityEncryptionType"),
    Mistake("no encryption type", vm(storageProfile__osDisk__managedDisk__securityProfile=None),
            "BadRequest", "Required parameter for Confidential VMs 'managedDisk.securityProfile.securityEncryptionType'"
            " is missing (null)."),
    Mistake("no vTPM", vm(securityProfile__uefiSettings__vTpmEnabled=False),
            "BadRequest", "'uefiSettings.vTpmEnabled' must be set to true"),
    Mistake("no secure boot", vm(securityProfile__uefiSettings__secureBootEnabled=False),
            "BadRequest", "'uefiSettings.secureBootEnabled' must be set to true"),
    Mistake("host encryption besides", vm(securityProfile__encryptionAtHost=True),
            "BadRequest", "'encryptionAtHost' cannot be enabled"),
    Mistake("disk profile on an ordinary machine", vm(hardwareProfile__vmSize="Standard_D4s_v5", securityProfile=None),
            "BadRequest", "The parameter 'managedDisk.securityProfile' can only be set for Confidential VMs."),
    Mistake("disk set in the wrong place", vm(storageProfile__osDisk__managedDisk__diskEncryptionSet={"id": DES}),
            "BadRequest", "which only 'managedDisk.securityProfile.diskEncryptionSet' of a Confidential VM takes"),
    Mistake("dangling disk set", vm(storageProfile__osDisk__managedDisk__securityProfile__diskEncryptionSet={
            "id": DES + "2"}), "InvalidResourceReference", "/diskEncryptionSets/des2 referenced by resource"),
    Mistake("zone unknown", vm(zones=["9"]), "InvalidAvailabilityZone", "The zone(s) '9' for resource"),
    Mistake("image missing", vm(storageProfile__imageReference={"id": f"{GROUP}/providers/Microsoft.Compute/galleries"
            "/missing/images/a/versions/1.0.0"}), "GalleryImageNotFound", "is not available in germanywestcentral"),
    Mistake("image not confidential", vm(storageProfile__imageReference={"publisher": "Canonical", "offer":
            "ubuntu-24_04-lts", "sku": "server", "version": "24.04.202511030"}),
            "BadRequest", "only supports creation of VMs and VM Scale Sets with 'TrustedLaunch', 'Standard'"),
    Mistake("platform image unknown", vm(storageProfile__imageReference={"publisher": "Nobody", "offer": "a", "sku":
            "b", "version": "1"}), "PlatformImageNotFound", "The platform image 'Nobody:a:b:1' is not available."),
    Mistake("no way to log in", vm(osProfile={"computerName": "a", "adminUsername": "b", "linuxConfiguration": {
            "disablePasswordAuthentication": True}}),
            "InvalidParameter", "Authentication using either SSH or by user name and password must be enabled"),
    Mistake("user data", vm(userData="not base64!"), "InvalidParameter", "userData must be in Base64 encoding"),
    Mistake("no interface", vm(networkProfile=None),
            "NetworkProfileMissing", "must have at least one network interface"),
    Mistake("interface in use", two_machines_on_one_interface, "NicInUse", "is used by existing resource"),
    Mistake("set without its key", make("compute:DiskEncryptionSet", encryption_set(diskEncryptionSetName="d2",
            activeKey={"keyUrl": "https://kv-test-1.vault.azure.net/keys/none/1", "sourceVault": {"id": VAULT}})),
            "KeyVaultKeyNotFound", "was not found in Key Vault 'kv-test-1'"),
    Mistake("set of another vault", make("compute:DiskEncryptionSet", encryption_set(diskEncryptionSetName="d2",
            activeKey={"keyUrl": "https://other.vault.azure.net/keys/a/b", "sourceVault": {"id": VAULT}})),
            "InvalidParameter", "does not belong to the source vault 'kv-test-1'"),
    Mistake("key without version", make("compute:DiskEncryptionSet", encryption_set(diskEncryptionSetName="d2",
            activeKey={"keyUrl": "https://kv-test-1.vault.azure.net/keys/os-disk", "sourceVault": {"id": VAULT}})),
            "InvalidParameter", "has no key version"),
    Mistake("exportable without policy", make("keyvault:Key", key("k", releasePolicy=None)),
            "BadParameter", "Exportable keys must have release policy."),
    Mistake("policy on what cannot leave", make("keyvault:Key", key("k", attributes={"exportable": False})),
            "BadParameter", "AKV.SKR.1005: Non-exportable keys must not have release policy."),
    Mistake("policy on a software key", make("keyvault:Key", key("k", kty="RSA")),
            "BadParameter", "A key of type RSA cannot be released; use RSA-HSM"),
    Mistake("policy not base64", make("keyvault:Key", key("k", releasePolicy={"data": "a b"})),
            "BadParameter", "it is not base64url"),
    Mistake("policy not JSON", make("keyvault:Key", key("k", releasePolicy={"data": "AAAA"})),
            "BadParameter", "it is not JSON"),
    Mistake("policy without authority", make("keyvault:Key", key("k", releasePolicy={"data": encoded(
            {**POLICY, "anyOf": [{}]})})), "BadParameter", "must have an https authority"),
    Mistake("key size", make("keyvault:Key", key("k", keySize=1024)), "BadParameter", "Key size 1024 is not supported"),
    Mistake("purge protection off", turn_off_purge_protection,
            "BadRequest", '"enablePurgeProtection" cannot be set to false'),
    Mistake("purge protection false", make("keyvault:Vault", vault("kv-other", enablePurgeProtection=False)),
            "BadRequest", '"enablePurgeProtection" cannot be set to false'),
    Mistake("retention of deleted keys", make("keyvault:Vault", vault("kv-other", softDeleteRetentionInDays=3)),
            "BadRequest", "must be between 7 and 90"),
    Mistake("vault name", make("keyvault:Vault", vault("kv--other")),
            "VaultNameNotValid", "The vault name 'kv--other' is invalid."),
    Mistake("tenant", make("keyvault:Vault", vault("kv-other", tenantId="me")),
            "InvalidParameter", "The value 'me' of parameter 'properties.tenantId' is not a valid GUID."),
    Mistake("deleted vault", vault_over_a_deleted_one, "ConflictError", "already exists in deleted state"),
    Mistake("recover nothing", make("keyvault:Vault", vault("kv-other", createMode="recover")),
            "SoftDeletedVaultDoesNotExist", "with the given name 'kv-other' does not exist"),
    Mistake("account name", make("storage:StorageAccount", account("Audit-Log")),
            "AccountNameInvalid", "Audit-Log is not a valid storage account name."),
    Mistake("created locked", make("storage:StorageAccount", account("audit1", immutableStorageWithVersioning=retention(
            "Locked", 365))), "InvalidImmutabilityPolicyState", "can only be created in a Disabled or Unlocked state"),
    Mistake("locked retention reduced", lock_then_reduce, "ImmutabilityPolicyLocked", "reduced below 365 days"),
    Mistake("principal no GUID", make("authorization:RoleAssignment", assignment("me")),
            "InvalidParameter", "The value 'me' of parameter 'principalId' is not a valid GUID."),
    Mistake("assignment no GUID", make("authorization:RoleAssignment", assignment(OTHER_GUID, roleAssignmentName="a")),
            "InvalidRoleAssignmentId", "The role assignment ID 'a' is not valid."),
    Mistake("assigned twice", same_assignment_twice, "RoleAssignmentExists", "The role assignment already exists."),
    Mistake("assigned to a client id", assign_to_client_id, "PrincipalNotFound", "does not exist in the directory"),
    Mistake("setting without sink", make("monitor:DiagnosticSetting", {"resourceUri": VAULT, "name": "s", "logs": [
            {"categoryGroup": "audit", "enabled": True}]}),
            "BadRequest", "At least one data sink needs to be specified"),
    Mistake("endpoint group", make("network:PrivateEndpoint", in_group(privateEndpointName="e", subnet={"id": SUBNET},
            privateLinkServiceConnections=[{"name": "c", "privateLinkServiceId": VAULT, "groupIds": ["blob"]}])),
            "InvalidPrivateLinkServiceConnectionGroupId", "Valid group ids: vault"),
    Mistake("subnet in use", delete("network:Subnet", SUBNET),
            "InUseSubnetCannotBeDeleted", "Subnet guests is in use by"),
    Mistake("network in use", delete("network:VirtualNetwork", VNET),
            "InUseSubnetCannotBeDeleted", "has a subnet in use by"),
    Mistake("security group in use", delete("network:NetworkSecurityGroup", network_id("networkSecurityGroups", "nsg")),
            "InUseNetworkSecurityGroupCannotBeDeleted", "in use by the following resources: " + SUBNET),
    Mistake("interface of a machine", lambda bench: (bench.create("compute:VirtualMachine", "vm", machine()),
            bench.cloud.delete(urn("network:NetworkInterface", "nic"), NIC, {})),
            "NicInUse", "virtualMachines/inference"),
    Mistake("zone with a link", zone_with_link, "CannotDeleteResource", "virtualNetworkLinks"),
    Mistake("locked", delete_locked, "ScopeLocked", "cannot perform delete operation"),
]  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_refused_with_azures_code_and_wording(bench: Bench, mistake: Mistake) -> None:
    bench.region()
    with pytest.raises(ProviderError) as refusal:
        mistake.act(bench)
    assert str(refusal.value).startswith(f"{mistake.code}: ")
    assert mistake.text in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_the_region_without_a_mistake_is_accepted(bench: Bench) -> None:
    bench.region()
    bench.create("compute:VirtualMachine", "vm", machine())


@pytest.mark.parametrize(
    ("pulumi_type", "inputs", "code"),
    [
        ("network:Subnet", subnet("s", "192.168.0.0/24"), "NetcfgSubnetRangeOutsideVnet"),
        ("network:NetworkInterface", interface("n", privateIPAddress="10.20.2.9"), "PrivateIPAddressNotInSubnet"),
        ("compute:VirtualMachine", machine(hardwareProfile__vmSize="Standard_NCC40ads_H100_v5"), "SkuNotAvailable"),
        ("keyvault:Key", key("k", kty="RSA"), "BadParameter"),
    ],
)
def test_a_preview_of_a_region_that_does_not_exist_yet_finds_it_too(
    bench: Bench, pulumi_type: str, inputs: Properties, code: str
) -> None:
    bench.region(preview=True)
    with pytest.raises(ProviderError, match=f"^{code}: "):
        bench.create(pulumi_type, "mistake", inputs, preview=True)
