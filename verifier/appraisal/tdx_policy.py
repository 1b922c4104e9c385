"""The part of an appraisal policy that is about Intel TDX: key `tdx` of a policy file.

The defaults deny: an up-to-date TCB, no debug, no attribute that widens what a TD or its host may do.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from verifier.fields import Days, Demand, Hex16, Hex48
from verifier.tdx.status import TcbStatus

AcceptableStatus = Literal[
    TcbStatus.UP_TO_DATE,
    TcbStatus.SW_HARDENING_NEEDED,
    TcbStatus.CONFIGURATION_NEEDED,
    TcbStatus.CONFIGURATION_AND_SW_HARDENING_NEEDED,
    TcbStatus.TD_RELAUNCH_ADVISED,
    TcbStatus.TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED,
    TcbStatus.OUT_OF_DATE,
    TcbStatus.OUT_OF_DATE_CONFIGURATION_NEEDED,
]
"""Every status but Revoked, which no policy can accept."""

Advisory = Annotated[str, Field(pattern=r"^INTEL-SA-[0-9]{5}$")]
Values = frozenset[Hex48] | None

USUAL_XFAM: Final = 0x65AE7
"""x87, SSE, AVX, AVX-512, PKRU, CET, user interrupts, AMX: what TDs of the large clouds use. Not processor trace,
supervisor-only states or last branch records, which tell more about a guest."""


class TdxPolicy(BaseModel):
    """What a TDX quote must show to be affirmed, beyond what policies demand of every kind of evidence."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    statuses: frozenset[AcceptableStatus] = Field(
        frozenset({TcbStatus.UP_TO_DATE}),
        description="Acceptable TCB statuses. One other than UpToDate is accepted only if `advisories` lists "
        "every advisory that applies.",
    )
    advisories: frozenset[Advisory] = Field(
        frozenset(), description="Advisories (INTEL-SA-…) that the operator has dealt with or accepts."
    )
    out_of_date_grace_days: Days | None = Field(
        None, description="Accept OutOfDate while the TCB date is at most so many days old; None: never."
    )
    minimum_tcb_date: date | None = Field(None, description="Earliest acceptable TCB date, of the oldest part.")
    minimum_evaluation_number: int = Field(
        0, ge=0, description="Lowest tcbEvaluationDataNumber of the TCB info and the QE identity."
    )
    maximum_collateral_age_days: Days | None = Field(
        None, description="How many days ago the TCB info and the QE identity may have been issued."
    )
    ppids: frozenset[Hex16] | None = Field(None, description="PPIDs (hex) of the acceptable platforms.")

    require_sept_ve_disable: bool = Field(
        True,
        description="Whether SEPT_VE_DISABLE must be set, so that the host cannot inject #VE by unmapping pages. "
        "TDs under Azure's paravisor of 2023 and 2024 have it clear.",
    )
    allow_protection_keys: bool = Field(False, description="Whether the TD may use supervisor protection keys (PKS).")
    allow_key_locker: bool = Field(False, description="Whether the TD may use Key Locker (KL).")
    allow_perfmon: bool = Field(False, description="Whether the TD may use performance monitoring (PERFMON).")
    xfam: Annotated[int, Field(ge=0, lt=1 << 64)] = Field(
        USUAL_XFAM, description="Mask of the extended features (XFAM) that the TD may use."
    )
    service_tds: frozenset[Hex48] = Field(
        frozenset(), description="Acceptable MRSERVICETDs (hex); none bound is always acceptable."
    )
    allow_padding: bool = Field(True, description="Whether zero bytes may follow the quote.")
    event_log: Demand = Field(
        "if-given", description="Whether the firmware's event log (CCEL) must come with the quote."
    )

    mr_seam: Values = Field(None, description="Acceptable MRSEAMs (hex): builds of the TDX module.")
    mr_td: Values = Field(None, description="Acceptable MRTDs (hex): the firmware a TD starts with.")
    mr_config_id: Values = Field(None, description="Acceptable MRCONFIGIDs (hex).")
    mr_owner: Values = Field(None, description="Acceptable MROWNERs (hex).")
    mr_owner_config: Values = Field(None, description="Acceptable MROWNERCONFIGs (hex).")
    rtmr0: Values = Field(None, description="Acceptable RTMR0s (hex): configuration of the firmware.")
    rtmr1: Values = Field(None, description="Acceptable RTMR1s (hex): boot loader and kernel.")
    rtmr2: Values = Field(None, description="Acceptable RTMR2s (hex): command line and initial file system.")
    rtmr3: Values = Field(None, description="Acceptable RTMR3s (hex): what the workload extended.")
