"""KMS key policies, read back: what the components compile, and what nobody should have written."""

import json
from typing import Any

import pytest

from policies.release.aws import analyse, grant_weaknesses
from policies.release.model import Flaw, MalformedDocument

ROLE = "arn:aws:iam::123456789012:role/verifier"
PCR = "ab" * 48
ATTESTED = {"StringEqualsIgnoreCase": {"kms:RecipientAttestation:PCR0": PCR}}


def allowing(**changes: Any) -> dict[str, Any]:
    """A good statement, changed in some members; None leaves one out."""
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": ROLE},
        "Action": "kms:Decrypt",
        "Resource": "*",
        "Condition": ATTESTED,
        **changes,
    }
    return {name: value for name, value in statement.items() if value is not None}


def flaws(*statements: dict[str, Any]) -> set[Flaw]:
    """What is wrong with a key policy of these statements."""
    text = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    return {weakness.flaw for weakness in analyse(text).weaknesses}


def attested(name: str = "PCR0", value: Any = PCR, operator: str = "StringEqualsIgnoreCase") -> dict[str, Any]:
    """A condition on one register."""
    return {operator: {f"kms:RecipientAttestation:{name}": value}}


_NITRO = "kms:RecipientAttestation:NitroTPMPCR"
_MIXED = (Flaw.UNSEPARATED, Flaw.PATTERN)


def test_one_measured_role_is_right() -> None:
    assert flaws(allowing()) == set()
    assert flaws(allowing(Principal="*", Condition={**ATTESTED, "ArnEquals": {"aws:PrincipalArn": ROLE}})) == set()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"Condition": None}, {Flaw.UNCONDITIONED}),
        ({"Condition": {"StringEquals": {"aws:SourceVpc": "vpc-1"}}}, {Flaw.UNATTESTED}),
        ({"Principal": "*", "Condition": {"StringEquals": {"aws:SourceVpc": "vpc-1"}}}, None),
        ({"Principal": {"AWS": "*"}}, {Flaw.BROAD_PRINCIPAL}),
        ({"Principal": {"AWS": "123456789012"}}, {Flaw.BROAD_PRINCIPAL}),
        ({"Principal": {"AWS": "arn:aws:iam::123456789012:root"}}, {Flaw.BROAD_PRINCIPAL}),
        ({"Principal": {"AWS": [ROLE, "*"]}}, {Flaw.BROAD_PRINCIPAL}),
        ({"Principal": {"Federated": "arn:aws:iam::1:saml-provider/x"}}, {Flaw.BROAD_PRINCIPAL}),
        ({"Principal": None, "NotPrincipal": {"AWS": ROLE}}, {Flaw.BROAD_PRINCIPAL}),
        ({"Principal": {"AWS": "arn:aws:iam::123456789012:user/a"}}, {Flaw.PERSON}),
        ({"Action": "kms:*"}, {Flaw.UNCONDITIONED_GRANT, *_MIXED}),
        ({"Action": None, "NotAction": "kms:Encrypt"}, {Flaw.UNCONDITIONED_GRANT, *_MIXED}),
        ({"Action": ["kms:Decrypt", "kms:PutKeyPolicy"]}, {Flaw.UNSEPARATED}),
        ({"Action": ["KMS:De?rypt"], "Condition": None}, {Flaw.UNCONDITIONED, Flaw.PATTERN}),
        ({"Action": "kms:GenerateDataKey*", "Condition": None}, {Flaw.UNCONDITIONED, Flaw.PATTERN}),
        ({"Action": "kms:CreateGrant"}, {Flaw.UNCONDITIONED_GRANT}),
        ({"Action": "kms:CreateGrant", "Condition": {"Bool": {"kms:GrantIsForAWSResource": True}}}, set()),
        ({"Action": "kms:Encrypt", "Condition": None}, set()),
        ({"Effect": "Deny", "Principal": "*", "Action": "kms:*", "Condition": None}, set()),
        ({"Condition": attested(value="00" * 48)}, {Flaw.DEBUGGABLE}),
        ({"Condition": attested(value=[PCR, "00" * 48])}, {Flaw.DEBUGGABLE}),
        ({"Condition": attested("PCR3")}, {Flaw.NO_WORKLOAD}),
        ({"Condition": attested("PCR4")}, {Flaw.NO_WORKLOAD}),
        ({"Condition": attested("NitroTPMPCR4")}, set()),
        ({"Condition": {"StringEquals": {f"{_NITRO}4": PCR, f"{_NITRO}12": "00" * 48}}}, set()),
        ({"Condition": {"StringEquals": {f"{_NITRO}4": "00" * 48, f"{_NITRO}12": "00" * 48}}}, {Flaw.DEBUGGABLE}),
        ({"Condition": attested("NitroTPMPCR12")}, {Flaw.NO_WORKLOAD}),
        ({"Condition": attested("NitroTPMPCR12", "00" * 48)}, {Flaw.NO_WORKLOAD}),
        ({"Condition": attested("imagesha384", operator="StringEquals")}, set()),
        ({"Condition": attested(operator="StringEqualsIfExists")}, {Flaw.UNCONDITIONED}),
        ({"Condition": attested(operator="ForAllValues:StringEquals")}, {Flaw.UNCONDITIONED}),
        ({"Condition": attested(operator="StringNotEquals")}, {Flaw.UNCONDITIONED}),
        ({"Condition": attested(value="*", operator="StringLike")}, {Flaw.UNCONDITIONED}),
        ({"Condition": attested(value="${aws:PrincipalTag/pcr}")}, {Flaw.UNCONDITIONED}),
        ({"Condition": {"Null": {"kms:RecipientAttestation:PCR0": False}}}, {Flaw.UNCONDITIONED}),
        ({"Principal": "*", "Condition": {**ATTESTED, "ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*"}}}, None),
    ],
)
def test_a_statement_is_as_strong_as_what_must_hold(changes: dict[str, Any], expected: set[Flaw] | None) -> None:
    found = flaws(allowing(**changes))
    if expected is None:
        assert Flaw.BROAD_PRINCIPAL in found
    else:
        assert found == expected


def test_a_service_of_the_account_uses_its_key_and_releases_nothing() -> None:
    through = {"StringEquals": {"kms:CallerAccount": "123456789012", "kms:ViaService": "s3.eu-central-1.amazonaws.com"}}
    assert (
        flaws(allowing(Principal={"AWS": "*"}, Action=["kms:Decrypt", "kms:CreateGrant"], Condition=through)) == set()
    )
    del through["StringEquals"]["kms:CallerAccount"]
    assert flaws(allowing(Principal={"AWS": "*"}, Condition=through)) == {Flaw.BROAD_PRINCIPAL, Flaw.UNCONDITIONED}


def test_the_policy_that_aws_writes_by_itself_is_found() -> None:
    everything = allowing(Principal={"AWS": "arn:aws:iam::123456789012:root"}, Action="kms:*", Condition=None)
    assert flaws(everything) == {Flaw.BROAD_PRINCIPAL, Flaw.UNCONDITIONED, Flaw.UNCONDITIONED_GRANT, *_MIXED}


@pytest.mark.parametrize(
    ("governor", "found"),
    [(ROLE, True), ("*", True), ("arn:aws:iam::123456789012:role/security", False)],
)
def test_who_uses_a_key_does_not_govern_it_in_another_statement(governor: str, found: bool) -> None:
    govern = {"Effect": "Allow", "Principal": {"AWS": governor}, "Action": "kms:PutKeyPolicy", "Resource": "*"}
    reading = analyse(json.dumps({"Statement": [allowing(), govern]}))
    assert [one.path for one in reading.of(Flaw.UNSEPARATED)] == (["Statement[1]"] if found else [])


def test_alternatives_of_a_register_are_ways_of_their_own() -> None:
    text = json.dumps({"Statement": allowing(Condition=attested(value=[PCR, "cd" * 48]))})
    assert [way.pins for way in analyse(text).ways] == [{("image digest", PCR)}, {("image digest", "cd" * 48)}]


@pytest.mark.parametrize(
    ("operations", "count"), [(["Decrypt"], 1), (["CreateGrant"], 1), (["Encrypt", "DescribeKey"], 0)]
)
def test_a_grant_that_yields_plaintext_asks_for_nothing(operations: list[str], count: int) -> None:
    assert len(grant_weaknesses(operations)) == count


@pytest.mark.parametrize(
    "text",
    [
        "allow",
        "[]",
        "{}",
        '{"Statement": [1]}',
        '{"Statement": [{"Effect": "Maybe"}]}',
        '{"Statement": [{"Effect": "Allow", "Effect": "Deny"}]}',
        '{"Statement": [{"Effect": "Allow", "Action": 1}]}',
        '{"Statement": [{"Effect": "Allow", "Actions": "kms:Decrypt"}]}',
        '{"Statement": [{"Effect": "Allow", "Action": "kms:Decrypt", "Condition": []}]}',
        '{"Statement": [{"Effect": "Allow", "Action": "kms:Decrypt", "Principal": 1}]}',
        '{"Statement": [{"Effect": "Allow", "Action": "kms:CreateGrant", "Condition": {"Bool": 1}}]}',
    ],
)
def test_what_has_no_single_meaning_is_refused(text: str) -> None:
    with pytest.raises(MalformedDocument):
        analyse(text)
