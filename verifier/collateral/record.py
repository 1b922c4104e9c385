"""What a collateral store knows about one object: what it is, whom it is about, and how long it holds."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Final, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from verifier.errors import VerifierError

_REFRESH_BEFORE: Final = 4
"""A quarter of its life before it ends, an object is due: a publisher has that long to bring a new one."""


class CollateralError(VerifierError):
    """Collateral that cannot be had, read or believed; the message names the object, and what would be right."""


class Kind(StrEnum):
    """What an object is. The value names its folder in the index, and the key of its age limit in a policy."""

    VCEK = "amd-vcek"
    VLEK = "amd-vlek"
    AMD_CHAIN = "amd-chain"
    AMD_CRL = "amd-crl"
    TCB_INFO = "intel-tcb-info"
    QE_IDENTITY = "intel-qe-identity"
    PCK_CRL = "intel-pck-crl"
    ROOT_CRL = "intel-root-crl"
    RIM = "nvidia-rim"
    OCSP = "nvidia-ocsp"
    LAUNCH_ENDORSEMENT = "google-launch-endorsement"

    @property
    def is_reissued(self) -> bool:
        """Whether its vendor issues it again and again, so that its age counts from its issue, which is signed."""
        return self in _REISSUED


_REISSUED: Final = frozenset({Kind.AMD_CRL, Kind.TCB_INFO, Kind.QE_IDENTITY, Kind.PCK_CRL, Kind.ROOT_CRL, Kind.OCSP})

Subject = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$")]
SUBJECT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")


class Record(BaseModel):
    """One entry of the index; the object itself is found by its hash.

    subject: whom it is about, in the characters of a file name (`verifier.collateral.needs` spells them). sha256: of
    the object, hex. source: where it came from, a URL or a file. fetched_at: when. not_before: when it was issued, or
    becomes valid. next_update: when it ends; None: it states no end.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind
    subject: Subject
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    size: Annotated[int, Field(ge=1)]
    source: Annotated[str, Field(max_length=2048)]
    fetched_at: AwareDatetime
    not_before: AwareDatetime
    next_update: AwareDatetime | None = None

    @property
    def name(self) -> str:
        """How people and messages call the object."""
        return f"{self.kind}/{self.subject}"

    def to_json(self) -> bytes:
        """The entry's file: one member a line, in a fixed order, so that it reads well in a diff."""
        return self.model_dump_json(indent=2).encode() + b"\n"

    @classmethod
    def from_json(cls, text: bytes, where: str) -> Self:
        """Read an entry; CollateralError names `where` it is."""
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            first = error.errors()[0]
            member = ".".join(map(str, first["loc"])) or "entry"
            raise CollateralError(f"{where}: {member}: {first['msg']}; fetch or import it again") from None

    def age(self, at: datetime) -> timedelta:
        """Since its vendor issued it, or, for what is issued once, since it was fetched."""
        return at - (self.not_before if self.kind.is_reissued else self.fetched_at)

    def is_expired(self, at: datetime) -> bool:
        """Whether it ended before `at`."""
        return self.next_update is not None and at > self.next_update

    def is_due(self, at: datetime) -> bool:
        """Whether it should be fetched again: less than a quarter of its life is left."""
        if self.next_update is None:
            return False
        return at > self.next_update - (self.next_update - self.not_before) / _REFRESH_BEFORE
