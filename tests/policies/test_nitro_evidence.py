"""ATT-03 on AWS: NitroTPM beside the processor's report is a verdict on the processor, the cloud's own word is none."""

import pytest

from policies import examples, pack
from policies.rule import Example
from policies.testing import judge

(RULE,) = pack.select({"ATT-03"})
AWS = {"cloud": "aws", "location": "eu-west-1", "jurisdiction": "IE"}


def broken(*tees: str) -> list[str]:
    configured = examples.but(examples.VERIFIER_CONFIGURED, {"guestConfiguration.resources.0.policy.tee": list(tees)})
    outcome = judge(list(RULE.policies()), Example("", (configured,), AWS))
    return [violation.message for violation in outcome.violations]


@pytest.mark.parametrize("tees", [("aws-snp-nitrotpm",), ("snp", "aws-snp-nitrotpm")])
def test_a_report_with_a_document_is_accepted(tees: tuple[str, ...]) -> None:
    assert broken(*tees) == []


@pytest.mark.parametrize("tees", [("aws-nitro",), ("aws-snp-nitrotpm", "aws-nitro")])
def test_a_document_alone_is_not(tees: tuple[str, ...]) -> None:
    (message,) = broken(*tees)
    assert f"policy.tee[{len(tees) - 1}]" in message
