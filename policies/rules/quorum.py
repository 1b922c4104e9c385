"""KEY-10: no single person hands over keys, or decides alone to whom they go."""

import json
from collections.abc import Iterator
from typing import Any

from pulumi_policy import Severity

from policies import examples, vocabulary
from policies.context import Declared
from policies.rule import Example, ExampleResource, Rule
from policies.subject import Resource
from policies.verdict import Finding, NotApplicable

LEAST_QUORUM = 2
_ALLOWED = f"{LEAST_QUORUM} approvers or more"
_FIX = "have two people or more approve each deployment, and declare them: bailiwick:approval: {needed: 2, people: […]}"


def _agreed(resource: Resource, declared: Declared) -> Iterator[Finding]:
    quorums = vocabulary.quorums_of(resource)
    released = vocabulary.released_by_broker(resource)
    if not quorums and not released:
        raise NotApplicable("holds no keys that several people could have to approve of")
    for quorum in quorums:
        least = _least(quorum.text) if quorum.stated else 0
        if least < LEAST_QUORUM:
            found = "is not stated" if not quorum.stated else "lets fewer than two decide, or cannot be read"
            yield Finding(quorum.path, found, _ALLOWED)
    if released:
        yield from _deployed_together(declared)


def _deployed_together(declared: Declared) -> Iterator[Finding]:
    """A broker gives keys to whom its configuration names, and a deployment changes that: several must agree to it."""
    if declared.emulated and not _declares_approval(declared):
        raise NotApplicable("an emulated stack's keys open nothing real, so that nobody has to agree")
    approval = declared.approval
    needed, people = approval.at("needed"), {str(one.text).casefold() for one in approval.at("people").items()}
    if not isinstance(needed.value, int) or needed.value < LEAST_QUORUM:
        yield Finding(needed.path, "lets one person change to whom the region's broker gives keys", _ALLOWED, fix=_FIX)
    elif len(people) < needed.value:
        found = "names fewer people than must agree"
        yield Finding(approval.at("people").path, found, "as many different people, or more", fix=_FIX)


def _declares_approval(declared: Declared) -> bool:
    """Whether anything is declared; a program that has the key writes it, empty, into its own configuration."""
    return bool(declared.stack.get("approval")) and any(
        declared.approval.at(key).value for key in declared.approval.names()
    )


def _least(text: str | None) -> int:
    """How few may decide under an approval policy of Fortanix DSM; 0 for what cannot be read."""
    try:
        policy = json.loads(text or "")
    except (ValueError, RecursionError):
        return 0
    members = list(_members(policy))
    return _approvals(policy) if len(set(members)) == len(members) else 0


def _members(policy: Any) -> Iterator[str]:
    """Who is named in a policy, at any depth: one who is named twice could approve twice."""
    quorum = policy.get("quorum") if isinstance(policy, dict) else None
    if isinstance(quorum, dict) and isinstance(quorum.get("members"), list):
        for member in quorum["members"]:
            yield from _members(member)
    else:
        yield json.dumps(policy, sort_keys=True)


def _approvals(policy: Any) -> int:
    quorum = policy.get("quorum") if isinstance(policy, dict) else None
    if not isinstance(quorum, dict) or not isinstance(quorum.get("members"), list):
        return 1 if isinstance(policy, dict) and len(policy) == 1 and set(policy) <= {"user", "app"} else 0
    needed = quorum.get("n")
    if not isinstance(needed, int) or isinstance(needed, bool) or not 0 < needed <= len(quorum["members"]):
        return 0
    members = sorted(_approvals(member) for member in quorum["members"])
    return sum(members[:needed]) if members[0] else 0


def _quorum(needed: int, *people: str) -> str:
    members = [{"user": name} for name in people or ("alice", "bob", "carol")]
    return json.dumps({"quorum": {"n": needed, "members": members}})


_GROUP = ExampleResource("dsm:index/group:Group", "model-keys", {"approvalPolicy": _quorum(2)})

KEY_10 = Rule(
    id="KEY-10",
    title="Two or more must agree before a key is exported, or its rules are changed",
    why="One administrator who may change a key's rules alone can give the key to anybody.",
    severity=Severity.HIGH,
    remediation="give the group an approval policy of two or more; where the region's own broker releases keys, have "
    "two people or more approve each deployment, and declare them (bailiwick:approval)",
    confirm="that the approvers are different people, that DSM's account has a quorum too, and that the pipeline asks "
    "those whom the stack declares (required reviewers of a branch or environment) and nobody else can deploy: no "
    "resource says who may deploy its stack, so that of a broker's changes the declaration alone is judged.",
    home="fortanix",
    check=_agreed,
    passing=Example("A group of Fortanix DSM in which two of three must approve.", (_GROUP,)),
    failing=(
        Example("One of three.", (examples.but(_GROUP, {"approvalPolicy": _quorum(1)}),)),
        Example(
            "Two of two, who are the same person.",
            (examples.but(_GROUP, {"approvalPolicy": _quorum(2, "alice", "alice")}),),
        ),
        Example("Nobody.", (examples.but(_GROUP, {"approvalPolicy": None}),)),
        Example("Something that cannot be read.", (examples.but(_GROUP, {"approvalPolicy": "two of three"}),)),
    ),
)

RULES = (KEY_10,)
