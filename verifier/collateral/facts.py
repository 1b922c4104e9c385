"""What an object says of itself, once its vendor's signature over it has been verified up to a pinned root."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from verifier.collateral import amd, google, intel, nvidia
from verifier.collateral.record import CollateralError, Kind, Record
from verifier.errors import MalformedEvidence, VerificationFailed
from verifier.trust import TrustStore


@dataclass(frozen=True, slots=True)
class Facts:
    """When a genuine object is valid; next_update None: it states no end."""

    not_before: datetime
    next_update: datetime | None


Period = tuple[datetime, datetime | None]
Inspect = Callable[[str, bytes, TrustStore], Period]

_INSPECT: Final[dict[Kind, Inspect]] = {
    Kind.VCEK: amd.inspect_vcek,
    Kind.VLEK: amd.inspect_vlek,
    Kind.AMD_CHAIN: amd.inspect_chain,
    Kind.AMD_CRL: amd.inspect_crl,
    Kind.TCB_INFO: intel.inspect_tcb_info,
    Kind.QE_IDENTITY: intel.inspect_qe_identity,
    Kind.PCK_CRL: intel.inspect_pck_crl,
    Kind.ROOT_CRL: intel.inspect_root_crl,
    Kind.RIM: nvidia.inspect_rim,
    Kind.OCSP: nvidia.inspect_ocsp,
    Kind.LAUNCH_ENDORSEMENT: google.inspect,
}


def inspect(kind: Kind, subject: str, content: bytes, trust: TrustStore) -> Facts:
    """Verify an object, whatever the time; CollateralError when it is not genuine or is about something else."""
    try:
        return Facts(*_INSPECT[kind](subject, content, trust))
    except (MalformedEvidence, VerificationFailed) as error:
        raise CollateralError(f"{kind}/{subject}: {error}") from None


def require_genuine(record: Record, content: bytes, trust: TrustStore) -> None:
    """CollateralError unless the object is genuine and valid as long as its entry says."""
    facts = inspect(record.kind, record.subject, content, trust)
    if (facts.not_before, facts.next_update) != (record.not_before, record.next_update):
        raise CollateralError(f"{record.name}: its entry states another validity than the object; fetch it again")
