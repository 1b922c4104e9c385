"""ATT-03 on AWS: the processor's report measures no image, NitroTPM's document is the cloud's own word. A
verdict rests on both."""

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


def test_a_report_with_a_document_is_accepted() -> None:
    assert broken("aws-snp-nitrotpm") == []


@pytest.mark.parametrize(
    "tees", [("aws-nitro",), ("aws-snp-nitrotpm", "aws-nitro"), ("snp",), ("aws-snp-nitrotpm", "snp")]
)
def test_either_alone_is_not(tees: tuple[str, ...]) -> None:
    (message,) = broken(*tees)
    assert f"policy.tee[{len(tees) - 1}]" in message
