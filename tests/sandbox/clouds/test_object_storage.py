"""The way to the models: each cloud's own storage, reached over what the network has for it and not otherwise."""

from typing import Any

from tests.sandbox.clouds import project, region
from tests.sandbox.clouds.region import in_group, network_id

VNET = network_id("virtualNetworks", "vnet")
MODELS = "modelstest.blob.core.windows.net"
BLOB_ZONE = "privatelink.blob.core.windows.net"
STORAGE = "storage.europe-west3.p.rep.googleapis.com"


def blob_endpoint(bench: region.Bench) -> None:
    """A storage account and its private endpoint in the network."""
    account = in_group(accountName="modelstest", kind="StorageV2", sku={"name": "Standard_LRS"})
    storage = bench.create("storage:StorageAccount", "models", account)
    connection = {"name": "blob", "groupIds": ["blob"], "privateLinkServiceId": storage.id}
    bench.create(
        "network:PrivateEndpoint",
        "endpoint",
        in_group(
            privateEndpointName="models",
            subnet={"id": f"{VNET}/subnets/guests"},
            privateLinkServiceConnections=[connection],
        ),
    )


def blob_zone(bench: region.Bench, network: str) -> None:
    """The zone in which the endpoint's name is answered, linked to a network."""
    zone = {"resourceGroupName": "rg", "privateZoneName": BLOB_ZONE, "location": "Global"}
    made = bench.create("privatedns:PrivateZone", "zone", zone)
    link = {**zone, "virtualNetworkLinkName": "net", "virtualNetwork": {"id": network}, "registrationEnabled": False}
    bench.create("privatedns:VirtualNetworkLink", "link", link)
    group: dict[str, Any] = {
        "resourceGroupName": "rg",
        "privateEndpointName": "models",
        "privateDnsZoneGroupName": "default",
        "privateDnsZoneConfigs": [{"name": "blob", "privateDnsZoneId": made.id}],
    }
    bench.create("network:PrivateDnsZoneGroup", "group", group)


def test_azure_leads_to_an_account_with_an_endpoint_and_a_linked_zone(bench: region.Bench) -> None:
    bench.region()
    url = bench.cloud.object_url("germanywestcentral").format(account="modelstest", container="models", blob="llm.enc")
    assert url == f"https://{MODELS}/models/llm.enc"
    assert "no approved private endpoint with group id 'blob'" in (bench.cloud.object_obstacle(MODELS, VNET) or "")
    blob_endpoint(bench)
    assert f"no private DNS zone {BLOB_ZONE} that is linked to {VNET}" in (
        bench.cloud.object_obstacle(MODELS, VNET) or ""
    )
    blob_zone(bench, VNET)
    assert bench.cloud.object_obstacle(MODELS, VNET) is None
    assert bench.cloud.object_obstacle(MODELS, f"{VNET}-other") is not None
    assert bench.cloud.object_obstacle(f"other{MODELS}", VNET) is not None


def test_azure_leads_nowhere_while_the_connection_waits_for_approval(bench: region.Bench) -> None:
    bench.region()
    account = in_group(accountName="modelstest", kind="StorageV2", sku={"name": "Standard_LRS"})
    storage = bench.create("storage:StorageAccount", "models", account)
    asked = {"name": "blob", "groupIds": ["blob"], "privateLinkServiceId": storage.id, "requestMessage": "please"}
    subnet = {"id": f"{VNET}/subnets/guests"}
    inputs = in_group(privateEndpointName="models", subnet=subnet, manualPrivateLinkServiceConnections=[asked])
    made = bench.create("network:PrivateEndpoint", "endpoint", inputs)
    (connection,) = made.outputs["manualPrivateLinkServiceConnections"]
    assert connection["privateLinkServiceConnectionState"]["status"] == "Pending"
    blob_zone(bench, VNET)
    assert "no approved private endpoint" in (bench.cloud.object_obstacle(MODELS, VNET) or "")


def test_google_leads_to_the_regional_endpoint_that_a_private_zone_names(google: project.Bench) -> None:
    google.region()
    url = google.cloud.object_url(project.REGION).format(account="models-1", container="models", blob="llm.enc")
    assert url == f"https://{STORAGE}/models-1/models/llm.enc"
    assert "no private zone" in (google.cloud.object_obstacle(STORAGE, project.NETWORK) or "")
    networks = {"networks": [{"networkUrl": project.NETWORK}]}
    zone = {"name": "rep", "dnsName": f"{STORAGE}.", "visibility": "private", "privateVisibilityConfig": networks}
    google.create("dns:ManagedZone", "zone", zone)
    record = {"managedZone": "rep", "name": f"{STORAGE}.", "type": "A", "rrdatas": ["10.20.1.9"], "ttl": 300}
    google.create("dns:RecordSet", "record", record)
    assert "10.20.1.9 is no regional endpoint" in (google.cloud.object_obstacle(STORAGE, project.NETWORK) or "")
    endpoint = {
        "name": "storage",
        "location": project.REGION,
        "accessType": "REGIONAL",
        "targetGoogleApi": STORAGE,
        "address": "10.20.1.9",
        "network": project.NETWORK,
        "subnetwork": project.SUBNET,
    }
    google.create("networkconnectivity:RegionalEndpoint", "endpoint", endpoint)
    assert google.cloud.object_obstacle(STORAGE, project.NETWORK) is None
    assert google.cloud.object_obstacle(STORAGE, f"{project.NETWORK}-other") is not None
