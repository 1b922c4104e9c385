"""Azure's virtual machines."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import catalog
from policies.conditions import Matching, OneOf
from policies.subject import Property, Resource
from policies.terms import Machine, Reference, Setting, Unwanted

_MACHINE = "azure-native:compute:VirtualMachine"
_SCALE_SET = "azure-native:compute:VirtualMachineScaleSet"
_CLUSTER = "azure-native:containerservice:ManagedCluster"
_NODE_POOL = "azure-native:containerservice:AgentPool"
_CONTAINER_GROUP = "azure-native:containerinstance:ContainerGroup"
_OF_THE_CLOUD = frozenset(
    {
        "azure-native:app:ContainerApp",
        "azure-native:app:ContainerAppsSessionPool",
        "azure-native:app:Job",
        "azure-native:appplatform:Service",
        "azure-native:avs:PrivateCloud",
        "azure-native:azurefleet:Fleet",
        "azure-native:batch:Pool",
        "azure-native:compute:VirtualMachineScaleSetVM",
        "azure-native:computebulkactions:BulkAction",
        "azure-native:containerinstance:ContainerGroupProfile",
        "azure-native:containerinstance:NGroup",
        "azure-native:databricks:Workspace",
        "azure-native:desktopvirtualization:SessionHost",
        "azure-native:devcenter:Pool",
        "azure-native:devtestlab:VirtualMachine",
        "azure-native:hdinsight:Cluster",
        "azure-native:labservices:Lab",
        "azure-native:machinelearningservices:BatchDeployment",
        "azure-native:machinelearningservices:Compute",
        "azure-native:machinelearningservices:OnlineDeployment",
        "azure-native:redhatopenshift:OpenShiftCluster",
        "azure-native:servicefabric:ManagedCluster",
        "azure-native:servicefabricmesh:Application",
        "azure-native:standbypool:StandbyContainerGroupPool",
        "azure-native:standbypool:StandbyVirtualMachinePool",
        "azure-native:synapse:BigDataPool",
        "azure-native:web:StaticSite",
        "azure-native:web:WebApp",
        "azure-native:web:WebAppSlot",
    }
)
"""What runs code on machines that Azure chooses, or that nothing here describes."""
_INTRUDERS = {
    "azure-native:compute:VirtualMachineExtension": "code that the operator can put into the machine",
    "azure-native:compute:VirtualMachineScaleSetExtension": "code that the operator can put into the machine",
    "azure-native:compute:VirtualMachineRunCommandByVirtualMachine": "a command that the operator runs inside",
    "azure-native:compute:VirtualMachineScaleSetVMExtension": "code that the operator can put into the machine",
    "azure-native:compute:VirtualMachineScaleSetVMRunCommand": "a command that the operator runs inside",
    "azure-native:guestconfiguration:GuestConfigurationAssignment": "settings that the operator changes inside",
    "azure-native:guestconfiguration:GuestConfigurationAssignmentsVMSS": "settings that the operator changes inside",
    "azure-native:serialconsole:SerialPort": "a console of the operator",
}
_VERSION = r"\d{1,9}\.\d{1,9}\.\d{1,9}"

# Values of the enumerations (compute API 2024-11-01) that may be printed.
_SECURITY_TYPES = ("TrustedLaunch", "ConfidentialVM", "Standard")
_DISK_ENCRYPTIONS = ("VMGuestStateOnly", "DiskWithVMGuestState", "NonPersistedTPM")


@dataclass(frozen=True, slots=True)
class _AttestedSize:
    """A size that the catalogue knows with a TEE, on which alone AKS makes nodes that are confidential."""

    @property
    def allowed(self) -> str:
        return "a size with a TEE that a verifier can check"

    def holds(self, value: object) -> bool:
        return isinstance(value, str) and value.casefold() in _attested_sizes()


@cache
def _attested_sizes() -> frozenset[str]:
    facts = catalog.load()
    clouds = [one.id for one in facts.clouds.values() if one.provider == "azure"]
    return frozenset(one.size.casefold() for id_ in clouds for one in facts.machine_types(id_) if one.attested)


def storage_profile(resource: Resource) -> Property | None:
    """The disks and the image of `resource`, if it is a machine or a set of them."""
    if resource.type not in {_MACHINE, _SCALE_SET}:
        return None
    return _body(resource).at("storageProfile")


def _body(resource: Resource) -> Property:
    return resource.props if resource.type == _MACHINE else resource.props.at("virtualMachineProfile")


def machine(resource: Resource) -> Machine | None:
    """`resource` as a machine; a scale set has the same shape one level down."""
    if resource.type == _NODE_POOL:
        return _nodes(resource.props)
    if resource.type == _CLUSTER:
        return _cluster(resource.props)
    if resource.type == _CONTAINER_GROUP:
        kinds = ("Standard", "Dedicated", "Confidential", "NotSpecified")
        return Machine(Setting(resource.props.at("sku"), OneOf(("Confidential",)), kinds))
    if resource.type in _OF_THE_CLOUD:
        return Machine(Setting(Property("type", resource.type), OneOf((_MACHINE,)), (resource.type,)))
    if resource.type not in {_MACHINE, _SCALE_SET}:
        return None
    body = _body(resource)
    through = "storageProfile" if resource.type == _MACHINE else "virtualMachineProfile"
    security = body.at("securityProfile")
    disk = body.at("storageProfile", "osDisk", "managedDisk", "securityProfile")
    return Machine(
        confidential=Setting(security.at("securityType"), OneOf(("ConfidentialVM",)), _SECURITY_TYPES),
        secure_boot=Setting(security.at("uefiSettings", "secureBootEnabled"), OneOf((True,))),
        virtual_tpm=Setting(security.at("uefiSettings", "vTpmEnabled"), OneOf((True,))),
        disk_binding=Setting(disk.at("securityEncryptionType"), OneOf(("DiskWithVMGuestState",)), _DISK_ENCRYPTIONS),
        disk_key=Reference(disk.at("diskEncryptionSet", "id"), through),
        guest_configurations=(body.at("userData"), body.at("osProfile", "customData")),
        size=(body.at("hardwareProfile", "vmSize") if resource.type == _MACHINE else resource.props.at("sku", "name")),
        image=_image(body.at("storageProfile", "imageReference")),
    )


def _nodes(pool: Property) -> Machine:
    """The nodes of a pool: AKS decides on boot, image and disks, and by their size on whether they are confidential."""
    return Machine(Setting(pool.at("vmSize"), _AttestedSize()), size=pool.at("vmSize"))


def _cluster(props: Property) -> Machine | None:
    """The nodes of a cluster: the first that are not confidential, or that Azure would add by itself."""
    added = (
        Setting(props.at("nodeProvisioningProfile", "mode"), OneOf(("Manual",)), ("Auto",), unless_stated=True),
        Setting(props.at("addonProfiles", "aciConnectorLinux", "enabled"), OneOf((False,)), unless_stated=True),
    )
    of_azure = [Machine(one) for one in added if one.property.stated]
    nodes = [*of_azure, *(_nodes(pool) for pool in props.at("agentPoolProfiles").items())]
    return next((one for one in nodes if not one.is_confidential), nodes[-1] if nodes else None)


def _image(reference: Property) -> Setting:
    """A gallery's image by id, or a marketplace's by publisher, offer, SKU and version."""
    if reference.unknown or reference.at("version").stated:
        return Setting(reference.at("version"), Matching(_VERSION, "a version such as 1.0.0"), ("latest",))
    return Setting(reference.at("id"), Matching(rf".+/versions/{_VERSION}", "an image id that ends in /versions/1.0.0"))


def side_doors(resource: Resource) -> Iterator[Setting | Unwanted]:
    """What lets somebody into a machine beside its measured boot."""
    if resource.type in _INTRUDERS:
        yield Unwanted(Property("type", resource.type), _INTRUDERS[resource.type])
    elif resource.type == _CLUSTER:
        yield Setting(resource.props.at("disableLocalAccounts"), OneOf((True,)))
        yield Setting(resource.props.at("apiServerAccessProfile", "disableRunCommand"), OneOf((True,)), switch=True)
        yield Unwanted(resource.props.at("linuxProfile", "ssh"), "a login from outside")
    if resource.type not in {_MACHINE, _SCALE_SET}:
        return
    body = _body(resource)
    linux = body.at("osProfile", "linuxConfiguration")
    yield Unwanted(linux.at("ssh", "publicKeys"), "a login from outside")
    yield Unwanted(body.at("osProfile", "adminPassword"), "a login with a password")
    for key in ("extensionProfile", "applicationProfile"):
        yield Unwanted(body.at(key), "code that the operator can put into the machine")
    console = body.at("diagnosticsProfile", "bootDiagnostics", "enabled")
    yield Setting(console, OneOf((False,)), unless_stated=True, switch=True)
