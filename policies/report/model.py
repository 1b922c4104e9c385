"""What a check of one stack or several found, before anybody formats it."""

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import Final, Literal

from policies.rule import STACK_SUFFIX

EXIT_PASS: Final = 0
EXIT_VIOLATION: Final = 1
EXIT_UNUSABLE: Final = 2

Status = Literal["fail", "unknown", "waived", "pass", "not_applicable"]
STATUSES: Final[tuple[Status, ...]] = ("fail", "unknown", "waived", "pass", "not_applicable")
FOUND: Final[tuple[Status, ...]] = ("fail", "unknown", "waived")
"""Statuses that a person must read about one by one."""

_SURROGATE: Final = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Result:
    """What one rule says about one resource. `file` is relative to the project, `line` counts from 1, 0 if unknown;
    `known` tells that a baseline has it already."""

    rule: str
    urn: str
    status: Status
    level: str
    severity: str
    message: str = ""
    file: str = ""
    line: int = 0
    known: bool = False

    @property
    def blocks(self) -> bool:
        """Whether it makes the check fail. Unknown is not a pass."""
        return self.level == "mandatory" and self.status in ("fail", "unknown") and not self.known

    @property
    def name(self) -> str:
        """The resource's name, the last part of its URN."""
        return self.urn.split("::", 3)[-1]

    @property
    def place(self) -> str:
        """`stacks/__main__.py:12`, or nothing."""
        return f"{self.file}:{self.line}" if self.line else ""

    @property
    def fingerprint(self) -> str:
        """The same for the same finding in another run, wherever its line has moved."""
        return hashlib.sha256("\0".join((self.rule, self.urn, self.message)).encode(errors="replace")).hexdigest()

    def __reduce__(self) -> tuple[type["Result"], tuple[object, ...]]:
        """Pickles in half the time that a data class takes by itself: processes hand over tens of thousands."""
        return Result, _values(self)


_values: Final = attrgetter(*(field.name for field in fields(Result)))


@dataclass(frozen=True, slots=True)
class StackReport:
    """One stack, or one file of another tool. `file` is what it is declared in. With `error`, the judgement is not
    complete, and no pass."""

    stack: str
    file: str
    results: tuple[Result, ...] = ()
    error: str | None = None
    seconds: float = 0.0
    remedied: tuple[str, ...] = ()
    """What rules put right before they judged, one line each."""
    laws: tuple[str, ...] | None = None
    """Jurisdictions whose law can compel an operator that the stack depends on; None where nobody knows."""

    @property
    def exit_code(self) -> int:
        if self.error is not None:
            return EXIT_UNUSABLE
        return EXIT_VIOLATION if any(result.blocks for result in self.results) else EXIT_PASS

    @property
    def counts(self) -> dict[Status, int]:
        """Results by status, findings of the baseline left out."""
        counted = Counter(result.status for result in self.results if not result.known)
        return {status: counted[status] for status in STATUSES}

    def found(self) -> list[Result]:
        """What a person must read, what blocks first; nothing that the baseline has."""
        found = [result for result in self.results if result.status in FOUND and not result.known]
        return sorted(found, key=lambda result: (not result.blocks, result.rule, result.urn, result.message))


@dataclass(frozen=True, slots=True)
class Report:
    """The stacks of one run, and the ids of the rules that judged them."""

    stacks: tuple[StackReport, ...]
    rules: tuple[str, ...] = field(default=())

    @property
    def exit_code(self) -> int:
        """The worst of its stacks'; a run that judged nothing is no pass."""
        return max((stack.exit_code for stack in self.stacks), default=EXIT_UNUSABLE)

    def found(self) -> Iterator[tuple[StackReport, Result]]:
        for stack in self.stacks:
            for result in stack.found():
                yield stack, result


def rule_id(policy: str) -> str:
    """The rule of a policy: the stack policy of `KEY-06` is `KEY-06-stack`."""
    return policy.removesuffix(STACK_SUFFIX)


def summary(stack: StackReport) -> str:
    """`0 fail, 0 unknown, 1 waived, 159 pass, 912 not applicable`, and what the baseline holds back."""
    text = ", ".join(f"{count:,} {status.replace('_', ' ')}" for status, count in stack.counts.items())
    known = sum(result.known for result in stack.results)
    return f"{text}, {known:,} in the baseline" if known else text


def printable(text: str) -> str:
    """`text` without what a terminal or a parser would obey: names come from the program that is judged."""
    clean = _SURROGATE.sub("\ufffd", text)
    return "".join(" " if unicodedata.category(one) in ("Cc", "Cf", "Zl", "Zp") else one for one in clean)
