"""The key manager outside the cloud that `bailiwick new` writes into a stack file, for its owner to replace."""

import datetime
from typing import Any, Final

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

import catalog
from components.guest_configuration import model_key_name
from components.spec.parts import PARTS
from policies.context import DATA_CLASSES, OWN_HARDWARE_FROM

_HOST: Final = "keys.trustee.example"
_DAYS: Final = 3650


class _Lines(str):
    """A text that YAML writes line by line."""

    __slots__ = ()


yaml.SafeDumper.add_representer(
    _Lines, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|")
)


def is_needed(cloud: catalog.Cloud, data_class: str) -> bool:
    """Whether KEY-02 refuses the cloud's shared HSM for this class of data, where the cloud takes a manager outside."""
    sensitive = DATA_CLASSES[DATA_CLASSES.index(OWN_HARDWARE_FROM[cloud.provider]) :]
    return data_class in sensitive and bool(PARTS[cloud.provider].external_keys)


def example_manager(cloud: catalog.Cloud, region: catalog.Region, models: list[str]) -> dict[str, Any]:
    """`bailiwick:keys.externalManager` for a region with these models."""
    area = region.jurisdiction
    common = {"operator": "Example Trustee", "jurisdiction": area, "legalReach": [area], "host": _HOST}
    if cloud.provider == "gcp":
        return common | {
            "connection": f"projects/example-trustee/locations/{region.id}/namespaces/keys/services/manager",
            "path": "v0/cryptospaces/bailiwick",
            "certificates": [_certificate()],
        }
    names = ["os-disk", "store", *map(model_key_name, models)]
    return common | {
        "connection": f"{cloud.endpoint_prefix}.vpce.{region.id}.vpce-svc-0123456789abcdef0",
        "path": "/bailiwick/kms/xks/v1",
        "keys": {name: name for name in names},
    }


def _certificate() -> _Lines:
    """A certificate for the example's host (PEM), whose private key nobody has."""
    name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, _HOST)]), datetime.datetime.now(datetime.UTC)
    private = ec.generate_private_key(ec.SECP256R1())
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(private.public_key())
    builder = builder.not_valid_before(now).not_valid_after(now + datetime.timedelta(days=_DAYS))
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(_HOST)]), critical=False)
    return _Lines(builder.sign(private, hashes.SHA256()).public_bytes(Encoding.PEM).decode())
