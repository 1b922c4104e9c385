"""Appraisal policies: what a relying party demands of genuine evidence, as data.

The defaults deny: production guests only, VMPL 0, a measurement from signed reference values, a nonce. A field
whose default is None is not checked until it is set. Each way to weaken the defaults is a field of its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Final

import yaml
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    WithJsonSchema,
    field_validator,
)

from verifier import yaml_files
from verifier.appraisal.azure_policy import AzurePolicy
from verifier.appraisal.collateral_policy import CollateralPolicy
from verifier.appraisal.google_policy import GooglePolicy
from verifier.appraisal.nitro_policy import NitroPolicy
from verifier.appraisal.nvidia_policy import NvidiaPolicy
from verifier.appraisal.tdx_policy import TdxPolicy
from verifier.appraisal.token_policy import TokenPolicy
from verifier.errors import InvalidPolicy
from verifier.fields import Byte, ChipId, Demand, Hex16, Hex32, Hex48, TcbFloor
from verifier.pki.files import read_bytes
from verifier.snp.layout import PlatformInfo
from verifier.snp.product import Product

__all__ = ["DEFAULT_POLICY", "AppraisalPolicy", "Demand", "TcbFloor", "tcb_floors"]

POLICY_DATA: Final = Path(__file__).parent.parent / "policy"
DEFAULT_POLICY: Final = POLICY_DATA / "default.yaml"
MAX_POLICY_BYTES: Final = 262_144


_PLATFORM_FLAGS: Final = {flag.name.lower().replace("_", "-"): flag for flag in PlatformInfo}


def _platform_flag(value: object) -> object:
    if isinstance(value, str):
        if value not in _PLATFORM_FLAGS:
            raise ValueError(f"{value!r} is not one of {', '.join(_PLATFORM_FLAGS)}")
        return _PLATFORM_FLAGS[value]
    return value


PlatformFlag = Annotated[PlatformInfo, BeforeValidator(_platform_flag), WithJsonSchema({"enum": list(_PLATFORM_FLAGS)})]


def _or_a_set(schema: dict[str, Any]) -> None:
    """Floors in a JSON schema: written out, or by the name of a set."""
    written = {name: schema.pop(name) for name in ("additionalProperties", "propertyNames", "type")}
    schema["anyOf"] = [written, {"enum": list(_sets())}]


class AppraisalPolicy(BaseModel):
    """What evidence must show to be affirmed. A file of it is YAML or JSON with these keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field("bailiwick-strict", min_length=1, description="Name of the policy; it appears in results.")

    reference_values: Demand = Field(
        "required",
        description="Whether the launch measurement must be among the reference values. if-given: only where there are "
        "any, of whatever hardware, or where the policy names images, or lists RTMRs or PCRs, if of other evidence.",
    )
    images: frozenset[str] | None = Field(
        None, description="Reference values (<image>-<version>) that are acceptable; None: any that is given."
    )
    freshness: Demand = Field("required", description="Whether REPORT_DATA must equal an expected value.")
    revocation: Demand = Field("if-given", description="Whether a CRL must have been consulted.")

    minimum_tcb: Mapping[Product, TcbFloor] = Field(
        default_factory=lambda: tcb_floors("amd-sb-3019"),
        description="Product → lowest REPORTED, COMMITTED and LAUNCH TCB, or the name of a set in "
        "minimum-tcb.yaml. A product that is not listed is not acceptable.",
        json_schema_extra=_or_a_set,
    )
    minimum_firmware: tuple[Byte, Byte, Byte] | None = Field(
        None, description="Lowest committed SNP firmware: major, minor, build."
    )
    allow_provisional_firmware: bool = Field(
        True, description="Whether firmware may run that is newer than the committed one."
    )
    platform_required: frozenset[PlatformFlag] = Field(
        frozenset(), description="PLATFORM_INFO flags that must be set, for example alias-check-complete."
    )
    platform_forbidden: frozenset[PlatformFlag] = Field(
        frozenset(), description="PLATFORM_INFO flags that must be clear, for example smt-enabled."
    )
    mitigations: Annotated[int, Field(ge=0, lt=1 << 64)] | None = Field(
        None, description="Bits that CURRENT_MIT_VECTOR must have; only reports of version 5 can."
    )
    allow_masked_chip_id: bool = Field(False, description="Whether a VCEK's report may hide its CHIP_ID.")
    chips: frozenset[ChipId] | None = Field(None, description="CHIP_IDs (hex) of the acceptable processors.")
    csp_ids: frozenset[str] | None = Field(None, description="cspIDs of acceptable VLEKs.")

    vmpl: frozenset[Annotated[int, Field(ge=0, le=3)]] = Field(
        frozenset({0}), description="Privilege levels from which the report may come."
    )
    allow_debug: bool = Field(False, description="Whether the host may debug, and so read, the guest.")
    allow_migration: bool = Field(False, description="Whether a migration agent may be bound to the guest.")
    migration_agents: frozenset[Hex32] | None = Field(
        None, description="REPORT_ID_MAs (hex) of the migration agents that may be bound; no other may, then."
    )
    allow_smt: bool = Field(True, description="Whether the guest's policy may allow SMT.")
    allow_cxl: bool = Field(False, description="Whether the guest's policy may allow CXL devices.")
    require_single_socket: bool = Field(False, description="Whether the guest must be kept on one socket.")
    require_aes_256_xts: bool = Field(False, description="Whether memory must be encrypted with AES-256 in XTS mode.")
    require_rapl_disabled: bool = Field(False, description="Whether the host must be kept from measuring power (RAPL).")
    require_ciphertext_hiding: bool = Field(False, description="Whether ciphertext must be hidden from the host.")
    require_page_swap_disabled: bool = Field(False, description="Whether the host must be kept from swapping pages.")
    minimum_abi: tuple[Byte, Byte] = Field((0, 0), description="Lowest ABI (major, minor) the guest's policy names.")
    minimum_guest_svn: int = Field(0, ge=0, lt=1 << 32, description="Lowest GUEST_SVN.")
    host_data: frozenset[Hex32] | None = Field(None, description="Acceptable HOST_DATA (hex).")
    id_key_digests: frozenset[Hex48] | None = Field(None, description="Acceptable ID_KEY_DIGESTs (hex).")
    author_key_digests: frozenset[Hex48] | None = Field(None, description="Acceptable AUTHOR_KEY_DIGESTs (hex).")
    family_ids: frozenset[Hex16] | None = Field(None, description="Acceptable FAMILY_IDs (hex).")
    image_ids: frozenset[Hex16] | None = Field(None, description="Acceptable IMAGE_IDs (hex).")

    tdx: TdxPolicy = Field(default_factory=TdxPolicy, description="Further demands on Intel TDX quotes.")
    nvidia: NvidiaPolicy = Field(
        default_factory=NvidiaPolicy, description="Further demands on NVIDIA GPUs and NVSwitches."
    )
    azure: AzurePolicy = Field(
        default_factory=AzurePolicy, description="Further demands on Azure confidential VMs and their vTPMs."
    )
    google: GooglePolicy = Field(
        default_factory=GooglePolicy, description="Further demands on the firmware of Google's confidential VMs."
    )
    nitro: NitroPolicy = Field(
        default_factory=NitroPolicy, description="Further demands on AWS Nitro attestation documents."
    )
    tokens: TokenPolicy = Field(
        default_factory=TokenPolicy, description="Whose attestation tokens are believed, and for what."
    )

    collateral: CollateralPolicy = Field(
        default_factory=CollateralPolicy, description="Demands on the age of collateral."
    )

    @field_validator("minimum_tcb", mode="before")
    @classmethod
    def _named_set(cls, value: object) -> object:
        return tcb_floors(value) if isinstance(value, str) else value

    @cached_property
    def identifier(self) -> str:
        """Name and SHA-256 of what the policy says, for results and receipts."""
        content = yaml.safe_dump(_plain(self.model_dump()), sort_keys=True)
        return f"{self.id}@sha256:{hashlib.sha256(content.encode()).hexdigest()}"

    @property
    def lists(self) -> str:
        """The keys under which it lists what may have booted. One for this evidence is no answer if it is asked: what
        firmware that nobody knows says of the rest, in RTMRs or PCRs, is as good as nothing."""
        tdx = self.tdx
        listed = {
            "tdx.mr_td": tdx.mr_td,
            "tdx.rtmr0": tdx.rtmr0,
            "tdx.rtmr1": tdx.rtmr1,
            "tdx.rtmr2": tdx.rtmr2,
            "tdx.rtmr3": tdx.rtmr3,
            "azure.pcrs": self.azure.pcrs,
            "google.pcrs": self.google.pcrs,
            "nitro.pcrs": self.nitro.pcrs,
        }
        return ", ".join(name for name, values in listed.items() if values is not None)

    @classmethod
    def load(cls, path: Path) -> AppraisalPolicy:
        """Read a policy file; InvalidPolicy lists every key that is wrong."""
        text = read_bytes(path, MAX_POLICY_BYTES)
        try:
            content = yaml_files.read(text)
        except yaml_files.YamlError as error:
            where = str(path) if error.line is None else f"{path}:{error.line}"
            raise InvalidPolicy(f"{where}: {error}") from None
        if not isinstance(content, dict):
            raise InvalidPolicy(f"{path}: a policy is a mapping of keys, {type(content).__name__} found")
        try:
            return cls.model_validate(content)
        except ValidationError as error:
            problems = "; ".join(
                f"{'.'.join(map(str, problem['loc']))}: {problem['msg'].removeprefix('Value error, ')}"
                for problem in error.errors()
            )
            raise InvalidPolicy(f"{path}: {problems}") from None


def tcb_floors(name: str) -> dict[Product, TcbFloor]:
    """A set of minimum-tcb.yaml; ValueError names the sets there are."""
    sets = _sets()
    if name not in sets:
        raise ValueError(f"no set of minimum TCBs is called {name!r}; there are {', '.join(sets)}")
    return {Product(product): TcbFloor.model_validate(floor) for product, floor in sets[name]["products"].items()}


def _sets() -> dict[str, Any]:
    content: dict[str, Any] = yaml_files.packaged(POLICY_DATA / "minimum-tcb.yaml")
    return content


def _plain(value: Any) -> Any:
    """Sets as sorted lists, enums as their values, so that equal policies have equal text."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, frozenset):
        return sorted(_plain(item) for item in value)
    if isinstance(value, StrEnum):
        return str(value)
    return int(value) if isinstance(value, PlatformInfo) else value
