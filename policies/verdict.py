"""What a rule finds, and how a finding reads.

Every message has one form: rule, resource, property, what was found, what is allowed, how to fix it. Values reach a
message through `shown` only: the SDK hands secrets to rules as plain text (pulumi-policy 1.21, `deserialize.py`), so
that nothing is printed that is not a word of the catalogue or of a cloud's own enumerations.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from policies.conditions import OneOf
from policies.subject import Resource
from policies.terms import Setting, Unwanted

UNKNOWN_PREFIX = "unknown: "
LARGEST_SHOWN = 10_000
"""Numbers above this are not printed: retention days and priorities are below, PINs and key material are not."""


class NotApplicable(Exception):  # noqa: N818 - named for what it says
    """The rule has nothing to say about this resource or stack; the text says why."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One breach. `found` continues "<path> …", `allowed` continues "allowed: …".

    `on` is the resource of a stack rule's finding; None where it is about the stack. `fix` overrides the rule's
    remediation. `unknown` marks a value that exists only after deployment.
    """

    path: str
    found: str
    allowed: str
    on: Resource | None = None
    fix: str | None = None
    unknown: bool = False

    def message(self, rule: str, on: Resource | None, fix: str) -> str:
        """The one line that a person reads; one that says `unknown: ` first is about an unknown value."""
        resource = self.on or on
        where = f"{resource.type} {resource.name!a}" if resource else "stack"
        prefix = UNKNOWN_PREFIX if self.unknown else ""
        return f"{prefix}{rule} {where}: {self.path} {self.found}; allowed: {self.allowed}; fix: {self.fix or fix}"


def unknown(path: str, allowed: str = "a value known before deployment", on: Resource | None = None) -> Finding:
    """The finding for a value that a rule needs and that exists only after deployment."""
    return Finding(
        path,
        "is known only after deployment, and this rule does not pass what it cannot read",
        allowed,
        on,
        fix=f"state {path} as a value that does not depend on a resource",
        unknown=True,
    )


def require(setting: Setting, on: Resource | None = None) -> Iterator[Finding]:
    """A finding unless `setting` holds; an unknown value does not."""
    found = setting.property
    allowed = setting.condition.allowed
    if found.unknown:
        yield unknown(found.path, allowed, on)
    elif not found.stated:
        if not setting.unless_stated:
            yield Finding(found.path, "is not stated", allowed, on)
    elif not setting.condition.holds(found.value):
        words = setting.words
        if isinstance(setting.condition, OneOf):
            words += tuple(value for value in setting.condition.values if isinstance(value, str))
        yield Finding(found.path, f"is {shown(found.value, words)}", allowed, on)


def refuse(unwanted: Unwanted, on: Resource | None = None) -> Iterator[Finding]:
    """A finding if `unwanted` is there at all."""
    if unwanted.property.stated:
        yield Finding(unwanted.property.path, f"makes {unwanted.what}", "nothing here", on)


def meet(wanted: Setting | Unwanted, on: Resource | None = None) -> Iterator[Finding]:
    """A finding unless `wanted` is as the control needs it."""
    return require(wanted, on) if isinstance(wanted, Setting) else refuse(wanted, on)


def shown(value: object, words: Iterable[str]) -> str:
    """`value` as a message may print it: booleans, small numbers, and strings that are among `words`."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"{value:g}" if abs(value) <= LARGEST_SHOWN else "a number out of range"
    if isinstance(value, str):
        spelled = next((word for word in words if word.casefold() == value.casefold()), None)
        return f"'{spelled}'" if spelled is not None else "a text that is none of the known values"
    return "a value of another kind"
