"""Keys that Cloud KMS has outside Google Cloud, in a manager that it reaches through the VPC network (Cloud EKM)."""

import pulumi
from pulumi_gcp import kms

from components.gcp.names import gcp_name
from components.gcp.placement import Placement
from components.spec import ExternalManagerSpec

SERVICE = "cloud-ekm"
PROTECTION_LEVEL = "EXTERNAL_VPC"
ALGORITHM = "EXTERNAL_SYMMETRIC_ENCRYPTION"


def connection_name(placement: Placement) -> str:
    """Name of the region's connection to its external key manager."""
    return gcp_name("ekm connection", f"{placement.stack}-keys")


def connection_id(placement: Placement) -> str:
    """Resource id of that connection."""
    name = connection_name(placement)
    return f"projects/{placement.project_id}/locations/{placement.location}/ekmConnections/{name}"


def ekm_connection(
    name: str, placement: Placement, manager: ExternalManagerSpec, opts: pulumi.ResourceOptions
) -> "kms.EkmConnection":
    """The connection over which Cloud KMS asks the manager to make, rotate, use and destroy the region's keys.

    Google's other mode (`MANUAL`) names keys that exist, rotates none, and leaves a key without a primary version until
    somebody sets it outside Pulumi.
    """
    certificates = [
        kms.EkmConnectionServiceResolverServerCertificateArgs(raw_der=_der(certificate))
        for certificate in manager.certificates
    ]
    return kms.EkmConnection(
        name,
        name=connection_name(placement),
        project=placement.project_id,
        location=placement.location,
        key_management_mode="CLOUD_KMS",
        crypto_space_path=manager.path,
        service_resolvers=[
            kms.EkmConnectionServiceResolverArgs(
                hostname=manager.host,
                service_directory_service=manager.connection,
                server_certificates=certificates,
            )
        ],
        opts=opts,
    )


def _der(certificate: str) -> str:
    """A certificate in PEM as base64 of its DER, which is what stands between the two lines of PEM."""
    return "".join(line for line in certificate.splitlines() if not line.startswith("-----"))
