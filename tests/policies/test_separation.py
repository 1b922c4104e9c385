"""KEY-08 across resources: who may do what is the union of what several of them say."""

import json
from typing import Any

from policies import pack
from policies.examples import aws, but, gcp
from policies.rule import Example, ExampleResource
from policies.testing import UNKNOWN, judge

ARN = "arn:aws:kms:eu-west-1:000000000000:key/{}"
ROLE = "/providers/Microsoft.Authorization/roleDefinitions/{}"
CONTRIBUTOR, CRYPTO_USER = "f25e0fa2-a7c8-4377-a976-54943a77a395", "12338af0-0e69-4776-bea7-57ae8d297424"


def messages(rule: str, *resources: ExampleResource, config: Any = None) -> list[str]:
    found = judge(list(pack.build([rule])), Example("", resources, config or {})).violations
    return [one.message for one in found]


def may(name: str, action: str, key: str) -> ExampleResource:
    """A policy of one role for one action on one key."""
    policy = aws.policy({"Action": action, "Resource": ARN.format(key)})
    return ExampleResource("aws:iam/rolePolicy:RolePolicy", name, {"role": "verifier", "policy": policy})


def assigned(name: str, role: str, principal: str, *origins: str) -> ExampleResource:
    return ExampleResource(
        "azure-native:authorization:RoleAssignment",
        name,
        {"principalId": principal, "principalType": "ServicePrincipal", "roleDefinitionId": ROLE.format(role)},
        uses={"principalId": origins},
    )


def identity(name: str) -> ExampleResource:
    return ExampleResource("azure-native:managedidentity:UserAssignedIdentity", name, {})


def test_the_message_names_where_the_other_right_is() -> None:
    found = messages(
        "KEY-08", may("use", "kms:Decrypt", "a"), may("govern", "kms:PutKeyPolicy", "a"), config=aws.CONFIG
    )
    assert len(found) == 1
    assert "aws:iam:RolePolicy 'govern': policy.Statement[0].Action[0] governs keys" in found[0]
    assert "for whom aws:iam:RolePolicy 'use' lets use them" in found[0]


def test_two_keys_are_two_matters() -> None:
    assert not messages(
        "KEY-08", may("use", "kms:Decrypt", "a"), may("govern", "kms:PutKeyPolicy", "b"), config=aws.CONFIG
    )


def test_what_one_resource_says_by_itself_is_said_once() -> None:
    policy = aws.policy({"Action": ["kms:Decrypt", "kms:PutKeyPolicy"], "Resource": "*"})
    both = but(may("both", "kms:Decrypt", "a"), {"policy": policy})
    assert len(messages("KEY-08", both, config=aws.CONFIG)) == 1


def test_an_identity_that_does_not_exist_yet_is_one_and_the_same() -> None:
    use, govern = (
        assigned("use", CRYPTO_USER, UNKNOWN, "verifier"),
        assigned("govern", CONTRIBUTOR, UNKNOWN, "verifier"),
    )
    assert len(messages("KEY-08", identity("verifier"), use, govern)) == 1
    elsewhere = assigned("govern", CONTRIBUTOR, UNKNOWN, "operator")
    assert not messages("KEY-08", identity("verifier"), identity("operator"), use, elsewhere)


def test_two_identities_of_one_resource_are_two() -> None:
    """A cluster has one for its control plane and one for its nodes."""
    use, govern = assigned("use", CRYPTO_USER, "a", "cluster"), assigned("govern", CONTRIBUTOR, "b", "cluster")
    assert not messages("KEY-08", identity("cluster"), use, govern)


def test_a_policy_that_lists_all_of_google_s_bindings_is_read() -> None:
    members = ["serviceAccount:verifier@example.iam.gserviceaccount.com", "user:somebody@example.org"]
    bindings = {"bindings": [{"role": "roles/cloudkms.cryptoKeyDecrypter", "members": members}]}
    policy = ExampleResource(
        "gcp:kms/cryptoKeyIAMPolicy:CryptoKeyIAMPolicy", "who-may", {"policyData": json.dumps(bindings)}
    )
    assert "policyData.bindings[0].members[1]" in messages("REL-07", policy, config=gcp.CONFIG)[0]
    unread = but(policy, {"policyData": "everybody"})
    assert "policyData is not a policy of IAM, in JSON" in messages("REL-07", unread, config=gcp.CONFIG)[0]


def test_an_attachment_is_known_by_the_policy_of_the_stack_that_it_comes_from() -> None:
    own = ExampleResource("aws:iam/policy:Policy", "own", {"policy": aws.policy({"Action": "s3:GetObject"})})
    attached = ExampleResource(
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
        "attached",
        {"role": "verifier", "policyArn": UNKNOWN},
        uses={"policyArn": ("own",)},
    )
    assert messages("KEY-08", own, attached, config=aws.CONFIG) == []
    assert messages("CVM-06", own, attached, config=aws.CONFIG) == []
    (found,) = messages("KEY-08", attached, config=aws.CONFIG)
    assert found.startswith("unknown: ")
