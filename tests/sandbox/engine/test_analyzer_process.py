"""A process that judges while the program goes on says what the engine's own would, and its loss is no pass."""

import multiprocessing
import os
import signal

import pytest
from pulumi_policy import EnforcementLevel, ResourceValidationPolicy, StackValidationPolicy

from sandbox.engine import Verdict
from sandbox.engine.events import Message

_TO_ITSELF = os.getpid()


@pytest.fixture(autouse=True)
def _apart(monkeypatch):
    """Also where the tests have threads, of which the judging process needs none."""
    monkeypatch.setattr("sandbox.engine.policy.can_judge_apart", lambda: True)


def no_bad_value(args, report):
    if args.resource_type != "memory:index:Thing":
        args.not_applicable("not a thing")
    if args.props["value"] == "bad":
        report(f"value of {args.name} is bad; use good")


def at_most_two(args, report):
    things = [one for one in args.resources if one.resource_type == "memory:index:Thing"]
    for one in things[2:]:
        report(f"{one.name} is one too many after {[needed.name for needed in one.dependencies]}", one.urn)


def policies(check=no_bad_value, check_stack=at_most_two):
    level = EnforcementLevel.MANDATORY
    return [
        ResourceValidationPolicy("THING-01", "Things are good", check, enforcement_level=level),
        StackValidationPolicy("THING-02", "Two things", check_stack, enforcement_level=level),
    ]


def told(bench):
    return sorted((one.urn, one.rule, one.status, one.message, one.position) for one in bench.of(Verdict))


def test_it_says_what_the_engine_says_itself(bench):
    bench.program("""
        a = Thing("a", "good")
        Thing("b", "bad")
        Thing("c", a.address)
        Thing("d", "good", opts=pulumi.ResourceOptions(depends_on=[a]))
    """)
    own = bench.engine(policies=policies()).preview()
    said = told(bench)
    apart = bench.engine(policies=policies(), apart=True).preview()
    assert told(bench) == said
    assert {status for _, _, status, _, _ in said} == {"pass", "fail", "unknown", "not_applicable"}
    assert sorted(apart.error.split()) == sorted(own.error.split())
    assert not multiprocessing.active_children()


def test_policies_of_another_process_read_the_stacks_configuration(bench):
    def owned(_args, report):
        import pulumi

        report(f"owner is {pulumi.Config('bailiwick').get('owner')}")

    bench.program('Thing("a")')
    outcome = bench.engine(policies=policies(owned), apart=True).preview()
    assert "owner is me@example.org" in outcome.error


def test_a_policy_that_raises_there_is_named(bench):
    def broken(args, _report):
        raise KeyError(args.name)

    bench.program('Thing("a", "good")')
    assert "policy THING-01 failed on" in bench.engine(policies=policies(broken), apart=True).preview().error
    outcome = bench.engine(policies=policies(check_stack=lambda *_: [][0]), apart=True).preview()
    assert "policy THING-02 failed on" in outcome.error


def test_what_was_judged_before_a_program_fails_is_told(bench):
    bench.program("""
        def fail(_):
            raise ValueError("no more")
        Thing("a", "bad").urn.apply(fail)
    """)
    outcome = bench.engine(policies=policies(), apart=True).preview()
    assert "ValueError: no more" in bench.of(Message)[-1].text
    assert ("a", "fail") in {(one.urn.split("::")[-1], one.status) for one in outcome.verdicts}
    assert not multiprocessing.active_children()


@pytest.mark.parametrize("at", ["resource", "stack"])
def test_a_process_that_is_killed_is_not_a_pass(bench, at):
    def kill(*_):
        if os.getpid() != _TO_ITSELF:
            os.kill(os.getpid(), signal.SIGKILL)

    bench.program('Thing("a", "good")')
    killed = policies(kill) if at == "resource" else policies(check_stack=kill)
    outcome = bench.engine(policies=killed, apart=True).preview()
    assert not outcome.ok
    assert "the process that judges was killed" in outcome.error


def test_a_policy_that_never_answers_ends_with_whoever_waits(bench):
    class Late(BaseException):
        pass

    def late(_number, _frame):
        raise Late

    def hang(*_):
        if os.getpid() != _TO_ITSELF:
            signal.pause()

    bench.program('Thing("a", "good")')
    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, 1)
    try:
        with pytest.raises(Late):
            bench.engine(policies=policies(hang), apart=True).preview()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert not multiprocessing.active_children()


def test_a_deployment_waits_for_each_verdict(bench):
    bench.program("""
        a = Thing("a", "bad")
        Thing("b", a.address)
    """)
    assert not bench.engine(policies=policies(), apart=True).up().ok
    assert bench.did() == []
