"""The release policy of one key: to whom an HSM may hand it, in no cloud's language.

A policy denies by default: it states what attested hardware must prove, and whoever does not prove all of it gets
nothing. `components.release.azure` compiles it to the one language that the Azure key services evaluate; what a target
cannot express stays in `Compiled.cannot_express`, so that nobody believes in a check that nobody makes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

import catalog


class Tee(StrEnum):
    """Trusted execution environments, named as the catalogue names them."""

    SNP = "snp"
    TDX = "tdx"


class ReleasePolicyError(ValueError):
    """A policy that cannot be compiled without letting in more than it says; `str(error)` is one line."""


def _origin(uri: str) -> str:
    parts = urlsplit(uri)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/") or parts.query:
        raise ValueError(f"an authority is an origin such as https://verifier.example, not {uri!r}")
    return f"{parts.scheme}://{parts.hostname}" + (f":{parts.port}" if parts.port else "")


Measurement = Annotated[str, Field(pattern=r"^[0-9a-f]{96}$")]
"""A launch measurement: SHA-384, 48 bytes, lower-case hexadecimal (SEV-SNP ABI, MEASUREMENT of the report)."""

Svn = Annotated[int, Field(ge=0, le=255)]
"""A security version number: one byte of TCB_VERSION (SEV-SNP ABI, TCB_VERSION)."""


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)


class MinimumTcb(_Model):
    """The oldest platform firmware that may receive the key; each number is a floor (SEV-SNP ABI, TCB_VERSION)."""

    bootloader: Svn
    tee: Svn
    snp: Svn
    microcode: Svn


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
    launch_measurements: tuple[Measurement, ...] = Field(min_length=1)
    """Images that may receive the key, by the measurement of their launch."""
    minimum_tcb: MinimumTcb | None = None
    """The oldest SEV-SNP platform firmware that may receive it; None where no SEV-SNP machine may. On Intel TDX the
    verifier holds the platform to Intel's TCB status."""
    authorities: tuple[Authority, ...] = Field(min_length=1)
    """Verifiers whose word the key service takes."""
    vmpl: tuple[Annotated[int, Field(ge=0, le=3)], ...] = (0,)
    """Privilege levels inside the guest that may ask (SEV-SNP ABI, VMPL); 0 is the most privileged."""
    allow_debug: bool = False
    """Weakness: release to a guest that the host can debug, which means read."""
    allow_migration: bool = False
    """Weakness: release to a guest that a migration agent may move to another host."""
    max_token_seconds: int = Field(default=300, ge=1, le=3600)
    """How old an attestation result may be, in seconds."""

    @model_validator(mode="after")
    def _floor_for_snp(self) -> Self:
        if Tee.SNP in self.tees and self.minimum_tcb is None:
            raise ValueError("minimum_tcb: a policy for SEV-SNP machines has one")
        return self

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


@dataclass(frozen=True, slots=True)
class Compiled:
    """A release policy in one target's language."""

    target: str
    document: dict[str, Any]
    """The policy as the target's JSON value."""
    cannot_express: Sequence[Inexpressible]
    """Conditions that the document does not hold. Never a reason to release more than the policy's other conditions."""
