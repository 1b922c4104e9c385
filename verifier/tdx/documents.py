"""The two documents that Intel signs about TCBs: TCB info and QE identity, read after their signature was checked.

Source: Intel PCS API v4, "TCB info" (version 3) and "enclave identity" (version 2). Members that are not known are
skipped, as Intel adds some; a member that occurs twice, or that is needed and not as specified, is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Annotated, Final, TypeVar

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator
from pydantic.alias_generators import to_camel

from verifier import canonical
from verifier.errors import VerificationFailed
from verifier.tdx.pck import COMPONENTS
from verifier.tdx.status import PART_STATUSES, PLATFORM_STATUSES, Rating, TcbStatus

TDX_ID: Final = "TDX"
TCB_INFO_VERSION: Final = 3
TD_QE_ID: Final = "TD_QE"
QE_IDENTITY_VERSION: Final = 2

D = TypeVar("D", bound="Document")


def _of_bytes(size: int) -> Callable[[object], bytes]:
    def read(value: object) -> bytes:
        if not isinstance(value, str) or len(value) != 2 * size:
            raise ValueError(f"{size} bytes in hex expected")
        return bytes.fromhex(value)

    return read


def _flags(size: int) -> Callable[[object], int]:
    """Hex of a little-endian bit field."""
    read = _of_bytes(size)
    return lambda value: int.from_bytes(read(value), "little")


def _components(value: object) -> bytes:
    """The SVNs of a list of 16 components, one byte each."""
    if not isinstance(value, list) or len(value) != COMPONENTS:
        raise ValueError(f"{COMPONENTS} components expected")
    try:
        return bytes([component["svn"] for component in value])
    except (KeyError, TypeError, ValueError):
        raise ValueError("a component has no svn from 0 to 255") from None


Svns = Annotated[bytes, BeforeValidator(_components)]
Svn = Annotated[int, Field(ge=0, le=0xFFFF, strict=True)]
Bytes2 = Annotated[bytes, BeforeValidator(_of_bytes(2))]
Bytes6 = Annotated[bytes, BeforeValidator(_of_bytes(6))]
Bytes32 = Annotated[bytes, BeforeValidator(_of_bytes(32))]
Bytes48 = Annotated[bytes, BeforeValidator(_of_bytes(48))]
Flags4 = Annotated[int, BeforeValidator(_flags(4))]
Flags8 = Annotated[int, BeforeValidator(_flags(8))]
Flags16 = Annotated[int, BeforeValidator(_flags(16))]


class _Member(BaseModel):
    model_config = ConfigDict(frozen=True, alias_generator=to_camel)


class _Level(_Member):
    tcb_status: TcbStatus
    tcb_date: AwareDatetime
    advisory_ids: Annotated[tuple[str, ...], Field(alias="advisoryIDs")] = ()

    @cached_property
    def rating(self) -> Rating:
        """What the level says of whoever reaches it."""
        return Rating(self.tcb_status, self.tcb_date, self.advisory_ids)


class PlatformTcb(_Member):
    """Lowest SVNs of a level: 16 SGX components, PCESVN, 16 TDX components."""

    sgx: Annotated[Svns, Field(alias="sgxtcbcomponents")]
    pcesvn: Svn
    tdx: Annotated[Svns, Field(alias="tdxtcbcomponents")]


class PlatformLevel(_Level):
    """A level of a platform's TCB."""

    tcb: PlatformTcb

    @field_validator("tcb_status")
    @classmethod
    def _stated(cls, value: TcbStatus) -> TcbStatus:
        if value not in PLATFORM_STATUSES:
            raise ValueError(f"{value} is not a status of a platform's level")
        return value


class PartTcb(_Member):
    """Lowest ISVSVN of a level."""

    isvsvn: Svn


class PartLevel(_Level):
    """A level of the TDX module's or the QE's TCB."""

    tcb: PartTcb

    @field_validator("tcb_status")
    @classmethod
    def _stated(cls, value: TcbStatus) -> TcbStatus:
        if value not in PART_STATUSES:
            raise ValueError(f"{value} is not a status of a TDX module or a QE")
        return value


class TdxModule(_Member):
    """Who signed the TDX module, 48 bytes, and its SEAMATTRIBUTES."""

    mrsigner: Bytes48
    attributes: Flags8
    attributes_mask: Flags8


class TdxModuleIdentity(TdxModule):
    """A TDX module of one major version, called `TDX_<major in hex>`; the case of the digits varies."""

    id: Annotated[str, Field(pattern=r"^TDX_[0-9A-Fa-f]{2}$")]
    tcb_levels: tuple[PartLevel, ...]

    @property
    def major(self) -> int:
        """The major version that the id states."""
        return int(self.id.removeprefix("TDX_"), 16)


class Document(_Member):
    """What both documents have. issue_date and next_update bound their validity."""

    id: str
    version: int
    issue_date: AwareDatetime
    next_update: AwareDatetime
    tcb_evaluation_data_number: Annotated[int, Field(ge=0, strict=True)]


class TcbInfo(Document):
    """TCB levels of the platforms with one FMSPC, best first."""

    fmspc: Bytes6
    pce_id: Bytes2
    tdx_module: TdxModule
    tdx_module_identities: tuple[TdxModuleIdentity, ...] = ()
    tcb_levels: tuple[PlatformLevel, ...]

    @field_validator("tdx_module_identities")
    @classmethod
    def _distinct(cls, value: tuple[TdxModuleIdentity, ...]) -> tuple[TdxModuleIdentity, ...]:
        if len({identity.major for identity in value}) != len(value):
            raise ValueError("a TDX module identity occurs twice")
        return value

    @cached_property
    def modules(self) -> Mapping[int, TdxModuleIdentity]:
        """Major version of the TDX module → its identity."""
        return {identity.major: identity for identity in self.tdx_module_identities}


class QeIdentity(Document):
    """The quoting enclave that may certify attestation keys."""

    miscselect: Flags4
    miscselect_mask: Flags4
    attributes: Flags16
    attributes_mask: Flags16
    mrsigner: Bytes32
    isvprodid: Annotated[int, Field(ge=0, le=0xFFFF, strict=True)]
    tcb_levels: tuple[PartLevel, ...]


def read_tcb_info(text: bytes) -> TcbInfo:
    """Read the signed bytes of a TCB info for TDX."""
    return _read(text, TcbInfo, "tcb-info", TDX_ID, TCB_INFO_VERSION)


def read_qe_identity(text: bytes) -> QeIdentity:
    """Read the signed bytes of the identity of the TDX quoting enclave."""
    return _read(text, QeIdentity, "qe-identity", TD_QE_ID, QE_IDENTITY_VERSION)


def _read(text: bytes, model: type[D], name: str, expected_id: str, expected_version: int) -> D:
    """Id and version are looked at first: they decide what the rest means."""
    try:
        members = canonical.parse_object(text)
    except canonical.JsonError as error:
        raise VerificationFailed(f"{name}.content", str(error)) from None
    for member, expected in (("id", expected_id), ("version", expected_version)):
        found = members.get(member)
        if found != expected:
            raise VerificationFailed(f"{name}.{member}", f"{member} is {found!r:.40}, {expected!r} expected")
    try:
        return model.model_validate(members)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise VerificationFailed(f"{name}.content", f"{where}: {first['msg'].removeprefix('Value error, ')}") from None
