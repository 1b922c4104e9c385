"""Policies judge through the SDK's own servicer; what they forbid, or cannot judge, is not deployed."""

import pytest
from pulumi_policy import EnforcementLevel, ResourceValidationPolicy, StackValidationPolicy
from pulumi_policy.proxy import UnknownValueError

from policies import waivers
from sandbox.engine import Verdict

MANDATORY = EnforcementLevel.MANDATORY


def only_things(check):
    def validate(args, report):
        if args.resource_type != "memory:index:Thing":
            args.not_applicable("not a thing")
        check(args, report)

    return validate


def no_bad_value(args, report):
    if args.props["value"] == "bad":
        report(f"value of {args.name} is bad; use good")


def resource_policy(check=no_bad_value, level=MANDATORY, name="THING-01"):
    return ResourceValidationPolicy(name, "Things are good", only_things(check), enforcement_level=level)


def verdicts(bench, rule="THING-01"):
    return {(v.urn.split("::")[-1], v.status) for v in bench.of(Verdict) if v.rule == rule}


def test_each_resource_gets_one_verdict_from_each_policy(bench):
    bench.program("""
        Thing("a", "good")
        box = Box("box")
    """)
    outcome = bench.engine(policies=[resource_policy()]).up()
    assert outcome.ok
    expected = {
        ("a", "pass"),
        ("box", "not_applicable"),
        ("bailiwick-dev", "not_applicable"),
        ("default", "not_applicable"),
    }
    assert verdicts(bench) == expected
    assert len(bench.of(Verdict)) == 4, "the deployment repeats no verdict of the preview"
    assert {(v.urn.split("::")[-1], v.status) for v in outcome.verdicts} == expected


def test_a_violation_in_the_preview_creates_nothing(bench):
    bench.program("""
        Thing("a", "good")
        Thing("b", "bad")
        Thing("c", "bad")
    """)
    outcome = bench.engine(policies=[resource_policy()]).up()
    assert outcome.error == "policy THING-01: b: value of b is bad; use good (and 1 more)"
    assert verdicts(bench) >= {("a", "pass"), ("b", "fail"), ("c", "fail")}
    assert bench.did() == []
    assert not bench.state.path.exists()


def test_an_advisory_violation_is_told_and_stops_nothing(bench):
    bench.program('Thing("b", "bad")')
    assert bench.engine(policies=[resource_policy(level=EnforcementLevel.ADVISORY)]).up().ok
    assert ("b", "fail") in verdicts(bench)


def test_a_violation_that_shows_only_in_the_deployment_stops_the_rest(bench):
    """A value unknown in the preview is judged when it is known; here by a policy that waives the unknown."""

    def tolerant(args, report):
        if "value" in list(args.props):
            try:
                value = args.props["value"]
            except UnknownValueError:
                args.not_applicable(waivers.reason([(args.urn, "not known yet")]))
            if value == "address of a":
                report("takes the address of a")

    bench.program("""
        a = Thing("a", "good")
        b = Thing("b", a.address)
        Thing("c", b.address)
    """)
    outcome = bench.engine(policies=[resource_policy(tolerant)]).up()
    assert outcome.error == "policy THING-01: b: takes the address of a"
    assert ("b", "waived") in verdicts(bench)
    assert bench.did() == [("create", "a")]
    assert sorted(bench.resources()) == ["a", "bailiwick-dev", "default"]


@pytest.mark.parametrize(
    "check",
    [
        no_bad_value,
        lambda _args, report: report("unknown: value is known only after deployment"),
    ],
)
def test_what_cannot_be_judged_is_not_a_pass(bench, check):
    bench.program("""
        a = Thing("a", "good")
        Thing("b", a.address)
    """)
    outcome = bench.engine(policies=[resource_policy(check)]).up()
    assert not outcome.ok
    assert outcome.error.startswith("policy THING-01: ")
    assert ("b", "unknown") in verdicts(bench)
    assert bench.did() == []


def test_stack_policies_see_foreseen_outputs_before_anything_is_created(bench):
    def few(args, report):
        things = [r for r in args.resources if r.resource_type == "memory:index:Thing"]
        if len(things) > 1:
            report(f"{len(things)} things, 1 is allowed", things[1].urn)
        assert things[0].props["size"] == "small"

    policies = [StackValidationPolicy("STACK-01", "Few things", few, enforcement_level=MANDATORY)]
    bench.program('Thing("a")')
    assert bench.engine(policies=policies).up().ok
    assert verdicts(bench, "STACK-01") == {("bailiwick-dev", "pass")}

    bench.program("""
        a = Thing("a")
        Thing("b", opts=pulumi.ResourceOptions(depends_on=[a]))
    """)
    outcome = bench.engine(policies=policies).up()
    assert outcome.error == "policy STACK-01: b: 2 things, 1 is allowed"
    assert bench.did() == [("create", "a")]


def test_a_policy_sees_options_provider_and_dependencies(bench):
    seen = {}

    def resource(args, _report):
        seen["protect"] = args.opts.protect
        seen["provider"] = args.provider.resource_type

    def stack(args, _report):
        (b,) = [r for r in args.resources if r.name == "b"]
        seen["needs"] = [r.name for r in b.property_dependencies["value"]]
        seen["parent"] = b.parent.resource_type

    bench.program("""
        a = Thing("a", opts=pulumi.ResourceOptions(protect=True))
        Thing("b", a.id, opts=pulumi.ResourceOptions(protect=True))
    """)
    policies = [resource_policy(resource), StackValidationPolicy("STACK-01", "s", stack, enforcement_level=MANDATORY)]
    assert bench.engine(policies=policies).up().ok
    assert seen == {
        "protect": True,
        "provider": "pulumi:providers:memory",
        "needs": ["a"],
        "parent": "pulumi:pulumi:Stack",
    }


def test_a_policy_that_raises_stops_the_run_and_is_named(bench):
    def broken(_args, _report):
        raise KeyError("location")

    bench.program("""
        Thing("a")
        Thing("b", opts=pulumi.ResourceOptions(depends_on=[]))
    """)
    outcome = bench.engine(policies=[resource_policy(broken)]).up()
    assert "policy THING-01 failed on urn:pulumi:dev::bailiwick::memory:index:Thing::a: KeyError: 'location'" in (
        outcome.error
    )
    assert bench.did() == []


def test_a_policy_that_raises_now_and_then_stops_the_run_too(bench):
    bench.program('Thing("a")')
    raised = []

    def check(args, _report):
        if not raised:
            raised.append(args.urn)
            raise RuntimeError("not now")

    outcome = bench.engine(policies=[resource_policy(check)]).up()
    assert outcome.error is not None
    assert "what is not judged is not deployed" in outcome.error
    assert bench.did() == []


def test_a_secret_in_a_message_is_taken_out(bench):
    def tells(args, report):
        report(f"found {args.props['value']}")

    bench.program('Thing("a", pulumi.Output.secret("hunter22"))')
    outcome = bench.engine(policies=[resource_policy(tells)]).up()
    assert outcome.error == "policy THING-01: a: found [secret]"
    assert "hunter22" not in repr(bench.events)
