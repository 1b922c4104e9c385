"""The policy pack: which rules there are, and how the SDK gets them."""

from collections.abc import Collection
from dataclasses import replace

from pulumi_policy import Policy

from policies import waivers
from policies.examples.elsewhere import ELSEWHERE
from policies.rule import Rule
from policies.rules import (
    accelerators,
    appraisal,
    attestation,
    copies,
    custody,
    gateway,
    graph,
    intrusion,
    keys,
    languages,
    logs,
    machines,
    network,
    quorum,
    release,
    residency,
    separation,
    sinks,
    sources,
    state,
    stewardship,
    supply,
    transport,
    verdicts,
)

NAME = "bailiwick"
VERSION = "0.1.0"

_MODULES = (
    residency,
    copies,
    state,
    sources,
    graph,
    machines,
    intrusion,
    accelerators,
    attestation,
    appraisal,
    verdicts,
    keys,
    custody,
    quorum,
    release,
    languages,
    stewardship,
    separation,
    network,
    transport,
    logs,
    sinks,
    supply,
    gateway,
)
_THEMES = ("RES", "CVM", "ATT", "KEY", "REL", "NET", "LOG", "SUP", "GW")


def _everywhere(rule: Rule) -> Rule:
    """`rule` with its examples for the clouds other than its own."""
    others = {cloud: covered for cloud, covered in ELSEWHERE.items() if cloud != rule.home}
    examples = {cloud: covered[rule.id] for cloud, covered in others.items() if rule.id in covered}
    return replace(rule, elsewhere=examples)


RULES: tuple[Rule, ...] = tuple(
    sorted(
        (_everywhere(rule) for module in _MODULES for rule in module.RULES),
        key=lambda rule: (_THEMES.index(rule.theme), rule.id),
    )
)
"""Every rule, in the order of its id."""
SEVERITIES = {rule.id: rule.severity for rule in RULES}


def select(selection: Collection[str] | None = None) -> tuple[Rule, ...]:
    """The rules with these ids, all of them for None; raises `ValueError` for an id that no rule has."""
    if selection is None:
        return RULES
    ids = {rule.id for rule in RULES}
    if missing := sorted(set(selection) - ids):
        raise ValueError(f"no such rule: {', '.join(missing)}; allowed: {', '.join(sorted(ids))}")
    return tuple(rule for rule in RULES if rule.id in selection)


def held() -> waivers.Waivers:
    """The waivers that hold today; raises `WaiverError` when one does not."""
    return waivers.load(SEVERITIES)


def build(selection: Collection[str] | None = None) -> list[Policy]:
    """The pack's policies as the SDK takes them, for the rules of `selection` (all for None).

    Raises `WaiverError` when a waiver does not hold: what nobody answers for any more is not let through.
    """
    selected = select(selection)
    kept = waivers.Waivers(tuple(one for one in held().entries if one.rule in {rule.id for rule in selected}))
    return [*(policy for rule in selected for policy in rule.policies(kept)), *kept.policies()]
