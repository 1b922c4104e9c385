"""What the officers of an emulated Managed HSM do: activate it with their certificates."""

import base64
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from sandbox.clouds.azure.cloud import AzureCloud
from sandbox.clouds.azure.hsm_errors import HsmRefusal
from sandbox.clouds.azure.hsm_service import HsmService
from sandbox.clouds.azure.keyvault import MANAGED_HSM
from sandbox.clouds.resource import CloudError


def activate(cloud: AzureCloud, certificates: Sequence[Path], quorum: int) -> str:
    """Activate the region's HSM with the officers' certificates (PEM or DER); returns its name.

    Raises `CloudError` with what the service refuses.
    """
    hsms = cloud.store.of_kind(MANAGED_HSM)
    if not hsms:
        raise CloudError("ResourceNotFound", "The region has no Managed HSM: deploy it first.")
    body = {"certificates": [{"x5c": [_der(path)]} for path in certificates], "required": quorum}
    for hsm in hsms:
        try:
            HsmService(cloud).handle(hsm, cloud.account.object_id, "POST", "/securitydomain/download", body)
        except HsmRefusal as refusal:
            raise CloudError(refusal.code, refusal.message) from None
    return hsms[0].name


def _der(path: Path) -> str:
    """A certificate as `x5c` has it (RFC 7517, section 4.7)."""
    try:
        content = path.read_bytes()
        read = x509.load_pem_x509_certificate if b"-----BEGIN" in content else x509.load_der_x509_certificate
        certificate = read(content)
    except OSError as error:
        raise CloudError("BadParameter", f"{path}: {error.strerror}.") from None
    except ValueError:
        raise CloudError("BadParameter", f"{path} is no X.509 certificate.") from None
    return base64.b64encode(certificate.public_bytes(Encoding.DER)).decode()
