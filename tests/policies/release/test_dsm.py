"""Fortanix DSM's apps, groups and keys, read back: what the components compile, and what nobody should have written."""

import copy
import json
from typing import Any

import pytest

from policies.release.dsm import analyse, analyse_app
from policies.release.model import Flaw, MalformedDocument

DIGEST = "ab" * 48
REGO = f"""package own

default allow := false

allow if {{
  input.jwt_body["ear.status"] == "affirming"
  input.jwt_body.tee == "snp"
  input.jwt_body.submods.cpu["ear.veraison.annotated-evidence"].measurement == "{DIGEST}"
}}
"""
GOOD: dict[str, Any] = {
    "app": {
        "role": "crypto",
        "add_groups": {"g": ["DECRYPT"]},
        "credential": {
            "signedjwt": {
                "valid_issuers": ["https://verifier.example"],
                "signing_keys": {"kind": "stored", "keys": {"k1": "MFk="}},
                "private_claims_policy": {"definition": {"$type": "rego", "value": REGO}},
            }
        },
    },
    "group": {
        "approval_policy": {
            "quorum": {"n": 2, "members": [{"user": "a"}, {"user": "b"}, {"user": "c"}]},
            "protect_permissions": ["MOVE_SOBJECTS", "UPDATE_KEY_OPS", "UPDATE_SOBJECT_POLICIES"],
        }
    },
    "key": {"group_id": "g", "key_ops": ["ENCRYPT", "DECRYPT"]},
}
APPROVAL = "group.approval_policy"
TOKEN = "app.credential.signedjwt"


def but(path: str, value: Any) -> str:
    """The good document with the member at `path` replaced, or left out where `value` is None."""
    document = copy.deepcopy(GOOD)
    place = document
    *steps, last = path.split(".")
    for step in steps:
        place = place[step]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return json.dumps(document)


def flaws(text: str) -> set[Flaw]:
    """What is wrong with a document."""
    return {weakness.flaw for weakness in analyse(text).weaknesses}


def test_an_app_with_a_verifier_s_word_and_a_key_with_a_quorum_are_right() -> None:
    reading = analyse(json.dumps(GOOD))
    assert reading.weaknesses == ()
    (way,) = reading.ways
    assert (way.authority, way.tees, way.pins) == (
        "https://verifier.example",
        {"snp"},
        {("launch measurement", DIGEST)},
    )


NOTHING_PROVED = {Flaw.NO_TEE, Flaw.NO_WORKLOAD, Flaw.DEBUGGABLE}


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("app.credential", {"secret": "…"}, {Flaw.UNATTESTED, *NOTHING_PROVED}),
        ("app.credential", {"trustedca": {"ca_certificate": ""}}, {Flaw.UNATTESTED, *NOTHING_PROVED}),
        ("app.credential", {"all": [{"secret": "…"}]}, {Flaw.UNATTESTED, *NOTHING_PROVED}),
        (f"{TOKEN}.private_claims_policy", None, NOTHING_PROVED),
        (f"{TOKEN}.private_claims_policy.definition.value", "package x\nallow := true\n", NOTHING_PROVED),
        (f"{TOKEN}.signing_keys", {"kind": "fetched", "url": "https://x"}, {Flaw.FOREIGN_AUTHORITY}),
        ("app.role", "admin", {Flaw.BROAD_PRINCIPAL}),
        ("app.add_groups", ["g"], {Flaw.UNCONDITIONED}),
        ("app.add_groups", {"g": ["DECRYPT", "EXPORT"]}, {Flaw.UNCONDITIONED_GRANT}),
        ("app.add_groups", {"g": ["DECRYPT", "UPDATE_KEY_OPS"]}, {Flaw.UNCONDITIONED_GRANT}),
        ("key.key_ops", ["DECRYPT", "EXPORT"], {Flaw.UNCONDITIONED_GRANT}),
        ("key.key_ops", None, {Flaw.UNCONDITIONED_GRANT}),
        (APPROVAL, None, {Flaw.NO_QUORUM}),
        (f"{APPROVAL}.quorum.n", 1, {Flaw.NO_QUORUM}),
        (f"{APPROVAL}.quorum.n", 0, {Flaw.NO_QUORUM}),
        (f"{APPROVAL}.quorum.members", [{"user": "a"}, {"user": "a"}], {Flaw.NO_QUORUM}),
        (
            f"{APPROVAL}.quorum",
            {"n": 1, "members": [{"quorum": {"n": 2, "members": [{"user": "a"}]}}]},
            {Flaw.NO_QUORUM},
        ),
        (APPROVAL, {"user": "a", "protect_manage_operations": True}, {Flaw.NO_QUORUM}),
        (f"{APPROVAL}.protect_permissions", ["DELETE_SOBJECTS"], {Flaw.NO_QUORUM}),
    ],
)
def test_each_weakness_is_found(path: str, value: Any, expected: set[Flaw]) -> None:
    assert flaws(but(path, value)) == expected


@pytest.mark.parametrize(
    "quorum",
    [
        {"n": 3, "members": [{"user": "a"}, {"user": "b"}, {"app": "c"}]},
        {"n": 1, "members": [{"quorum": {"n": 2, "members": [{"user": "a"}, {"user": "b"}]}}]},
        {"n": 2, "members": [{"user": "a"}, {"quorum": {"n": 1, "members": [{"user": "b"}, {"user": "c"}]}}]},
    ],
)
def test_quorums_nest(quorum: dict[str, Any]) -> None:
    assert flaws(but(f"{APPROVAL}.quorum", quorum)) == set()


def test_an_app_that_may_not_decrypt_is_no_way_to_the_key() -> None:
    assert analyse(but("app.add_groups", {"g": ["ENCRYPT"], "other": ["DECRYPT"]})).ways == ()


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("app", []),
        ("group", None),
        ("app.credential", None),
        (f"{TOKEN}.valid_issuers", 1),
        (f"{TOKEN}.signing_keys", {}),
        (f"{TOKEN}.private_claims_policy.definition.value", "package x\n"),
        (f"{TOKEN}.private_claims_policy.definition.value", 1),
        ("app.add_groups", 1),
        (f"{APPROVAL}.protect_permissions", 1),
        (f"{APPROVAL}.quorum.members", ["a"]),
    ],
)
def test_what_has_no_single_meaning_is_refused(path: str, value: Any) -> None:
    with pytest.raises(MalformedDocument):
        analyse(but(path, value))


@pytest.mark.parametrize(
    ("permissions", "safe"),
    [
        (["ENCRYPT", "ENCRYPT,WRAPKEY"], True),
        (["ENCRYPT", "ENCRYPT, decrypt"], False),
        (["EXPORT"], False),
        (["ENCRYPT", None], False),
        ([], True),
    ],
)
def test_an_app_without_a_token_may_get_nothing_back(permissions: list[str | None], safe: bool) -> None:
    reading = analyse_app(permissions)
    assert (reading.ways == ()) is safe
    assert (Flaw.NO_WORKLOAD in {weakness.flaw for weakness in reading.weaknesses}) is not safe
