"""Blob storage as a guest sees it: its address, and which virtual networks lead to it."""

import catalog
from sandbox.clouds.azure import dns
from sandbox.clouds.azure.network import PRIVATE_ENDPOINT
from sandbox.clouds.azure.places import CLOUD, host_suffix
from sandbox.clouds.resource import View
from sandbox.clouds.store import Object, Store

_SERVICE = "blob"


def url_form() -> str:
    """`https://ACCOUNT.blob.SUFFIX/CONTAINER/BLOB`."""
    return f"https://{{account}}.{_SERVICE}.{host_suffix('storage')}/{{container}}/{{blob}}"


def obstacle(store: Store, host: str, network_id: str) -> str | None:
    """Why a virtual network does not lead to `host`; None where a private endpoint and its zone do."""
    zone = catalog.load().private_endpoint(CLOUD, _SERVICE).zone
    endpoints = [each for each in store.of_kind(PRIVATE_ENDPOINT) if _is_for(each, host)]
    if not endpoints:
        return f"{host} is outside the virtual network: it has no approved private endpoint with group id '{_SERVICE}'"
    if any(_answers(store, each, zone, network_id) for each in endpoints):
        return None
    return (
        f"{host} is outside the virtual network: its private endpoint is in no private DNS zone {zone} that is linked"
        f" to {network_id}"
    )


def _is_for(endpoint: Object, host: str) -> bool:
    return any(entry["fqdn"] == host for entry in endpoint.outputs.get("customDnsConfigs") or ())


def _answers(store: Store, endpoint: Object, zone: str, network_id: str) -> bool:
    """Whether a zone group has the endpoint's name answered in the network."""
    for group in store.children(endpoint.id):
        for config in View(group.inputs).items("privateDnsZoneConfigs"):
            found = store.get(config.text("privateDnsZoneId"))
            if found is not None and found.name.lower() == zone and dns.is_linked(store, found, network_id):
                return True
    return False
