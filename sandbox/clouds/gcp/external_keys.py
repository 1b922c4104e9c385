"""Cloud EKM: connections to key managers outside Google Cloud, and what keys there can be.

The rules are those of `EkmConnection`, `KeyManagementMode` and `CryptoKey` in the Cloud KMS API v1. The region's HSM
stands for the manager: keys that Cloud KMS has made there are made in it.
"""

import base64
import re
from typing import Final

from cryptography import x509

from sandbox.clouds.gcp import ids
from sandbox.clouds.gcp.errors import ApiError, FieldError
from sandbox.clouds.gcp.rules import matches, one_of
from sandbox.clouds.resource import Reference, Request, ResourceType

EKM_CONNECTION: Final = "cloudkms.googleapis.com/EkmConnection"
BACKEND: Final = Reference("cryptoKeyBackend", (EKM_CONNECTION,))
NAME: Final = r"[a-zA-Z0-9_-]{1,63}"
"""What Cloud KMS calls a name."""
_MOST_CERTIFICATES: Final = 10
_SERVICE: Final = r"projects/[^/]+/locations/[^/]+/namespaces/[^/]+/services/[^/]+"
_BY_PURPOSE: Final = {
    "ENCRYPT_DECRYPT": ("EXTERNAL_SYMMETRIC_ENCRYPTION",),
    "ASYMMETRIC_SIGN": ("EC_SIGN_", "RSA_SIGN_"),
}
"""What an external key manager can be asked for, and by which algorithms."""


def level_of(request: Request) -> str:
    """The protection level that a key asks for."""
    return str(request.inputs["versionTemplate.protectionLevel"] or "SOFTWARE")


def outside(request: Request) -> None:
    """A key that is outside is of a kind that managers have; one in a network names its connection, no other does."""
    level, algorithm = level_of(request), request.inputs.text("versionTemplate.algorithm")
    purpose = request.inputs["purpose"] or "ENCRYPT_DECRYPT"
    external = level.startswith("EXTERNAL")
    if external and not algorithm.startswith(_BY_PURPOSE.get(purpose, ())):
        found = f"Keys with protection level {level} and purpose {purpose} do not support it."
        raise FieldError("versionTemplate.algorithm", algorithm, found)
    if not external and algorithm.startswith("EXTERNAL_"):
        raise FieldError("versionTemplate.algorithm", algorithm, f"It is for keys outside, not for level {level}.")
    backend = request.inputs["cryptoKeyBackend"]
    if level == "EXTERNAL_VPC" and not backend:
        raise FieldError("cryptoKeyBackend", "", "A key with protection level EXTERNAL_VPC needs an EKM connection.")
    if level != "EXTERNAL_VPC" and backend:
        raise FieldError("cryptoKeyBackend", backend, f"Keys with protection level {level} have no EKM connection.")
    if backend:
        _through(request, ids.plain(str(backend), request.session.account))


def _through(request: Request, backend: str) -> None:
    """A connection is in the key's location; the manual one rotates nothing, and makes no first version."""
    here, there = request.id.split("/")[3:4], backend.split("/")[3:4]
    if here != there:
        raise FieldError("cryptoKeyBackend", backend, f"The EKM connection is not in the key's location {here[0]}.")
    if request.find(backend).inputs["keyManagementMode"] == "CLOUD_KMS":
        return
    if request.inputs["rotationPeriod"]:
        raise FieldError(
            "rotationPeriod",
            request.inputs["rotationPeriod"],
            "Automatic rotation is not supported with an EKM connection whose keyManagementMode is MANUAL.",
        )
    if request.inputs["skipInitialVersionCreation"] is not True:
        raise ApiError(
            400,
            "The first version of a key behind an EKM connection whose keyManagementMode is MANUAL needs an"
            " ekmConnectionKeyPath: create the key with skipInitialVersionCreation",
            "badRequest",
        )


def _crypto_space(request: Request) -> None:
    mode, space = request.inputs["keyManagementMode"], request.inputs["cryptoSpacePath"]
    if mode == "CLOUD_KMS" and not space:
        raise FieldError("cryptoSpacePath", "", "It is required if keyManagementMode is CLOUD_KMS.")


def _resolver(request: Request) -> None:
    """One replica, reached by a service of Service Directory, that answers with one of the given certificates."""
    resolvers = request.inputs.items("serviceResolvers")
    if len(resolvers) != 1:
        raise FieldError("serviceResolvers", len(resolvers), "Currently, exactly one ServiceResolver is supported.")
    service = resolvers[0].text("serviceDirectoryService")
    if not re.fullmatch(_SERVICE, service):
        raise FieldError("serviceResolvers[0].serviceDirectoryService", service, f"Must be a match of '{_SERVICE}'.")
    certificates = resolvers[0].items("serverCertificates")
    if not 1 <= len(certificates) <= _MOST_CERTIFICATES:
        count, allowed = len(certificates), f"1 to {_MOST_CERTIFICATES} are supported."
        raise FieldError("serviceResolvers[0].serverCertificates", count, allowed)
    for at, certificate in enumerate(certificates):
        try:
            x509.load_der_x509_certificate(base64.b64decode(certificate.text("rawDer"), validate=True))
        except ValueError:
            place = f"serviceResolvers[0].serverCertificates[{at}].rawDer"
            raise FieldError(place, "", "It is not a DER-encoded X.509 certificate.") from None


TYPES: Final = (
    ResourceType(
        pulumi_type="gcp:kms/ekmConnection:EkmConnection",
        kind=EKM_CONNECTION,
        identify=ids.in_project("locations/{location}/ekmConnections/{name}"),
        name_property="name",
        replace_on=("name", "project", "location"),
        checks=(
            matches("name", NAME),
            one_of("keyManagementMode", "MANUAL", "CLOUD_KMS"),
            _crypto_space,
            _resolver,
        ),
        outputs={"keyManagementMode": lambda request: request.inputs["keyManagementMode"] or "MANUAL"},
        survives=True,
    ),
)
