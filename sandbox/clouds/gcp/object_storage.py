"""Cloud Storage as a guest sees it: its private address in a region, and which networks lead to it."""

import catalog
from sandbox.clouds.gcp import dns
from sandbox.clouds.gcp.endpoints import ENDPOINT
from sandbox.clouds.gcp.places import CLOUD
from sandbox.clouds.store import Object, Store

_SERVICE = "storage"


def url_form(location: str) -> str:
    """`https://HOST/BUCKET/OBJECT` at the host of the region's private endpoints."""
    host = catalog.load().private_endpoint(CLOUD, _SERVICE).target.format(region=location)
    return f"https://{host}/{{account}}/{{container}}/{{blob}}"


def obstacle(store: Store, host: str, network_id: str) -> str | None:
    """Why a network does not lead to `host`; None where a regional endpoint and a private zone do."""
    addresses = dns.addresses_of(store, host, network_id)
    if not addresses:
        return f"{host} is outside the network: no private zone that {network_id} sees has an A record for it"
    if any(
        _is_for(each, host, network_id) and each.outputs["address"] in addresses for each in store.of_kind(ENDPOINT)
    ):
        return None
    return f"{host} is outside the network: {', '.join(addresses)} is no regional endpoint for it in {network_id}"


def _is_for(endpoint: Object, host: str, network_id: str) -> bool:
    network = str(endpoint.inputs["network"])
    return endpoint.inputs["targetGoogleApi"] == host and network[network.find("projects/") :] == network_id
