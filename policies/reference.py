"""Writes `docs/policies/` from the rules' own metadata: an index, and a page for each rule.

`python -m policies.reference` writes the pages; a test fails when they differ from the metadata.
"""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from policies.absent import ABSENT
from policies.pack import RULES
from policies.rule import Covered, Example, Rule
from policies.testing import judge

DOCS = Path(__file__).parents[1] / "docs" / "policies"
_CLOUDS = {
    "azure": "Azure",
    "gcp": "Google Cloud",
    "aws": "AWS",
    "kubernetes": "Kubernetes",
    "fortanix": "Fortanix DSM",
}
_PAGES = "*-*.md"
"""The pages of rules among those that people wrote."""
_NOTICE = "<!-- Written by `python -m policies.reference`; edit the rule, not this page. -->\n\n"


def pages() -> Iterator[tuple[str, str]]:
    """File name and text of every page."""
    yield "index.md", _index()
    for rule in RULES:
        yield f"{rule.id.lower()}.md", _page(rule)


def write(directory: Path = DOCS) -> None:
    """Write every page, and remove the pages of rules that are gone."""
    written = dict(pages())
    directory.mkdir(parents=True, exist_ok=True)
    for stale in {path.name for path in directory.glob(_PAGES)} - set(written):
        (directory / stale).unlink()
    for name, text in written.items():
        (directory / name).write_text(text, encoding="utf-8")


def _index() -> str:
    rows = "".join(
        f"| [{rule.id}]({rule.id.lower()}.md) | {rule.title} | {rule.severity.value} | {', '.join(rule.clouds)} "
        f"| {_requirements(rule)} |\n"
        for rule in RULES
    )
    return f"""{_NOTICE}# Policy rules

{len(RULES)} rules. A stack that breaks one does not deploy, unless the rule is of low severity, which is advice, or of
medium severity and waived. The same pack runs on a pull request, at
preview and at deployment, under Pulumi (`--policy-pack policies`) and under the local engine.

An unknown value is not a pass. Where a rule needs a value that exists only after deployment, it reports a violation
that starts with `unknown:` and names the property that has to be stated instead.

What a stack must not leave is its `bailiwick:jurisdiction`. A platform team can fence it in from outside as well, for
each rule, in `--policy-pack-config`: `{{"RES-01": {{"jurisdiction": "DE"}}}}`. A rule, a setting or a level that the
pack does not know stops the run. Rules of your own are tested with the [pack's own tests](testing.md).

## Remedies

A few rules ask for a switch that has one right value and can be set at any time: {_remedial()}. A violation of them
blocks like any other, unless a person lets the rule put it right: `bailiwick check|preview|up --remediate NET-04`, or
`--policy-pack-config` with `{{"NET-04": {{"enforcementLevel": "remediate"}}}}` under Pulumi. A value that is unknown is
never overwritten, nor is anything changed that is waived; what a remedy leaves wrong still blocks.

## States that exist

`pulumi policy analyze --file state.json --policy-pack policies` judges a state that exists already. Pulumi hands it no
stack configuration, so that the environment has to: `PULUMI_CONFIG='{{"bailiwick:cloud": "azure", …}}'`. Without it
every rule that needs a declaration refuses.

`ATT-10`, `RES-11` and `RES-12` are Bailiwick's own additions to the catalogue that the other ids come from: the first
keeps the sandbox's trust anchor out of real stacks, the second judges the jurisdiction graph that a region states, the
third asks that the cloud goes on holding residency by itself.

## All rules

Which rule helps with which requirement is in `policies/frameworks/`; ° marks what a person who knows the framework must
still confirm.

| Rule | Requires | Severity | Clouds | Helps with |
| --- | --- | --- | --- | --- |
{rows}"""


def _remedial() -> str:
    return ", ".join(f"`{rule.id}`" for rule in RULES if rule.remedy is not None)


def _requirements(rule: Rule) -> str:
    by_framework: dict[str, list[str]] = {}
    for control in rule.controls:
        mark = "°" if control.must_be_confirmed else ""
        by_framework.setdefault(control.framework, []).append(f"{control.requirement}{mark}")
    return "; ".join(f"{framework}: {', '.join(listed)}" for framework, listed in by_framework.items())


def _remedy(rule: Rule) -> str:
    """The row of a rule that can put something right by itself; nothing for any other."""
    if rule.remedy is None:
        return ""
    return (
        f"| Can put right | switches with one right value, with `--remediate {rule.id}` ([how](index.md#remedies)) |\n"
    )


def _page(rule: Rule) -> str:
    sees = " and ".join(
        text
        for text, present in (
            ("each resource before it is made", rule.check),
            ("how the stack's resources relate", rule.check_stack),
        )
        if present is not None
    )
    clouds = "\n".join(_cloud(rule, cloud, examples) for cloud, examples in rule.examples.items())
    return f"""{_NOTICE}# {rule.id}: {rule.title}

{rule.why}

| | |
| --- | --- |
| Severity | {rule.severity.value} |
| Looks at | {sees} |
| Unknown value | {rule.on_unknown}s |
{_remedy(rule)}| Clouds | {", ".join(rule.clouds)} |
| Helps with | {_requirements(rule)} |

**Fix:** {rule.remediation}.

{_confirm(rule)}{_absent(rule)}{clouds}"""


def _absent(rule: Rule) -> str:
    """The clouds in which the rule has no subject, with the reason."""
    lines = "".join(f"- {_CLOUDS[cloud]}: {reason}.\n" for cloud, reason in ABSENT.get(rule.id, {}).items())
    return f"**Nothing to judge in**\n\n{lines}\n" if lines else ""


def _confirm(rule: Rule) -> str:
    return f"**A person must still confirm:** {rule.confirm}\n\n" if rule.confirm else ""


def _cloud(rule: Rule, cloud: str, examples: Covered) -> str:
    failing = "\n".join(_failing(rule, example) for example in examples.failing)
    return f"## Passes in {_CLOUDS[cloud]}\n\n{_example(examples.passing)}\n## Fails in {_CLOUDS[cloud]}\n\n{failing}"


def _example(example: Example) -> str:
    stack = {f"bailiwick:{key}": value for key, value in example.config.items() if value}
    documents: list[dict[str, Any]] = [{"config": stack}] if stack else []
    documents += [{"type": one.type, "name": one.name, "properties": dict(one.props)} for one in example.resources]
    text = "---\n".join(yaml.safe_dump(_readable(one), sort_keys=False, width=110) for one in documents)
    return f"{example.says}\n\n```yaml\n{text}```\n"


def _readable(value: Any) -> Any:
    """`value` with what is JSON inside base64 written out, under a key that says so."""
    if isinstance(value, dict):
        decoded = {key: _decoded(item) for key, item in value.items()}
        return {
            f"{key} (encoded)" if decoded[key] is not None else key: _readable(decoded[key] or item)
            for key, item in value.items()
        }
    return [_readable(item) for item in value] if isinstance(value, list) else value


def _decoded(value: object) -> Any:
    if not isinstance(value, str) or not value.startswith("eyJ"):  # base64 of `{"`
        return None
    return json.loads(base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)))


def _failing(rule: Rule, example: Example) -> str:
    messages = "\n".join(violation.message for violation in judge(list(rule.policies()), example).violations)
    return f"{example.says}\n\n```text\n{messages}\n```\n"


if __name__ == "__main__":
    write()
