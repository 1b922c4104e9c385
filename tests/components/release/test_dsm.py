"""Release policies as a Fortanix DSM app, group and quorum."""

import dataclasses
from typing import Any

import pytest

from components.release import Authority, ReleasePolicyError, Tee
from components.release.dsm import Placement, Quorum, compile_policy
from tests.components.release.guests import DIGESTS, Guest
from tests.components.release.security_manager import permits
from tests.components.release.targets import DSM, NOW, OWN, POLICY, result_of

DOCUMENT = compile_policy(POLICY, DSM).document
GENUINE = result_of(Guest(OWN.uri))


def test_a_genuine_guest_may_decrypt_and_nothing_else() -> None:
    assert permits(DOCUMENT, "DECRYPT", key_id="k1", token=GENUINE, now=NOW)
    for operation in ("EXPORT", "UNWRAPKEY", "ENCRYPT", "MANAGE", "UPDATE_KEY_OPS"):
        assert not permits(DOCUMENT, operation, key_id="k1", token=GENUINE, now=NOW)


@pytest.mark.parametrize(
    ("key_id", "changes"),
    [
        ("k2", {}),
        ("k1", {"iss": "https://elsewhere.example"}),
        ("k1", {"exp": NOW}),
        ("k1", {"iat": "0"}),
        ("k1", {"iat": None}),
        ("k1", {"ear.status": "warning"}),
        ("k1", {"submods": {}}),
    ],
)
def test_a_token_that_is_not_the_verifier_s_fresh_word_opens_nothing(key_id: str, changes: dict[str, Any]) -> None:
    assert not permits(DOCUMENT, "DECRYPT", key_id=key_id, token={**GENUINE, **changes}, now=NOW)


def test_the_key_is_born_without_export_and_changes_need_two_people() -> None:
    assert DOCUMENT["key"]["key_ops"] == ["ENCRYPT", "DECRYPT"]
    policy = DOCUMENT["group"]["approval_policy"]
    assert policy["quorum"]["n"] == 2
    assert policy["quorum"]["require_2fa"] is True
    assert {"UPDATE_KEY_OPS", "MOVE_SOBJECTS", "UPDATE_SOBJECT_POLICIES"} <= set(policy["protect_permissions"])


@pytest.mark.parametrize("quorum", [Quorum(("a", "b"), 1), Quorum(("a", "a"), 2), Quorum(("a", "b"), 3), Quorum((), 0)])
def test_a_quorum_that_one_person_is_is_refused(quorum: Quorum) -> None:
    with pytest.raises(ReleasePolicyError, match="of people who exist"):
        compile_policy(POLICY, dataclasses.replace(DSM, quorum=quorum))


def test_what_could_only_be_widened_is_refused() -> None:
    with pytest.raises(ReleasePolicyError, match="no token could be checked"):
        compile_policy(POLICY, Placement("k", "g", {}, DSM.quorum))
    abroad = (Authority(uri="https://v.example", jurisdiction="US"),)
    with pytest.raises(ReleasePolicyError, match="authority outside EU"):
        compile_policy(POLICY.model_copy(update={"authorities": abroad}), DSM)
    signed_td = {"tees": (Tee.TDX,), "launch_measurements": (), "launch_signers": DIGESTS[:1]}
    with pytest.raises(ReleasePolicyError, match="no signer of a TD"):
        compile_policy(POLICY.model_copy(update=signed_td), DSM)


def test_what_cannot_be_said_is_listed() -> None:
    assert [one.condition for one in compile_policy(POLICY, DSM).cannot_express] == [
        "vmpl",
        "minimum_tcb",
        "allow_debug",
        "allow_migration",
        "data_class",
    ]
