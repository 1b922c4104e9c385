"""The configuration of one verifier: where it is, what it trusts, which keys it may release, and under which policy.

A verifier machine gets it as customData from the components; `python -m verifier` reads the same document from a file.
It is all data and holds no secret: KEKs are named, never contained.
"""

from __future__ import annotations

import hashlib
import re
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from verifier import canonical
from verifier.appraisal.azure_policy import AzurePolicy
from verifier.appraisal.collateral_policy import CollateralPolicy
from verifier.appraisal.nitro_policy import NitroPolicy
from verifier.appraisal.nvidia_policy import NvidiaPolicy
from verifier.appraisal.policy import Demand
from verifier.appraisal.tdx_policy import TdxPolicy
from verifier.fields import ChipId, LaunchKey, TcbFloor
from verifier.signer import load_public_key

_RESOURCE = re.compile(r"[A-Za-z0-9._-]{1,64}(/[A-Za-z0-9._-]{1,64}){2}")
_MAX_TOKEN_SECONDS = 3600
DEMANDS = ("chips", "id_key_digests", "author_key_digests", "tdx", "azure", "nitro", "nvidia", "collateral")
"""Parts of a release policy that an appraisal policy has under the same name. One that is not there does not count for
the digest."""


def _readable(key: str) -> str:
    load_public_key(key)
    return key


PublicKey = Annotated[str, AfterValidator(_readable)]
"""PEM, SubjectPublicKeyInfo."""
TeeName = Literal["snp", "tdx", "az-snp-vtpm", "az-tdx-vtpm", "aws-snp-nitrotpm", "aws-nitro"]
"""Evidence, as the Key Broker Service protocol names it."""
ImageId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,126}$")]


class ConfigurationError(ValueError):
    """The configuration cannot be used. The message has one line for each problem, with its key path."""


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)


class Region(_Model):
    """Where this verifier runs, as its stack declared it: the source of the jurisdiction in every receipt."""

    cloud: str
    location: str
    jurisdiction: str


class ResourcePolicy(_Model):
    """Who may have one key. Deny by default: a guest that misses one of these gets nothing.

    tee: accepted TEEs. `az-snp-vtpm` and `az-tdx-vtpm` are Azure's, where the CPU measures a paravisor and a vTPM the
    image; who accepts those alone demands the vTPM. `aws-snp-nitrotpm` is AWS's, where the CPU measures the firmware
    and NitroTPM the image; `aws-nitro`, a Nitro document alone, rests on the word of the cloud's operator. images:
    `<name>-<version>` of signed reference values whose measurements are accepted. debug, migration: whether such guests
    are accepted. revocation: whether revocation lists and OCSP responses must have been at hand. max_token_seconds: how
    old an attestation result may be when it is used. SEV-SNP only: vmpl, accepted privilege levels; minimum_tcb, lowest
    security versions, on top of the image's own, None = the verifier's own floor; chips, CHIP_IDs of acceptable
    processors, None = any genuine one; id_key_digests, author_key_digests, who must have signed the launch, None =
    nobody need have. On Azure an accepted ID key vouches for the paravisor, so that a newer one needs no new reference
    values. tdx, azure, nitro: what a quote, a vTPM or a Nitro document must show; None = the defaults of an appraisal
    policy, under which every part of a TD must be UpToDate. nvidia: what GPUs must show, whose evidence is then
    demanded; None = no GPU is demanded, and one whose evidence comes is held to the defaults. collateral: how old it
    may be; None = of any age.
    """

    tee: tuple[TeeName, ...] = Field(min_length=1)
    images: tuple[ImageId, ...] = Field(min_length=1)
    debug: bool = False
    migration: bool = False
    vmpl: tuple[Annotated[int, Field(ge=0, le=3)], ...] = Field(default=(0,), min_length=1)
    minimum_tcb: TcbFloor | None = None
    chips: frozenset[ChipId] | None = None
    id_key_digests: Annotated[frozenset[LaunchKey], Field(min_length=1)] | None = None
    author_key_digests: Annotated[frozenset[LaunchKey], Field(min_length=1)] | None = None
    tdx: TdxPolicy | None = None
    azure: AzurePolicy | None = None
    nitro: NitroPolicy | None = None
    nvidia: NvidiaPolicy | None = None
    collateral: CollateralPolicy | None = None
    revocation: Demand = "if-given"
    max_token_seconds: int = Field(default=300, ge=1, le=_MAX_TOKEN_SECONDS)

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) of the policy's RFC 8785 form: receipts name the policy by it."""
        members = _sorted(self.model_dump(mode="json"))
        members = {name: value for name, value in members.items() if value is not None or name not in DEMANDS}
        return hashlib.sha256(canonical.encode(members)).hexdigest()


class Resource(_Model):
    """One key that may be released: its KBS path, the KEK it is wrapped under, and its policy."""

    path: str
    kek: str = Field(min_length=1, max_length=127)
    policy: ResourcePolicy

    @field_validator("path")
    @classmethod
    def _three_segments(cls, path: str) -> str:
        if not _RESOURCE.fullmatch(path) or ".." in path:
            raise ValueError("a resource path is <repository>/<type>/<tag> of A-Z a-z 0-9 . _ -")
        return path


class CollateralCache(_Model):
    """The region's own cache of the vendors' collateral (`verifier.collateral.cached`).

    url: where its bundle is. signers: public keys (PEM) of whoever may have signed that; empty: anybody.
    """

    url: str = Field(pattern=r"^https?://[^\s?#]+$", max_length=2048)
    signers: tuple[PublicKey, ...] = ()


class VerifierConfig(_Model):
    """The whole configuration, version 1."""

    version: Literal[1]
    role: Literal["verifier"]
    port: int = Field(default=8443, ge=1, le=65535)
    name: str = Field(min_length=1, max_length=253)
    region: Region
    trust_anchors: tuple[Literal["amd", "intel", "nvidia", "aws", "google", "sandbox"], ...] = Field(min_length=1)
    reference_values: tuple[dict[str, Any], ...] = ()
    build_keys: tuple[PublicKey, ...] = ()
    collateral: CollateralCache | None = None
    resources: tuple[Resource, ...] = ()

    @model_validator(mode="after")
    def _one_policy_per_key(self) -> Self:
        paths = [resource.path for resource in self.resources]
        repeated = sorted({path for path in paths if paths.count(path) > 1})
        if repeated:
            raise ValueError(f"resources: {repeated[0]} has more than one policy; one key has one policy")
        return self

    @classmethod
    def from_json(cls, text: bytes | str) -> VerifierConfig:
        """Read a configuration; ConfigurationError lists every problem with its key path."""
        try:
            return cls.model_validate(canonical.parse(text))
        except canonical.JsonError as error:
            raise ConfigurationError(f"the verifier's configuration is {error}") from None
        except ValidationError as error:
            raise ConfigurationError("\n".join(_problem(item) for item in error.errors())) from None

    @classmethod
    def from_file(cls, path: Path) -> VerifierConfig:
        """Read a configuration file."""
        try:
            return cls.from_json(path.read_bytes())
        except OSError as error:
            raise ConfigurationError(f"{path}: {error.strerror}; give the verifier's configuration file") from None

    @property
    def jurisdiction(self) -> dict[str, str]:
        """Where this verifier runs, with the source of that statement: in every result and every receipt."""
        return {
            "id": self.region.jurisdiction,
            "cloud": self.region.cloud,
            "location": self.region.location,
            "source": f"configuration of {self.name}",
        }

    def resource(self, path: str) -> Resource | None:
        """The resource at `path`, or None."""
        return next((resource for resource in self.resources if resource.path == path), None)


def _sorted(value: Any) -> Any:
    """Sets come as lists in no order; no list of a policy has one that matters."""
    if isinstance(value, dict):
        return {str(name): _sorted(item) for name, item in value.items()}
    return sorted(value) if isinstance(value, list) else value


def _problem(item: Any) -> str:
    where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in item["loc"]).lstrip(".")
    return f"{where or 'configuration'}: {item['msg'].removeprefix('Value error, ')}"
