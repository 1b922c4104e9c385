"""Reference values: what the build says a known-good image looks like to the hardware.

A bundle is an in-toto Statement v1 in a DSSE envelope, signed by the build key. The subject is the image with
its launch measurement as digest; the predicate is `https://bailiwick.dev/reference-values/v1`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cached_property
from typing import Annotated, Any, Final, Literal, Self, TypeAlias, TypeVar

from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from verifier import dsse
from verifier.errors import InvalidReferenceValues
from verifier.fields import Byte, Hex32, Hex48, NitroRegister, Register, TcbFloor
from verifier.snp.product import Product

PREDICATE_TYPE: Final = "https://bailiwick.dev/reference-values/v1"

_STRICT: Final = ConfigDict(frozen=True, extra="forbid")


class Image(BaseModel):
    """Name and version of a built image."""

    model_config = _STRICT

    name: str = Field(min_length=1)
    version: str = Field(min_length=1)


class LaunchPolicy(BaseModel):
    """The guest policy that the image is launched with (AMD 56860, 4.3); None: either value is fine."""

    model_config = _STRICT

    debug: bool | None = None
    migrate_ma: bool | None = None
    smt: bool | None = None
    single_socket: bool | None = None
    abi: tuple[Byte, Byte] | None = Field(None, description="Lowest firmware ABI: major, minor.")


class VtpmValues(BaseModel):
    """What a guest of the image shows where a paravisor stands between it and the CPU, as on Azure.

    The CPU measures the paravisor, in `launch_measurements` (MEASUREMENT, or MRTD of a TD); what booted under it is in
    the PCRs of the vTPM that it emulates. pcrs: PCR → acceptable values of the SHA-256 bank, each listed one is needed.
    """

    model_config = _STRICT

    paravisor: Image
    launch_measurements: Annotated[frozenset[Hex48], Field(min_length=1)]
    pcrs: Annotated[Mapping[Register, Annotated[frozenset[Hex32], Field(min_length=1)]], Field(min_length=1)]


class NitroTpmValues(BaseModel):
    """What a guest of the image shows on EC2, where AWS's firmware starts it and NitroTPM measures it.

    The CPU measures that firmware, in `launch_measurements`; what it booted is in NitroTPM's PCRs. pcrs: PCR →
    acceptable SHA-384 values, each listed one is needed.
    """

    model_config = _STRICT

    firmware: Image
    launch_measurements: Annotated[frozenset[Hex48], Field(min_length=1)]
    pcrs: Annotated[Mapping[NitroRegister, Annotated[frozenset[Hex48], Field(min_length=1)]], Field(min_length=1)]


class _Bundle(BaseModel, ABC):
    """What the predicates for all kinds of hardware have."""

    model_config = _STRICT

    image: Image
    built_at: datetime

    @cached_property
    def name(self) -> str:
        """How policies and results call the image: `<name>-<version>`."""
        return f"{self.image.name}-{self.image.version}"

    @property
    @abstractmethod
    def subject_digests(self) -> frozenset[str]:
        """The SHA-384 digests (hex) that the statement's subjects must have."""

    @classmethod
    def from_statement(cls, statement: Mapping[str, Any]) -> Self:
        """Read a statement whose signature has been checked; InvalidReferenceValues says what does not fit."""
        if statement.get("predicateType") != PREDICATE_TYPE:
            raise InvalidReferenceValues(
                f"reference values: predicateType {statement.get('predicateType')!r:.80}, {PREDICATE_TYPE} expected"
            )
        try:
            values = cls.model_validate(statement.get("predicate"))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, ("predicate", *first["loc"])))
            raise InvalidReferenceValues(f"reference values: {where}: {first['msg']}") from None
        if not _names_only(statement.get("subject"), values):
            raise InvalidReferenceValues(
                f"reference values: the subjects are not {values.name} with its launch measurements"
            )
        return values


class ReferenceValues(_Bundle):
    """The predicate of a bundle: the values of one image on one kind of AMD hardware.

    vtpm: None where the image is for no cloud with a paravisor. nitrotpm: None where it is not for EC2.
    """

    tee: Literal["snp"]
    vtpm: VtpmValues | None = None
    nitrotpm: NitroTpmValues | None = None
    product: Product
    launch_measurements: Annotated[frozenset[Hex48], Field(min_length=1)]
    minimum_tcb: TcbFloor
    guest_policy: LaunchPolicy

    @property
    def subject_digests(self) -> frozenset[str]:
        """The launch measurements."""
        return self.launch_measurements

    @cached_property
    def paravisor(self) -> ReferenceValues | None:
        """What the CPU measures where a paravisor starts the image; None without values for that."""
        return None if self.vtpm is None else self._below(self.vtpm.paravisor, self.vtpm.launch_measurements)

    @cached_property
    def firmware(self) -> ReferenceValues | None:
        """What the CPU measures where EC2 starts the image; None without values for that."""
        if self.nitrotpm is None:
            return None
        return self._below(self.nitrotpm.firmware, self.nitrotpm.launch_measurements)

    def _below(self, image: Image, launch_measurements: frozenset[str]) -> ReferenceValues:
        """What the CPU measures in place of this image, on a platform and by a policy as for it."""
        return ReferenceValues(
            image=image,
            built_at=self.built_at,
            tee="snp",
            product=self.product,
            launch_measurements=launch_measurements,
            minimum_tcb=self.minimum_tcb,
            guest_policy=self.guest_policy,
        )


class TdxReferenceValues(_Bundle):
    """The predicate of a bundle for a TD (hex, 48 bytes each); None: the register may hold anything.

    mr_td measures the firmware, rtmr0 its configuration, rtmr1 and rtmr2 what was booted, rtmr3 is the workload's.
    vtpm: None where the image is for no cloud with a paravisor.
    """

    tee: Literal["tdx"]
    vtpm: VtpmValues | None = None
    mr_td: Annotated[frozenset[Hex48], Field(min_length=1)]
    rtmr0: frozenset[Hex48] | None = None
    rtmr1: frozenset[Hex48] | None = None
    rtmr2: frozenset[Hex48] | None = None
    rtmr3: frozenset[Hex48] | None = None
    mr_config_id: frozenset[Hex48] | None = None

    @property
    def subject_digests(self) -> frozenset[str]:
        """The values of MRTD."""
        return self.mr_td

    @cached_property
    def paravisor(self) -> TdxReferenceValues | None:
        """What the TD measures where a paravisor starts the image; None without values for that."""
        if self.vtpm is None:
            return None
        return TdxReferenceValues(
            image=self.vtpm.paravisor, built_at=self.built_at, tee="tdx", mr_td=self.vtpm.launch_measurements
        )


class NitroReferenceValues(_Bundle):
    """The predicate of a bundle for AWS's Nitro System: what its attestation documents state of the image.

    attested: an instance with NitroTPM, or an enclave: their PCRs mean different things. pcrs: PCR → acceptable SHA-384
    values, each listed one is needed.
    """

    tee: Literal["nitro"]
    attested: Literal["nitrotpm", "enclave"]
    pcrs: Annotated[Mapping[NitroRegister, Annotated[frozenset[Hex48], Field(min_length=1)]], Field(min_length=1)]

    @property
    def subject_digests(self) -> frozenset[str]:
        """The values of all PCRs."""
        return frozenset().union(*self.pcrs.values())


AnyReferenceValues: TypeAlias = ReferenceValues | TdxReferenceValues | NitroReferenceValues

V = TypeVar("V", bound=_Bundle)

Envelope = Mapping[str, Any] | str | bytes


def read_bundle(envelope: Envelope, keys: Iterable[ec.EllipticCurvePublicKey]) -> ReferenceValues:
    """Check a bundle's signature against the build keys and read it; InvalidReferenceValues otherwise."""
    return _read(envelope, keys, ReferenceValues)


def read_tdx_bundle(envelope: Envelope, keys: Iterable[ec.EllipticCurvePublicKey]) -> TdxReferenceValues:
    """The same for a bundle of a TD's values."""
    return _read(envelope, keys, TdxReferenceValues)


def read_nitro_bundle(
    envelope: Envelope, keys: Iterable[ec.EllipticCurvePublicKey]
) -> NitroReferenceValues | ReferenceValues:
    """The same for a bundle of what the Nitro System measures: of its own, or one for SEV-SNP that states it too."""
    statement = _statement(envelope, keys)
    predicate = statement.get("predicate")
    if isinstance(predicate, Mapping) and "nitrotpm" in predicate:
        return ReferenceValues.from_statement(statement)
    return NitroReferenceValues.from_statement(statement)


def read_any_bundle(envelope: Envelope, keys: Iterable[ec.EllipticCurvePublicKey]) -> AnyReferenceValues:
    """The same for a bundle of whichever kind its predicate says."""
    statement = _statement(envelope, keys)
    predicate = statement.get("predicate")
    match predicate.get("tee") if isinstance(predicate, Mapping) else None:
        case "tdx":
            return TdxReferenceValues.from_statement(statement)
        case "nitro":
            return NitroReferenceValues.from_statement(statement)
        case _:
            return ReferenceValues.from_statement(statement)


def _read(envelope: Envelope, keys: Iterable[ec.EllipticCurvePublicKey], model: type[V]) -> V:
    return model.from_statement(_statement(envelope, keys))


def _statement(envelope: Envelope, keys: Iterable[ec.EllipticCurvePublicKey]) -> dict[str, Any]:
    try:
        return dsse.verify(envelope, keys).statement()
    except dsse.DsseError as error:
        raise InvalidReferenceValues(f"reference values: {error}") from None


def _names_only(subjects: object, values: _Bundle) -> bool:
    """Whether the subjects are the image with launch measurements of the predicate, at least one."""
    if not isinstance(subjects, list) or not subjects:
        return False
    expected = [{"name": values.name, "digest": {"sha384": it}} for it in values.subject_digests]
    return all(subject in expected for subject in subjects)
