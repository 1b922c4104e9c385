"""Reads what Fortanix DSM is told about a key: its app, its group and the key itself (DSM REST API 0.1.0-20260710).

A document has `app`, `group` and `key`: the bodies of POST /sys/v1/apps, /sys/v1/groups and /crypto/v1/keys. An app
that signs in with a secret or a certificate proves nothing of where it runs; one that signs in with a token is as good
as the Rego policy on the token's claims. People get the key by changing it, which is what the group's quorum is for.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from policies.release import documents, rego, results
from policies.release.model import Flaw, Reading, Way, Weakness

FEWEST_APPROVERS = 2
YIELDING = frozenset({"DECRYPT", "MASKDECRYPT", "UNWRAPKEY", "DERIVEKEY", "AGREEKEY", "DECAPSULATE", "EXPORT"})
"""Permissions of an app that return key material, or plaintext under the key."""
GOVERNING = frozenset(
    {"EXPORT", "MANAGE", "COPY_SOBJECTS", "MOVE_SOBJECTS", "UPDATE_KEY_OPS", "UPDATE_SOBJECT_POLICIES", "TRANSFORM"}
)
"""Permissions with which an app hands the key on, or gives itself more."""
PROTECTED = frozenset({"MOVE_SOBJECTS", "UPDATE_KEY_OPS", "UPDATE_SOBJECT_POLICIES"})
"""Permissions of people that must need a quorum: each would make the key releasable to somebody else."""

_ROOT = ("input", "jwt_body")
_ANYWHERE = Way("app.credential", "")
_UNATTESTED = Reading(
    (_ANYWHERE,),
    (
        Weakness(
            Flaw.UNATTESTED,
            _ANYWHERE.path,
            "signs in without proving where it runs",
            "a signedjwt credential whose claims a Rego policy holds to the verifier's word",
        ),
        *results.weaknesses_of(_ANYWHERE),
    ),
)


def analyse(text: str) -> Reading:
    """The document `text`, in JSON; raises `MalformedDocument`."""
    document = documents.member(documents.load(text), "", ("app", "group", "key"))
    app, group, key = (documents.member(document[name], name) for name in ("app", "group", "key"))
    of_app = _app(app, key)
    found = [*_permissions(app, key), *_quorum(group), *_operations(key), *of_app.weaknesses]
    return Reading(of_app.ways, tuple(dict.fromkeys(found)))


def analyse_app(permissions: Iterable[str | None]) -> Reading:
    """An app that signs in with a secret, a certificate or a role of a cloud, as the Terraform provider makes them.

    `permissions` are those in each of its groups (`ENCRYPT,DECRYPT`), None where they are left to DSM, which gives all.
    """
    given = ({one.strip().upper() for one in text.split(",")} if text is not None else YIELDING for text in permissions)
    return _UNATTESTED if any(YIELDING & one for one in given) else Reading(())


def _app(app: Mapping[str, Any], key: Mapping[str, Any]) -> Reading:
    """How the app gets the key's secrets; no way where it may not."""
    credential = documents.member(app.get("credential"), "app.credential")
    if not YIELDING & _permitted(app, key):
        return Reading(())
    if set(credential) != {"signedjwt"}:
        return _UNATTESTED
    path = "app.credential.signedjwt"
    return _signed(documents.member(credential["signedjwt"], path, ("valid_issuers", "signing_keys")))


def _signed(credential: Mapping[str, Any]) -> Reading:
    path = "app.credential.signedjwt"
    issuers = documents.texts(credential["valid_issuers"], f"{path}.valid_issuers")
    weaknesses = []
    if documents.member(credential["signing_keys"], f"{path}.signing_keys", ("kind",))["kind"] != "stored":
        found = "believes whatever keys the URL serves at that time"
        weaknesses.append(Weakness(Flaw.FOREIGN_AUTHORITY, f"{path}.signing_keys", found, "stored keys"))
    policy = credential.get("private_claims_policy")
    path = f"{path}.private_claims_policy"
    if policy is None:
        ways = [Way(path, issuer) for issuer in issuers]
    else:
        definition = documents.member(documents.member(policy, path, ("definition",))["definition"], path, ("value",))
        source = documents.text_of(definition["value"], f"{path}.definition.value")
        alternatives = rego.read(source).alternatives("allow")
        ways = [
            way
            for issuer in issuers
            for number, conjunction in enumerate(alternatives)
            for way in results.ways_of(f"{path}.allow[{number}]", issuer, conjunction, _ROOT)
        ]
    for way in ways:
        weaknesses += results.weaknesses_of(way)
    return Reading(tuple(ways), tuple(weaknesses))


def _permissions(app: Mapping[str, Any], key: Mapping[str, Any]) -> Iterator[Weakness]:
    if app.get("role") == "admin":
        found = "is an administrator of the whole account"
        yield Weakness(Flaw.BROAD_PRINCIPAL, "app.role", found, "crypto")
    if isinstance(app.get("add_groups"), list):
        found = "does not say what the app may do in its groups, which leaves everything"
        yield Weakness(Flaw.UNCONDITIONED, "app.add_groups", found, "the permissions in the key's group, one by one")
    elif GOVERNING & _permitted(app, key):
        found = "lets the app export the key, hand it on or change it"
        yield Weakness(Flaw.UNCONDITIONED_GRANT, "app.add_groups", found, "DECRYPT alone")


def _permitted(app: Mapping[str, Any], key: Mapping[str, Any]) -> frozenset[str]:
    """What the app may do in the key's group; a list of groups leaves everything."""
    groups = app.get("add_groups", {})
    if isinstance(groups, list):
        return YIELDING | GOVERNING
    group = documents.text_of(key.get("group_id"), "key.group_id")
    permissions = documents.member(groups, "app.add_groups").get(group, [])
    return frozenset(documents.texts(permissions, "app.add_groups"))


def _operations(key: Mapping[str, Any]) -> Iterator[Weakness]:
    operations = key.get("key_ops")
    if operations is None or "EXPORT" in documents.texts(operations, "key.key_ops"):
        found = "lets the key's value leave the HSM"
        yield Weakness(Flaw.UNCONDITIONED_GRANT, "key.key_ops", found, "operations without EXPORT")


def _quorum(group: Mapping[str, Any]) -> Iterator[Weakness]:
    path = "group.approval_policy"
    policy = documents.member(group.get("approval_policy") or {}, path)
    protected = documents.texts(policy.get("protect_permissions") or [], f"{path}.protect_permissions")
    allowed = f"a quorum of at least {FEWEST_APPROVERS} people"
    if _approvers(policy, path, 0) < FEWEST_APPROVERS:
        yield Weakness(Flaw.NO_QUORUM, path, "lets one person alone change the key", allowed)
    elif not set(protected) >= PROTECTED and policy.get("protect_manage_operations") is not True:
        found = "leaves changes that release the key outside the quorum"
        missing = ", ".join(sorted(PROTECTED))
        yield Weakness(Flaw.NO_QUORUM, f"{path}.protect_permissions", found, f"among them {missing}")


def _approvers(policy: Mapping[str, Any], path: str, depth: int) -> int:
    """The fewest members whose agreement is enough; 0 where none is needed. A member named twice counts once."""
    if depth > rego.DEEPEST:
        return 0
    quorum = policy.get("quorum")
    if not isinstance(quorum, dict):
        return 1 if policy.get("user") or policy.get("app") else 0
    members, needed = quorum.get("members"), quorum.get("n")
    if not isinstance(members, list) or not isinstance(needed, int):
        return 0
    distinct = {documents.canonical(member): documents.member(member, path) for member in members}
    fewest = sorted(_approvers(member, path, depth + 1) for member in distinct.values())
    repeated = len(members) - len(distinct)
    return sum(fewest[: max(needed - repeated, 0)])
