"""Microsoft.Attestation: attestation providers."""

import catalog
from sandbox.clouds.azure import arm
from sandbox.clouds.azure.places import CLOUD, host_suffix
from sandbox.clouds.resource import Request, ResourceType, constant
from sandbox.values import Value

PROVIDER = "Microsoft.Attestation/attestationProviders"


def _attest_uri(request: Request) -> Value:
    """`https://<name>.<region code>.attest.azure.net`; the code is that of the region's shared provider."""
    region = catalog.load().region(CLOUD, arm.normal_location(request.inputs.text("location")))
    code = (region.attestation_host or f"shared.{region.id}.").split(".")[1]
    return f"https://{request.name}.{code}.{host_suffix('attestation')}"


TYPES = (
    ResourceType(
        pulumi_type="azure-native:attestation:AttestationProvider",
        kind=PROVIDER,
        identify=arm.in_group(PROVIDER, "providerName"),
        name_property="providerName",
        replace_on=("resourceGroupName", "providerName", "location", "properties.policySigningCertificates"),
        checks=(
            arm.name_matches(
                r"[a-z0-9]{3,24}",
                "InvalidResourceName",
                "The attestation provider name '{name}' is invalid: it must have 3 to 24 lower-case letters or digits",
            ),
            arm.unique("attestation", "ProviderNameInUse", "The attestation provider name '{name}' is already in use."),
        ),
        outputs={
            "attestUri": _attest_uri,
            "status": constant("Ready"),
            "trustModel": lambda request: (
                "Isolated" if request.inputs["properties.policySigningCertificates"] else "AAD"
            ),
            "publicNetworkAccess": lambda request: request.inputs["properties.publicNetworkAccess"] or "Enabled",
            "tpmAttestationAuthentication": lambda request: (
                request.inputs["properties.tpmAttestationAuthentication"] or "Enabled"
            ),
            "privateEndpointConnections": constant([]),
        },
    ),
)
