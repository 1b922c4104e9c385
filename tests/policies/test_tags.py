"""RES-10: a program that has the engine ignore changes of tags leaves them as somebody else made them."""

from contextvars import copy_context

import pulumi
import pytest
from pulumi.runtime import proto
from pulumi_policy import EnforcementLevel

from policies import examples, pack
from policies.analyzer import FailClosedAnalyzer
from policies.testing import urn

TAGGED = examples.but(examples.VAULT, {"tags": examples.TAGS})


def messages(*ignored: str) -> list[str]:
    """What RES-10 says of a tagged vault whose changes of `ignored` are ignored."""
    return copy_context().run(_judged, ignored)


def _judged(ignored: tuple[str, ...]) -> list[str]:
    pulumi.runtime.set_all_config({f"bailiwick:{key}": value for key, value in examples.CONFIG.items()})
    request = proto.AnalyzeRequest(type=TAGGED.type, name=TAGGED.name, urn=urn(TAGGED))
    request.properties.update(dict(TAGGED.props))
    request.options.ignoreChanges.extend(ignored)
    policies = [policy for rule in pack.RULES if rule.id == "RES-10" for policy in rule.policies()]
    analyzer = FailClosedAnalyzer(pack.NAME, pack.VERSION, policies, EnforcementLevel.MANDATORY)
    return [one.message for one in analyzer.Analyze(request, None).diagnostics]


@pytest.mark.parametrize("ignored", ["tags", "tags.jurisdiction", 'tags["data-class"]', "*"])
def test_changes_of_tags_that_are_ignored_are_refused(ignored: str) -> None:
    (message,) = messages("properties.sku", ignored)
    assert "ignoreChanges leaves tags as somebody else has changed them" in message


def test_changes_of_what_is_no_tag_are_the_program_s_own_matter() -> None:
    assert messages("properties.sku", "tagsOfOthers") == []
