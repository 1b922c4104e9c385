"""For how long a region must keep its audit trail."""

from components.errors import InputError

LEGAL_MINIMUM_DAYS = 183
"""Six months: how long a deployer of a high-risk AI system keeps its logs (Regulation (EU) 2024/1689, 26(6))."""


def check_retention(component: str, days: int, longest: int) -> None:
    """Raise `InputError` in the name of `component` unless `days` lie between the law's least and the cloud's most."""
    if not LEGAL_MINIMUM_DAYS <= days <= longest:
        raise InputError(
            component,
            "retention_days",
            f"{days} is not between {LEGAL_MINIMUM_DAYS} and {longest} days",
            str(min(max(days, LEGAL_MINIMUM_DAYS), longest)),
        )
