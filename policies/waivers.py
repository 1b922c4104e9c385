"""Waivers: findings of medium severity that somebody answers for, for a time (`policies/waivers.yaml`).

A waiver that is expired, unsigned, or about a rule that cannot be waived stops the run before anything is judged; one
that matches no resource of its stack is a violation of its own, for it waives something else than its author thinks.
"""

import base64
import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Annotated, Final

import yaml
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from pulumi_policy import EnforcementLevel, ReportViolation, Severity, StackValidationArgs, StackValidationPolicy
from pydantic import BaseModel, ConfigDict, Field, ValidationError

FILE: Final = Path(__file__).parent / "waivers.yaml"
KEYS: Final = Path(__file__).parent / "waiver-keys"
LONGEST: Final = timedelta(days=366)
POLICY: Final = "WAIVERS"
"""Name of the policy that refuses waivers without an object."""
_WAIVED: Final = "waived "
"""Begins the reason that waived findings leave."""
_DOMAIN: Final = b"bailiwick waiver 1\n"
_URN_PATTERN: Final = r"urn:pulumi:[^:]+::[^:]+::[^\s]+::\S.*"

_Text = Annotated[str, Field(min_length=1, max_length=500, pattern=r"^\S[^\x00-\x1f\x7f]*$")]


class WaiverError(Exception):
    """A waiver that does not hold; the text is one line for whoever has to renew or remove it."""


class Waiver(BaseModel):
    """One entry. `urn` may hold `*`, which stands for any text; it is valid through the day `expires` (UTC)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rule: _Text
    urn: Annotated[str, Field(pattern=_URN_PATTERN, max_length=1000)]
    owner: _Text
    reason: _Text
    expires: date
    signature: Annotated[str, Field(max_length=100)] = ""

    @property
    def signed_text(self) -> bytes:
        """What the signature is over: every other field, as JSON with sorted keys."""
        fields = self.model_dump(mode="json", exclude={"signature"})
        return _DOMAIN + json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()

    @cached_property
    def _expression(self) -> re.Pattern[str]:
        return _wildcards(self.urn)

    def matches(self, urn: str) -> bool:
        return self._expression.fullmatch(urn) is not None

    def is_about(self, stack: str) -> bool:
        """Whether its URN can be one of this stack."""
        return _wildcards(self.urn.split("::", 1)[0]).fullmatch(f"urn:pulumi:{stack}") is not None

    def says(self) -> str:
        """`waived until 2027-01-31 by security@example.org: why`."""
        return f"{_WAIVED}until {self.expires.isoformat()} by {self.owner}: {self.reason}"

    def is_astray(self, project: str, stacks: Collection[str]) -> bool:
        """Whether its URN is of this project and can be of none of the project's `stacks`."""
        named = self.urn.split("::")[1]
        return bool(_wildcards(named).fullmatch(project)) and not any(map(self.is_about, stacks))


def _wildcards(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in pattern.split("*")), re.DOTALL)


@dataclass(frozen=True, slots=True)
class Waivers:
    """The waivers that hold today."""

    entries: tuple[Waiver, ...] = ()

    def of(self, rule: str, urn: str) -> Waiver | None:
        """The first waiver of `rule` for this resource."""
        return next((one for one in self.entries if one.rule == rule and one.matches(urn)), None)

    def policies(self) -> Iterator[StackValidationPolicy]:
        """The policy that refuses waivers that match nothing, if there are waivers."""
        if self.entries:
            yield StackValidationPolicy(
                name=POLICY,
                description="Every waiver matches a resource",
                validate=self._refuse_unmatched,
                enforcement_level=EnforcementLevel.MANDATORY,
                severity=Severity.HIGH,
                remediation_steps="remove the waiver, or correct its urn",
            )

    def _refuse_unmatched(self, args: StackValidationArgs, report: ReportViolation) -> None:
        urns = [resource.urn for resource in args.resources]
        stack = urns[0].split("::", 1)[0].removeprefix("urn:pulumi:") if urns else ""
        for waiver in self.entries:
            if waiver.is_about(stack) and not any(waiver.matches(urn) for urn in urns):
                report(
                    f"{POLICY} the waiver of {waiver.rule} for {waiver.urn!a} matches no resource of stack {stack!a}; "
                    "allowed: a pattern that matches; fix: remove the waiver, or correct its urn",
                    None,
                )


NONE: Final = Waivers()


def reason(waived: Sequence[tuple[str, str]]) -> str:
    """What a policy that `waived` findings, each of a URN, gives as the reason why it does not apply: the protocol has
    no place of its own for them."""
    return _WAIVED + json.dumps(waived)


def waived(reason: str) -> list[tuple[str, str]]:
    """The URNs and findings of a `reason`; none of one that says something else."""
    if not reason.startswith(f"{_WAIVED}["):
        return []
    try:
        return [(str(urn), str(finding)) for urn, finding in json.loads(reason.removeprefix(_WAIVED))]
    except (ValueError, TypeError):
        return []  # another pack's words


def load(
    severities: Mapping[str, Severity], file: Path = FILE, keys: Path = KEYS, today: date | None = None
) -> Waivers:
    """The waivers of `file`; `severities` are those of the pack's rules. Raises `WaiverError` for the first bad one."""
    trusted = [_public_key(path) for path in sorted(keys.glob("*.pem"))]
    waivers = _read(file)
    for number, waiver in enumerate(waivers):
        place = f"{file.name}: waivers[{number}] ({waiver.rule})"
        if problem := objection(waiver, severities, today):
            raise WaiverError(f"{place}: {problem}")
        if not any(_verifies(key, waiver) for key in trusted):
            raise WaiverError(f"{place}: is not signed by a key of {keys.name}/; sign it with `bailiwick waiver`")
    return Waivers(tuple(waivers))


def objection(waiver: Waiver, severities: Mapping[str, Severity], today: date | None = None) -> str | None:
    """Why `waiver` does not hold, whoever signs it; None if it does."""
    today = today or datetime.now(UTC).date()
    severity = severities.get(waiver.rule)
    if severity is None:
        return f"no such rule; allowed: {', '.join(sorted(severities))}"
    if severity is not Severity.MEDIUM:
        return f"the rule is of {severity.value} severity; only medium can be waived"
    if waiver.expires < today:
        return f"expired on {waiver.expires}; renew it with its owner {waiver.owner}, or remove it"
    if waiver.expires > today + LONGEST:
        return f"expires on {waiver.expires}; at most {LONGEST.days} days ahead"
    return None


def sign(waiver: Waiver, key: Ed25519PrivateKey) -> Waiver:
    """`waiver` with the signature of `key`."""
    signature = base64.b64encode(key.sign(waiver.signed_text)).decode()
    return waiver.model_copy(update={"signature": signature})


def _read(file: Path) -> list[Waiver]:
    try:
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise WaiverError(f"{file.name}: cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError, yaml.YAMLError) as error:  # PyYAML lets the 30th of February through to `date`
        raise WaiverError(f"{file.name}: cannot be read: {' '.join(str(error).split())}") from None
    if not isinstance(document, dict) or set(document) != {"waivers"} or not isinstance(document["waivers"], list):
        raise WaiverError(f"{file.name}: must hold one list, `waivers`")
    return [_entry(file, number, entry) for number, entry in enumerate(document["waivers"])]


def _entry(file: Path, number: int, entry: object) -> Waiver:
    try:
        return Waiver.model_validate(entry)
    except ValidationError as error:
        first = error.errors()[0]
        path = ".".join(map(str, (f"waivers[{number}]", *first["loc"])))
        raise WaiverError(f"{file.name}: {path}: {first['msg']}") from None


def _public_key(path: Path) -> Ed25519PublicKey:
    try:
        key = load_pem_public_key(path.read_bytes())
    except (ValueError, UnsupportedAlgorithm):
        raise WaiverError(f"{path.name}: is not a public key in PEM") from None
    if not isinstance(key, Ed25519PublicKey):
        raise WaiverError(f"{path.name}: is not an Ed25519 key")
    return key


def _verifies(key: Ed25519PublicKey, waiver: Waiver) -> bool:
    try:
        key.verify(base64.b64decode(waiver.signature, validate=True), waiver.signed_text)
    except (InvalidSignature, ValueError):
        return False
    return True
