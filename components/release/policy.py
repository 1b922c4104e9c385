"""The release policy of one key: to whom an HSM may hand it, in no cloud's language.

A policy denies by default: it states what attested hardware must prove, and whoever does not prove all of it gets
nothing. `azure`, `gcp`, `aws`, `kbs` and `dsm` beside this module compile it to what each key service evaluates; what a
target cannot express stays in `Compiled.cannot_express`, so that nobody believes in a check that nobody makes.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Final, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

import catalog


class Tee(StrEnum):
    """Trusted execution environments, named as the catalogue names them."""

    SNP = "snp"
    TDX = "tdx"


class SnpProduct(StrEnum):
    """Generations of AMD processors that launch SEV-SNP guests; each counts its firmware's versions by itself."""

    MILAN = "milan"
    GENOA = "genoa"
    TURIN = "turin"


class ReleasePolicyError(ValueError):
    """A policy that cannot be compiled without letting in more than it says; `str(error)` is one line."""


def _origin(uri: str) -> str:
    parts = urlsplit(uri)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/") or parts.query:
        raise ValueError(f"an authority is an origin such as https://verifier.example, not {uri!r}")
    return f"{parts.scheme}://{parts.hostname}" + (f":{parts.port}" if parts.port else "")


Measurement = Annotated[str, Field(pattern=r"^[0-9a-f]{96}$")]
"""A launch measurement: SHA-384, 48 bytes, lower-case hexadecimal (SEV-SNP ABI, MEASUREMENT of the report)."""

ImageDigest = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
"""A container image, by the digest of its manifest (OCI image specification, Descriptor)."""

ImageSigner = Annotated[
    str, Field(pattern=r"^(RSASSA_PSS_SHA256|RSASSA_PKCS1V15_SHA256|ECDSA_P256_SHA256):[0-9a-f]{64}$")
]
"""A key that signs container images: its algorithm, and the SHA-256 of its public key (Google, "Sign container
images")."""

_CHIP_DIGITS: Final = 128
ChipId = Annotated[str, Field(pattern=r"^[0-9a-f]{128}$")]
"""One processor: CHIP_ID of its SEV-SNP reports, 64 bytes (SEV-SNP ABI, ATTESTATION_REPORT)."""

Ppid = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
"""One platform: PPID of the PCK certificate that endorses its TDX quotes, 16 bytes (Intel SGX PCK Certificate and CRL
Profile Specification, 1.3.5)."""

Svn = Annotated[int, Field(ge=0, le=255)]
"""A security version number: one byte of TCB_VERSION (SEV-SNP ABI, TCB_VERSION)."""


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)


class MinimumTcb(_Model):
    """The oldest platform firmware that may receive the key; each number is a floor (SEV-SNP ABI, TCB_VERSION)."""

    bootloader: Svn
    """Boot loader of the security processor."""
    tee: Svn
    """Operating system of the security processor."""
    snp: Svn
    """SEV-SNP firmware."""
    microcode: Svn
    """Microcode, the oldest of all cores."""


class Authority(_Model):
    """A verifier whose attestation result the key service accepts."""

    uri: Annotated[str, AfterValidator(_origin)]
    """Its origin (RFC 6454); results name it as their issuer."""
    jurisdiction: str
    """Jurisdiction in which it runs, as the catalogue names it."""


class ReleasePolicy(_Model):
    """What must be proved before the key leaves the HSM. Every field is a condition; all of them must hold."""

    jurisdiction: str
    """Jurisdiction that each authority must run in."""
    data_class: str
    """Highest class of data that the key protects."""
    tees: tuple[Tee, ...] = Field(min_length=1)
    """Hardware that may receive the key."""
    launch_measurements: tuple[Measurement, ...] = ()
    """Images that may receive the key, by the measurement of their launch."""
    launch_signers: tuple[Measurement, ...] = ()
    """Who may have signed the launch: SHA-384 of the ID key (SEV-SNP ABI, ID_KEY_DIGEST). TDs have no such signer."""
    image_digests: tuple[ImageDigest, ...] = ()
    """Containers that may receive the key."""
    image_signers: tuple[ImageSigner, ...] = ()
    """Who may have signed the container's image."""
    minimum_tcb: MinimumTcb | None = None
    """The oldest SEV-SNP platform firmware that may receive it; None where no SEV-SNP machine may. On Intel TDX the
    verifier holds the platform to Intel's TCB status."""
    minimum_tcb_by_product: Mapping[SnpProduct, MinimumTcb] = Field(default_factory=dict)
    """Floors of single products, in place of `minimum_tcb`."""
    authorities: tuple[Authority, ...] = Field(min_length=1)
    """Verifiers whose word the key service takes."""
    vmpl: tuple[Annotated[int, Field(ge=0, le=3)], ...] = Field(default=(0,), min_length=1)
    """Privilege levels inside the guest that may ask (SEV-SNP ABI, VMPL); 0 is the most privileged."""
    allow_debug: bool = False
    """Weakness: release to a guest that the host can debug, which means read."""
    allow_migration: bool = False
    """Weakness: release to a guest that a migration agent may move to another host."""
    confidential_gpu: bool = False
    """The guest must have a GPU whose evidence is good and whose confidential-computing mode is on: off and devtools,
    in which its memory can be read, are refused."""
    vtpm: bool = False
    """The evidence must be that of a TPM too, and the CPU's own is refused: on Azure and AWS the CPU measures the
    cloud's firmware, under which any image may run, and a TPM the image, which the verifier holds to its reference
    values. On Azure the CPU vouches for the TPM, on AWS the operator does. Without it either may speak."""
    hardware: tuple[ChipId | Ppid, ...] = ()
    """Processors that may receive the key, of SEV-SNP by CHIP_ID and of TDX by PPID; empty for any genuine one."""
    max_token_seconds: int = Field(default=300, ge=1, le=3600)
    """How old an attestation result may be, in seconds."""

    @model_validator(mode="after")
    def _binds(self) -> Self:
        if Tee.SNP in self.tees and self.minimum_tcb is None:
            raise ValueError("minimum_tcb: a policy for SEV-SNP machines has one")
        if Tee.SNP in self.tees and self.hardware and not self.chips:
            raise ValueError("hardware: names processors, and none of SEV-SNP")
        if not (self.launch_measurements or self.launch_signers or self.image_digests or self.image_signers):
            raise ValueError("launch_measurements: a policy names a workload, by measurement, digest or signer")
        return self

    @property
    def chips(self) -> tuple[str, ...]:
        """Of `hardware`, the processors of SEV-SNP."""
        return tuple(one for one in self.hardware if len(one) == _CHIP_DIGITS)

    @property
    def ppids(self) -> tuple[str, ...]:
        """Of `hardware`, the platforms of TDX."""
        return tuple(one for one in self.hardware if len(one) != _CHIP_DIGITS)

    def stated(self, fields: Iterable[str]) -> list[str]:
        """Those of `fields` that say something: neither empty nor False."""
        return [field for field in fields if getattr(self, field)]

    def evidence(self, tee: Tee) -> tuple[str, ...]:
        """What may show `tee`, as the Key Broker Service protocol names evidence: the CPU's own, and that with a TPM's,
        Azure's or EC2's."""
        with_tpm = (f"az-{tee}-vtpm", *((f"aws-{tee}-nitrotpm",) if tee is Tee.SNP else ()))
        return with_tpm if self.vtpm else (tee.value, *with_tpm)

    def strictest_tcb(self) -> MinimumTcb:
        """The highest floor of every part, for targets that do not learn the product; a policy for SEV-SNP only."""
        floors = [floor for floor in (self.minimum_tcb, *self.minimum_tcb_by_product.values()) if floor is not None]
        return MinimumTcb(**{part: max(getattr(floor, part) for floor in floors) for part in MinimumTcb.model_fields})

    def foreign_authorities(self) -> list[Authority]:
        """Authorities that run outside the policy's jurisdiction."""
        within = catalog.load().within
        return [authority for authority in self.authorities if not within(authority.jurisdiction, self.jurisdiction)]

    def require_local_authorities(self) -> None:
        """Raise `ReleasePolicyError` when an authority runs outside the jurisdiction; every target calls it first."""
        if foreign := self.foreign_authorities():
            named = ", ".join(f"{authority.uri} ({authority.jurisdiction})" for authority in foreign)
            raise ReleasePolicyError(
                f"release policy: authority outside {self.jurisdiction}: {named}; allowed: authorities inside it"
            )


@dataclass(frozen=True, slots=True)
class Inexpressible:
    """A condition of the policy that the target's language has no words for."""

    condition: str
    """Name of the field of `ReleasePolicy`."""
    reason: str
    """Why the target cannot state it, and what holds it instead."""


def unexpressed(policy: ReleasePolicy, reasons: Mapping[str, str]) -> tuple[Inexpressible, ...]:
    """What of `reasons` (field: why the target cannot state it) the policy asks for.

    `allow_debug` and `allow_migration` ask for something where they are off. New firmware is asked for without a floor
    too, on Intel TDX.
    """
    return tuple(
        Inexpressible(field, reason)
        for field, reason in reasons.items()
        if field == "minimum_tcb" or bool(getattr(policy, field)) is not field.startswith("allow_")
    )


@dataclass(frozen=True, slots=True)
class Compiled:
    """A release policy in one target's language."""

    target: str
    document: dict[str, Any]
    """The policy as the target's JSON value."""
    cannot_express: Sequence[Inexpressible]
    """Conditions that the document does not hold. Never a reason to release more than the policy's other conditions."""
