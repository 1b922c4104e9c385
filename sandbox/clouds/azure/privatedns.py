"""Microsoft.Network private DNS: zones, their links to virtual networks, record sets."""

import ipaddress

from sandbox.clouds.azure import arm
from sandbox.clouds.azure.dns import ZONE, ZONE_LINK
from sandbox.clouds.azure.network import VIRTUAL_NETWORK
from sandbox.clouds.resource import Account, CloudError, Reference, Request, ResourceType, View, constant
from sandbox.clouds.store import Object

_RECORD_TYPES = ("A", "AAAA", "CNAME", "MX", "PTR", "SOA", "SRV", "TXT")


def _record_identity(account: Account, inputs: View) -> tuple[str, str]:
    """`…/privateDnsZones/{zone}/{recordType}/{relative name}`."""
    kind = f"{ZONE}/{inputs.text('recordType')}"
    return arm.in_group(kind, "privateZoneName", "relativeRecordSetName")(account, inputs)


def _zone_in_use(request: Request, _users: list[Object]) -> None:
    links = request.store.children(request.id, ZONE_LINK)
    if links:
        raise CloudError(
            "CannotDeleteResource",
            f"Can not delete resource before nested resources are deleted: {links[0].id}. Nested resource types"
            " include: 'Microsoft.Network/privateDnsZones/virtualNetworkLinks'.",
        )


def _linked_once(request: Request) -> None:
    """A virtual network is linked to a zone once."""
    network = request.inputs.text("virtualNetwork.id").lower()
    for other in request.siblings():
        if str(View(other.inputs)["virtualNetwork.id"]).lower() == network:
            raise CloudError(
                "Conflict", f"The private DNS zone is already linked to the virtual network {network} by {other.id}."
            )


def _record(request: Request) -> None:
    kind = request.inputs.text("recordType")
    if kind not in _RECORD_TYPES:
        raise CloudError(
            "InvalidParameter",
            f"The value '{kind}' of parameter 'recordType' is not allowed. Allowed values are:"
            f" {', '.join(_RECORD_TYPES)}.",
        )
    if kind == "A" and not request.inputs["aRecords"]:
        raise CloudError("BadRequest", f"The record set '{request.name}' of type A has no records.")
    for record in request.inputs.items("aRecords"):
        try:
            ipaddress.IPv4Address(record.text("ipv4Address"))
        except ValueError:
            raise CloudError(
                "BadRequest",
                f"The IPv4 address '{record.text('ipv4Address')}' of record set '{request.name}' is invalid.",
            ) from None


TYPES = (
    ResourceType(
        pulumi_type="azure-native:privatedns:PrivateZone",
        kind=ZONE,
        identify=arm.in_group(ZONE, "privateZoneName"),
        name_property="privateZoneName",
        located="global",
        replace_on=("resourceGroupName", "privateZoneName", "location"),
        checks=(
            arm.name_matches(
                r"(?=.{1,253}$)(?:[A-Za-z0-9_](?:[\w-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?",
                "BadRequest",
                "The domain name '{name}' is invalid. The provided domain name must be a private DNS zone of at least"
                " two labels.",
            ),
        ),
        outputs={
            "maxNumberOfRecordSets": constant(25_000),
            "maxNumberOfVirtualNetworkLinks": constant(1_000),
            "maxNumberOfVirtualNetworkLinksWithRegistration": constant(100),
        },
        in_use=_zone_in_use,
    ),
    ResourceType(
        pulumi_type="azure-native:privatedns:VirtualNetworkLink",
        kind=ZONE_LINK,
        identify=arm.in_group(ZONE_LINK, "privateZoneName", "virtualNetworkLinkName"),
        name_property="virtualNetworkLinkName",
        naming="copy",
        located="global",
        replace_on=("resourceGroupName", "privateZoneName", "virtualNetworkLinkName", "location", "virtualNetwork"),
        references=(Reference("virtualNetwork.id", (VIRTUAL_NETWORK,)),),
        checks=(_linked_once,),
        outputs={"virtualNetworkLinkState": constant("Completed")},
    ),
    ResourceType(
        pulumi_type="azure-native:privatedns:PrivateRecordSet",
        kind=f"{ZONE}/recordSets",
        identify=_record_identity,
        name_property="relativeRecordSetName",
        naming="copy",
        located="none",
        replace_on=("resourceGroupName", "privateZoneName", "relativeRecordSetName", "recordType"),
        checks=(_record,),
        outputs={
            "fqdn": lambda request: f"{request.name}.{request.parent.rsplit('/', 1)[-1]}.",
            "isAutoRegistered": constant(False),
            "type": lambda request: f"{ZONE}/{request.inputs.text('recordType')}",
        },
    ),
)
