"""Guests of AWS at the emulated site: on SEV-SNP with NitroTPM, or with a Nitro document alone."""

import hashlib
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, ClassVar

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sandbox.hardware import Chip, SnpFirmware
from tests.verifier.emulated_site import ON_MILAN, Client, Guest, Site, text
from tests.verifier.emulated_site import reference_values as snp_reference_values
from tests.verifier.nitro import fake_nitro
from tests.verifier.nvidia.fake_nvidia import P384Certificate
from tests.verifier.signed_values import signed_values
from verifier.pki import Certificate
from verifier.signer import SoftwareSigner, public_key_pem
from verifier.trust import TrustAnchor, TrustStore

CLOUD = "CN=cc-eu-west-1.amazonaws.com"
INSTANCE = "i-0123456789abcdef0"
PCRS = {index: (bytes([index + 1]) * 48 if index in {4, 7, 12} else bytes(48)) for index in range(16)}
DIRECTLY = b"\x1d" * 48
"""What the processor would measure of the site's image where no firmware of AWS's starts it."""
STATED_PCRS = {str(index): [PCRS[index].hex()] for index in (4, 12)}
"""What the build states of the site's image."""


def world(at: datetime) -> fake_nitro.World:
    """AWS's certificates as they are at the time `at`."""

    def moved(certificate: P384Certificate) -> P384Certificate:
        life = timedelta(hours=1)
        return replace(certificate, not_before=at - life, not_after=at + life)

    members = (fake_nitro.PINNED, fake_nitro.REGIONAL, fake_nitro.ZONAL, fake_nitro.SIGNER)
    return fake_nitro.World(*map(moved, members))


@dataclass(frozen=True)
class AwsGuest(Guest):
    """A guest on SEV-SNP whose NitroTPM speaks too.

    at: the time of its clock. document: members of the document to set. unhashed: what user_data is the hash of, in
    place of the report.
    """

    tee: ClassVar[str] = "aws-snp-nitrotpm"

    at: datetime = fake_nitro.AT
    document: dict[str, Any] = field(default_factory=dict)
    is_enclave: bool = False
    unhashed: bytes | None = None

    def digest(self, nonce: str) -> bytes:
        """What the document's nonce is to be."""
        return self.report_data(nonce)[:48]

    @property
    def public_key(self) -> bytes:
        return self.private_key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    @property
    def firmware(self) -> SnpFirmware:
        return SnpFirmware(self.pki, Chip(self.host), CLOUD)

    def nitro_document(self, nonce: bytes, user_data: bytes | None) -> bytes:
        said = {
            "module_id": INSTANCE,
            "timestamp": int(self.at.timestamp() * 1000),
            "nitrotpm_pcrs": PCRS,
            "nonce": nonce,
            "public_key": self.public_key,
            "user_data": user_data,
        }
        made = replace(world(self.at), left_out=("nitrotpm_pcrs" if self.is_enclave else "pcrs",))
        return made.with_payload(**said | self.document).document()

    def evidence(self, nonce: str, report_data: bytes | None = None) -> dict[str, Any]:
        report = self.report(self.report_data(nonce) if report_data is None else report_data)
        hashed = hashlib.sha384(report if self.unhashed is None else self.unhashed).digest()
        return self.endorsed(report) | {"nitro_document": text(self.nitro_document(self.digest(nonce), hashed))}


@dataclass(frozen=True)
class NitroGuest(AwsGuest):
    """An instance that gives a document alone."""

    tee: ClassVar[str] = "aws-nitro"

    def evidence(self, nonce: str, report_data: bytes | None = None) -> dict[str, Any]:
        return {"nitro_document": text(self.nitro_document(self.digest(nonce), None))}


def trust(site: Site) -> TrustStore:
    """The emulated vendors' roots, and AWS's."""
    root = Certificate.parse(world(site.now).root.encode())
    store = TrustStore.production().with_sandbox(site.pki.roots)
    return TrustStore((*store.anchors, TrustAnchor("aws", frozenset({"nitro"}), root)), store.intermediates)


def replica(site: Site) -> Client:
    return site.replica(trust=trust(site))


def admit_aws(site: Site, *tees: str) -> None:
    """Let the site's key go to guests of AWS, and to no others."""
    build = SoftwareSigner.generate()
    site.configure(
        reference_values=[snp_reference_values(build), reference_values(build)],
        build_keys=[public_key_pem(build.public_key)],
        trust_anchors=["amd", "aws", "sandbox"],
    )
    site.change_policy(tee=list(tees or ("aws-snp-nitrotpm",)))


def reference_values(
    signer: SoftwareSigner, name: str = "inference-guest", subject: bytes = PCRS[4], **changes: Any
) -> Any:
    """The signed values of what NitroTPM measures of the site's image."""
    predicate = {"tee": "nitro", "attested": "nitrotpm", "pcrs": STATED_PCRS} | changes
    return signed_values(signer, name, subject, **predicate)


def values_on_ec2(signer: SoftwareSigner, firmware: bytes, name: str = "inference-guest") -> Any:
    """The signed values of the site's image, with what processor and NitroTPM show on EC2."""
    shown = {
        "firmware": {"name": "ec2-uefi", "version": "1.0.0"},
        "launch_measurements": [firmware.hex()],
        "pcrs": STATED_PCRS,
    }
    return signed_values(signer, name, DIRECTLY, **ON_MILAN, launch_measurements=[DIRECTLY.hex()], nitrotpm=shown)
