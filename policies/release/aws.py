"""Reads AWS KMS key policies (docs.aws.amazon.com/kms/latest/developerguide/key-policies.html).

Each statement that allows an action which yields plaintext is a way to the key's secrets. Only what must hold counts:
an operator that is satisfied by a missing key (`…IfExists`, `ForAllValues:`, `StringNotEquals`), a pattern, and an
operator that is not known here ask for nothing. Statements that deny are left out: they never make a policy weaker.
"""

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from policies.release import documents
from policies.release.model import Flaw, MalformedDocument, Reading, Way, Weakness

PLAINTEXT_ACTIONS = (
    "kms:Decrypt",
    "kms:DeriveSharedSecret",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyPair",
    "kms:ReEncryptFrom",
)
"""What returns plaintext under the key, or the means to read it. The first four take a recipient's attestation."""
GRANT_ACTION = "kms:CreateGrant"
GOVERNING_ACTIONS = (
    "kms:CancelKeyDeletion",
    "kms:CreateGrant",
    "kms:DeleteImportedKeyMaterial",
    "kms:DisableKey",
    "kms:EnableKey",
    "kms:ImportKeyMaterial",
    "kms:PutKeyPolicy",
    "kms:RetireGrant",
    "kms:RevokeGrant",
    "kms:ScheduleKeyDeletion",
    "kms:UpdatePrimaryRegion",
)
"""What changes a key, or says who may use it."""
MOST_WAYS = 512

_MEMBERS = ("Sid", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition")
_POSITIVE = frozenset({"stringequals", "stringequalsignorecase", "arnequals"})
_PATTERNS = frozenset({"stringlike", "arnlike"})
_ATTESTATION = "kms:recipientattestation:"
# What tells the owner's workload from others. Enclaves: image, kernel and application, application, signer; the other
# registers are the role and the instance. NitroTPM: boot manager, Secure Boot's keys.
_PINS = {
    "imagesha384": "image digest",
    "pcr0": "image digest",
    "pcr2": "pcr2",
    "pcr8": "signer",
    "nitrotpmpcr4": "nitrotpm pcr4",
    "nitrotpmpcr7": "nitrotpm pcr7",
}
_COMMAND_LINE = "nitrotpmpcr12"
"""Of an Attestable AMI zeros, as none is passed to it: that is no debug mode, and by itself pins no workload."""
_SHA384 = re.compile(r"[0-9a-f]{96}")
_ONE_CALLER = re.compile(r"arn:[a-z-]+:(iam::\d{12}:role/|sts::\d{12}:assumed-role/)[^*?$]+")
_PERSON = re.compile(
    r"arn:[a-z-]+:(iam::\d{12}:(user/|role/aws-reserved/sso\.amazonaws\.com/)|sts::\d{12}:federated-user/)"
)

_ATTESTED = "a condition kms:RecipientAttestation:… on an image, an application or a signer"

_Conditions = Mapping[str, Sequence[str]]
"""Keys that must have one of these values, in lower case."""


def analyse(text: str) -> Reading:
    """The key policy `text`, in JSON; raises `MalformedDocument`."""
    ways: list[Way] = []
    weaknesses: list[Weakness] = []
    for path, statement in _allowing(text):
        found = tuple(_ways(statement, path))
        ways += found
        weaknesses += [weakness for way in found for weakness in _weaknesses(way, statement)]
        weaknesses += _grants(statement, path)
        weaknesses += _patterns(statement, path) if _persons_and_roles(statement, path) else ()
        if len(ways) > MOST_WAYS:
            raise MalformedDocument(path, f"has more than {MOST_WAYS} alternatives")
    weaknesses += _unseparated(rights(text))
    return Reading(tuple(ways), tuple(dict.fromkeys(weaknesses)))


@dataclass(frozen=True, slots=True)
class Rights:
    """Who uses a key and who governs it: callers, as a policy names them, each with the path of a statement."""

    users: Mapping[str, str]
    governors: Mapping[str, str]


def rights(text: str) -> Rights:
    """What the key policy `text` lets whom do, other than AWS's services; raises `MalformedDocument`."""
    users: dict[str, str] = {}
    governors: dict[str, str] = {}
    for path, statement in _allowing(text):
        callers = _persons_and_roles(statement, path)
        if any(_allows(statement, path, action) for action in PLAINTEXT_ACTIONS):
            users |= dict.fromkeys(callers, path)
        if any(_allows(statement, path, action) for action in GOVERNING_ACTIONS):
            governors |= dict.fromkeys(callers, path)
    return Rights(users, governors)


def _allowing(text: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The statements that allow, each with its path."""
    document = documents.member(documents.load(text), "", ("Statement",), ("Version", "Id"))
    statements = document["Statement"]
    for index, statement in enumerate(statements if isinstance(statements, list) else [statements]):
        path = f"Statement[{index}]"
        documents.member(statement, path, ("Effect",), _MEMBERS)
        if statement["Effect"] not in ("Allow", "Deny"):
            raise MalformedDocument(f"{path}.Effect", "must be Allow or Deny")
        if statement["Effect"] == "Allow":
            yield path, statement


def _persons_and_roles(statement: Mapping[str, Any], path: str) -> set[str]:
    """Who a statement is about, other than AWS's services and what asks through one of them."""
    return {caller for caller, service in _callers(statement, path, _conditions(statement, path)) if not service}


def grant_weaknesses(operations: Iterable[str]) -> tuple[Weakness, ...]:
    """What is wrong with a grant of these operations (`Decrypt`): a grant asks for no attestation."""
    yielding = [one for one in operations if f"kms:{one}" in PLAINTEXT_ACTIONS or one == "CreateGrant"]
    found = "lets the grantee read plaintext or hand that on, and no grant asks for an attestation"
    allowed = "the key policy's statement with its conditions"
    return (Weakness(Flaw.UNCONDITIONED_GRANT, "operations", found, allowed),) if yielding else ()


def _allows(statement: Mapping[str, Any], path: str, action: str) -> bool:
    """Whether a statement that allows speaks of `action`; letter case does not matter, `*` and `?` are patterns."""
    if "NotAction" in statement:
        excluded = documents.texts(statement["NotAction"], f"{path}.NotAction")
        return not any(fnmatchcase(action.lower(), pattern.lower()) for pattern in excluded)
    patterns = documents.texts(statement.get("Action", []), f"{path}.Action")
    return any(fnmatchcase(action.lower(), pattern.lower()) for pattern in patterns)


def _conditions(statement: Mapping[str, Any], path: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for operator, block in documents.member(statement.get("Condition", {}), f"{path}.Condition").items():
        for key, value in documents.member(block, f"{path}.Condition.{operator}").items():
            values = documents.texts(value, f"{path}.Condition.{operator}") if not isinstance(value, bool) else []
            name = operator.lower().removeprefix("foranyvalue:")
            exact = name in _POSITIVE or (name in _PATTERNS and not any(re.search(r"[*?]", one) for one in values))
            if exact and values and not any("${" in one for one in values):
                known = {one.lower() for one in found.get(key.lower(), values)}
                found[key.lower()] = [one for one in values if one.lower() in known]
    return found


def _ways(statement: Mapping[str, Any], path: str) -> Iterator[Way]:
    if not any(_allows(statement, path, action) for action in PLAINTEXT_ACTIONS):
        return
    conditions = _conditions(statement, path)
    attested = {key.removeprefix(_ATTESTATION): values for key, values in conditions.items() if _is_attested(key)}
    choices = list(itertools.islice(itertools.product(*attested.values()), MOST_WAYS + 1))
    for caller, service in _callers(statement, path, conditions):
        for choice in choices:
            measured = dict(zip(attested, (value.lower() for value in choice), strict=True))
            sound = {
                key: value
                for key, value in measured.items()
                if _SHA384.fullmatch(value) and (value.strip("0") or key == _COMMAND_LINE)
            }
            yield Way(
                path=path,
                authority="",
                tees=frozenset({"nitro"} if measured else ()),
                pins=frozenset((_PINS[key], value) for key, value in sound.items() if key in _PINS),
                refuses_debug=bool(measured) and sound == measured,
                caller=caller,
                service=service,
            )


def _is_attested(key: str) -> bool:
    return key.startswith(_ATTESTATION)


def _callers(statement: Mapping[str, Any], path: str, conditions: _Conditions) -> Iterator[tuple[str, str]]:
    """Who may ask, and the service through which alone; a principal that a condition names is that principal."""
    services = [host.split(".")[0] for host in conditions.get("kms:viaservice", ())]
    through = services[0] if services and conditions.get("kms:calleraccount") else ""
    named = statement.get("Principal", "*")
    if isinstance(named, str):
        principals = {"AWS": [named]}
    else:
        kinds = documents.member(named, f"{path}.Principal")
        principals = {kind: documents.texts(value, f"{path}.Principal.{kind}") for kind, value in kinds.items()}
    for kind, values in principals.items():
        for value in values:
            if kind == "Service":
                yield value, value.split(".")[0]
            elif kind == "AWS" and "NotPrincipal" not in statement:
                for caller in conditions.get("aws:principalarn", [value]):
                    yield caller, through
            else:
                yield "*", through


def _weaknesses(way: Way, statement: Mapping[str, Any]) -> Iterator[Weakness]:
    if way.service:
        return
    one_caller = bool(_ONE_CALLER.fullmatch(way.caller)) and not _PERSON.match(way.caller)
    if _PERSON.match(way.caller):
        yield Weakness(Flaw.PERSON, way.path, "lets a person read plaintext", "the role of an attested workload")
    elif not one_caller:
        found = "lets more than one caller read plaintext"
        yield Weakness(Flaw.BROAD_PRINCIPAL, way.path, found, "the ARN of one role")
    if not way.tees:
        conditions = _conditions(statement, way.path)
        networked = any(key in conditions for key in ("aws:sourcevpc", "aws:sourcevpce"))
        flaw = Flaw.UNATTESTED if one_caller and networked else Flaw.UNCONDITIONED
        yield Weakness(flaw, way.path, "yields plaintext to who proves no measurement", _ATTESTED)
    elif not way.refuses_debug:
        found = "accepts registers of zeros, which an enclave in debug mode has"
        yield Weakness(Flaw.DEBUGGABLE, way.path, found, "SHA-384 digests that are not all zeros")
    elif not way.pins:
        yield Weakness(Flaw.NO_WORKLOAD, way.path, "asks for registers that any workload can have", _ATTESTED)


def _patterns(statement: Mapping[str, Any], path: str) -> Iterator[Weakness]:
    listed = documents.texts(statement.get("Action", []), f"{path}.Action")
    if "NotAction" in statement or any(re.search(r"[*?]", action) for action in listed):
        yield Weakness(Flaw.PATTERN, path, "allows actions that nobody has listed", "operations, one by one")


def _unseparated(held: Rights) -> Iterator[Weakness]:
    """Who both uses and governs the key, in one statement or two."""
    for caller, path in held.governors.items():
        if caller in held.users or "*" in held.users or (caller == "*" and held.users):
            found = "lets who uses the key change its rules"
            yield Weakness(Flaw.UNSEPARATED, path, found, "use or government for a principal, not both")


def _grants(statement: Mapping[str, Any], path: str) -> Iterator[Weakness]:
    if not _allows(statement, path, GRANT_ACTION):
        return
    conditions = _conditions(statement, path)
    flags = statement.get("Condition", {}).get("Bool", {})
    for_services = any(
        key.lower() == "kms:grantisforawsresource" and str(flags[key]).lower() == "true" for key in flags
    )
    through = "kms:viaservice" in conditions and "kms:calleraccount" in conditions
    if not (for_services or through):
        found = "lets the right to the key be handed on"
        allowed = "no kms:CreateGrant, or only with kms:GrantIsForAWSResource"
        yield Weakness(Flaw.UNCONDITIONED_GRANT, path, found, allowed)
