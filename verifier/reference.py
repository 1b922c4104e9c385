"""Reference values: what the build says a known-good image looks like to the hardware.

A bundle is an in-toto Statement v1 in a DSSE envelope, signed by the build key. The subject is the image with
its launch measurement as digest; the predicate is `https://bailiwick.dev/reference-values/v1`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cached_property
from typing import Annotated, Any, Final, Literal

from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from verifier import dsse
from verifier.errors import InvalidReferenceValues
from verifier.fields import Byte, Hex48, TcbFloor
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


class ReferenceValues(BaseModel):
    """The predicate of a bundle: the values of one image on one kind of hardware."""

    model_config = _STRICT

    image: Image
    tee: Literal["snp"]
    product: Product
    launch_measurements: Annotated[frozenset[Hex48], Field(min_length=1)]
    minimum_tcb: TcbFloor
    guest_policy: LaunchPolicy
    built_at: datetime

    @cached_property
    def name(self) -> str:
        """How policies and results call the image: `<name>-<version>`."""
        return f"{self.image.name}-{self.image.version}"

    @classmethod
    def from_statement(cls, statement: Mapping[str, Any]) -> ReferenceValues:
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


def read_bundle(
    envelope: Mapping[str, Any] | str | bytes, keys: Iterable[ec.EllipticCurvePublicKey]
) -> ReferenceValues:
    """Check a bundle's signature against the build keys and read it; InvalidReferenceValues otherwise."""
    try:
        statement = dsse.verify(envelope, keys).statement()
    except dsse.DsseError as error:
        raise InvalidReferenceValues(f"reference values: {error}") from None
    return ReferenceValues.from_statement(statement)


def _names_only(subjects: object, values: ReferenceValues) -> bool:
    """Whether the subjects are the image with launch measurements of the predicate, at least one."""
    if not isinstance(subjects, list) or not subjects:
        return False
    expected = [{"name": values.name, "digest": {"sha384": it}} for it in values.launch_measurements]
    return all(subject in expected for subject in subjects)
