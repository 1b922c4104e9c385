"""Intel's words for how current a TCB is, and what several of them say together.

Source: Intel PCS API v4 (TCB info: tcbStatus); "Intel SGX and TDX DCAP Quote Verification Library", 4.1.2.4.17:
convergence of platform, TDX module and QE, and the check for a relaunch.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple


class TcbStatus(StrEnum):
    """Status of a TCB level, as the collateral spells it."""

    UP_TO_DATE = "UpToDate"
    SW_HARDENING_NEEDED = "SWHardeningNeeded"
    CONFIGURATION_NEEDED = "ConfigurationNeeded"
    CONFIGURATION_AND_SW_HARDENING_NEEDED = "ConfigurationAndSWHardeningNeeded"
    TD_RELAUNCH_ADVISED = "TDRelaunchAdvised"
    TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED = "TDRelaunchAdvisedConfigurationNeeded"
    OUT_OF_DATE = "OutOfDate"
    OUT_OF_DATE_CONFIGURATION_NEEDED = "OutOfDateConfigurationNeeded"
    REVOKED = "Revoked"


PLATFORM_STATUSES: Final = frozenset(TcbStatus) - {
    TcbStatus.TD_RELAUNCH_ADVISED,
    TcbStatus.TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED,
}
"""What a platform's level may say: a relaunch is never stated, it is concluded."""

PART_STATUSES: Final = frozenset({TcbStatus.UP_TO_DATE, TcbStatus.OUT_OF_DATE, TcbStatus.REVOKED})
"""What a level of the TDX module or the QE may say."""

OUT_OF_DATE: Final = frozenset({TcbStatus.OUT_OF_DATE, TcbStatus.OUT_OF_DATE_CONFIGURATION_NEEDED})

_CONFIGURATION: Final = frozenset(
    {
        TcbStatus.CONFIGURATION_NEEDED,
        TcbStatus.CONFIGURATION_AND_SW_HARDENING_NEEDED,
        TcbStatus.OUT_OF_DATE_CONFIGURATION_NEEDED,
    }
)


class Rating(NamedTuple):
    """The level of a TCB that a part reaches. date: of the newest update it has (tcbDate)."""

    status: TcbStatus
    date: datetime
    advisories: tuple[str, ...]


def converge(platform: TcbStatus, part: TcbStatus) -> TcbStatus:
    """The status of a platform of which `part`, the TDX module or the QE, has a status of its own."""
    if TcbStatus.REVOKED in {platform, part}:
        return TcbStatus.REVOKED
    if part is not TcbStatus.OUT_OF_DATE:
        return platform
    return TcbStatus.OUT_OF_DATE_CONFIGURATION_NEEDED if platform in _CONFIGURATION else TcbStatus.OUT_OF_DATE


def after_update(launched: TcbStatus, running: TcbStatus) -> TcbStatus:
    """The status of a TD that was launched on one TCB and runs, TDX module updated under it, on another.

    An update cures the platform but not what the TD did before it: a relaunch is advised.
    """
    if launched not in OUT_OF_DATE or running in OUT_OF_DATE or running is TcbStatus.REVOKED:
        return launched
    if {launched, running} & _CONFIGURATION:
        return TcbStatus.TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED
    return TcbStatus.TD_RELAUNCH_ADVISED
