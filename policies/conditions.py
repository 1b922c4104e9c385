"""What a value must be to satisfy a control, in words that a person reads too."""

import re
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Protocol


class Condition(Protocol):
    """What a value must be; `allowed` says it to a person."""

    @property
    def allowed(self) -> str: ...

    def holds(self, value: object) -> bool: ...


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of these values; letter case does not matter, as it does not to the clouds."""

    values: tuple[str | bool, ...]

    @property
    def allowed(self) -> str:
        return " or ".join(str(value).lower() if isinstance(value, bool) else value for value in self.values)

    def holds(self, value: object) -> bool:
        if isinstance(value, str):
            return any(isinstance(one, str) and one.casefold() == value.casefold() for one in self.values)
        return isinstance(value, bool) and any(one is value for one in self.values)


@dataclass(frozen=True, slots=True)
class AtLeast:
    """A number that is not below `minimum`."""

    minimum: int
    unit: str

    @property
    def allowed(self) -> str:
        return f"at least {self.minimum} {self.unit}"

    def holds(self, value: object) -> bool:
        return isinstance(value, int | float) and not isinstance(value, bool) and value >= self.minimum


@dataclass(frozen=True, slots=True)
class AtMost:
    """A number above zero that is not above `maximum`."""

    maximum: int
    unit: str

    @property
    def allowed(self) -> str:
        return f"at most {self.maximum} {self.unit}"

    def holds(self, value: object) -> bool:
        return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= self.maximum


@dataclass(frozen=True, slots=True)
class Exactly:
    """This number."""

    number: int
    unit: str

    @property
    def allowed(self) -> str:
        return f"{self.number} {self.unit}"

    def holds(self, value: object) -> bool:
        return isinstance(value, int | float) and not isinstance(value, bool) and value == self.number


@dataclass(frozen=True, slots=True)
class Matching:
    """A text of this form (a regular expression that the whole text must match)."""

    pattern: str
    allowed: str

    def holds(self, value: object) -> bool:
        return isinstance(value, str) and re.fullmatch(self.pattern, value) is not None


_PERIOD = re.compile(r"P(?:(\d{1,3})Y)?(?:(\d{1,4})M)?(?:(\d{1,4})W)?(?:(\d{1,5})D)?(?:T[\dHMS.]+)?")


@dataclass(frozen=True, slots=True)
class WithinDays:
    """A duration (ISO 8601, `P90D`; or seconds, `7776000s`) that is not longer; a month counts 31 days, a year 366."""

    days: int

    @property
    def allowed(self) -> str:
        return f"at most {self.days} days"

    def holds(self, value: object) -> bool:
        if not isinstance(value, str):
            return False
        if re.fullmatch(r"\d{1,12}s", value):
            return 0 < int(value[:-1]) <= self.days * 86_400
        match = _PERIOD.fullmatch(value)
        if match is None:
            return False
        years, months, weeks, days = (int(part or 0) for part in match.groups())
        return 0 < years * 366 + months * 31 + weeks * 7 + days <= self.days


@dataclass(frozen=True, slots=True)
class NotSooner:
    """A duration in seconds (`7776000s`) of this many days or more."""

    days: int

    @property
    def allowed(self) -> str:
        return f"at least {self.days} days, in seconds ({self.days * 86_400}s)"

    def holds(self, value: object) -> bool:
        return (
            isinstance(value, str) and bool(re.fullmatch(r"\d{1,12}s", value)) and int(value[:-1]) >= self.days * 86_400
        )


# RFC 1918 and RFC 4193; `is_private` of `ipaddress` also covers ranges that are routed on the Internet.
PRIVATE_RANGES = tuple(
    ip_network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
)
"""RFC 1918, and the shared space of RFC 6598, which no public network routes: clusters give it to their pods."""


def is_private(range_: str) -> bool:
    """Whether `range_`, an address or a range of addresses, is private; False for what is neither."""
    try:
        network = ip_network(range_, strict=False)
    except ValueError:
        return False
    return any(network.version == own.version and network.subnet_of(own) for own in PRIVATE_RANGES)  # type: ignore[arg-type]


EVERYWHERE = ("0.0.0.0/0", "::/0")
"""Every address, as clouds write it."""


@dataclass(frozen=True, slots=True)
class PrivateRange:
    """A private range of addresses, or one of `others` that the cloud itself keeps for its own: not the public's."""

    others: tuple[str, ...] = ()

    @property
    def allowed(self) -> str:
        return " or ".join(("a private range of addresses", *self.others))

    def holds(self, value: object) -> bool:
        return isinstance(value, str) and (is_private(value) or value.casefold() in map(str.casefold, self.others))
