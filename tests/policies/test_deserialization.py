"""Reading a request once must change no verdict."""

from pulumi_policy import ResourceValidationArgs, ResourceValidationPolicy

from policies import examples, pack
from policies.deserialization import once_per_request
from policies.rule import Example
from policies.testing import UNKNOWN, judge, secret

EXAMPLE = Example(
    "",
    (
        examples.VAULT,
        examples.but(examples.VM, {"securityProfile": UNKNOWN}),
        examples.but(examples.KEY, {"properties.kty": secret("RSA")}),
    ),
)


def test_the_verdicts_of_the_whole_pack_are_those_of_each_rule_alone() -> None:
    together = judge(pack.build(), EXAMPLE)
    alone = [judge(pack.build([rule.id]), EXAMPLE) for rule in pack.RULES]
    assert sorted(map(str, together.violations)) == sorted(str(one) for each in alone for one in each.violations)
    assert together.not_applicable == {key: value for each in alone for key, value in each.not_applicable.items()}


def test_two_requests_share_nothing() -> None:
    seen: list[object] = []

    def look(args: ResourceValidationArgs, _: object) -> None:
        seen.append(args.props["location"])

    policy = ResourceValidationPolicy("look", "look", look)
    with once_per_request():
        for location in ("a", "b"):
            judge([policy], Example("", (examples.but(examples.VAULT, {"location": location}),)))
    assert seen == ["a", "b"]
