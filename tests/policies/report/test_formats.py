"""Every format tells the same story, and nothing that a program under check is named can break out of it."""

import json
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
import xmlschema

from policies import pack
from policies.report import github, junit, markdown, record, sarif, text
from policies.report.model import EXIT_PASS, EXIT_UNUSABLE, EXIT_VIOLATION, Report, Result, StackReport
from tests.policies import published

HERE = Path(__file__).parent
RULES = tuple(rule.id for rule in pack.RULES)
HOSTILE = "a\nb\r::error::x, y: 50%</failure>]]>&|`\x1b[31m\u202e\ud800<script>"
URN = "urn:pulumi:dev::shop::azure-native:keyvault:Vault::keys"

FAIL = Result("KEY-03", URN, "fail", "mandatory", "high", "KEY-03 keys: too short", "stacks/__main__.py", 12)
UNKNOWN = Result("KEY-01", URN, "unknown", "mandatory", "critical", "unknown: KEY-01 keys", "stacks/Pulumi.dev.yaml")
WAIVED = Result("KEY-05", URN, "waived", "mandatory", "medium", "waived until 2027-01-31 by a@example.org: moving")
ADVICE = Result("CVM-08", URN, "fail", "advisory", "low", "CVM-08 keys: advice")
PASS = Result("RES-01", URN, "pass", "mandatory", "critical")
SKIPPED = Result("CVM-01", URN, "not_applicable", "mandatory", "critical", "is not a machine")
ALL = (FAIL, UNKNOWN, WAIVED, ADVICE, PASS, SKIPPED)

RENDERERS = [text.render, record.render, sarif.render, junit.render, github.render, markdown.render]


def report(*results: Result, error: str | None = None) -> Report:
    return Report((StackReport("dev", "stacks/Pulumi.dev.yaml", results, error, 1.5),), RULES)


@pytest.mark.parametrize(
    ("results", "error", "code"),
    [
        ((PASS, SKIPPED), None, EXIT_PASS),
        ((PASS, ADVICE, WAIVED), None, EXIT_PASS),
        ((PASS, FAIL), None, EXIT_VIOLATION),
        ((PASS, UNKNOWN), None, EXIT_VIOLATION),
        ((PASS, replace(FAIL, known=True)), None, EXIT_PASS),
        ((PASS,), "the program raised", EXIT_UNUSABLE),
        ((FAIL,), "the program raised", EXIT_UNUSABLE),
    ],
)
def test_exit_codes(results: tuple[Result, ...], error: str | None, code: int) -> None:
    assert report(*results, error=error).exit_code == code


def test_a_run_that_judged_nothing_is_no_pass() -> None:
    assert Report(()).exit_code == EXIT_UNUSABLE


def test_text_shows_what_blocks_first_and_where() -> None:
    lines = text.render(report(ADVICE, WAIVED, FAIL, PASS)).splitlines()
    assert lines[0].startswith("dev  violation in 1.5 s")
    assert "2 fail, 0 unknown, 1 waived, 1 pass, 0 not applicable" in lines[1]
    assert lines[2] == "  mandatory fail stacks/__main__.py:12: KEY-03 keys: too short"
    assert len(lines) == 5


def test_json_separates_every_status_and_is_its_own_baseline() -> None:
    rendered = record.render(report(*ALL))
    document = json.loads(rendered)
    assert document["stacks"]["dev"]["summary"] == {
        "fail": 2,
        "unknown": 1,
        "waived": 1,
        "pass": 1,
        "not_applicable": 1,
    }
    assert record.fingerprints(rendered) == {FAIL.fingerprint, UNKNOWN.fingerprint, ADVICE.fingerprint}
    assert replace(FAIL, line=99).fingerprint in record.fingerprints(rendered), "a moved line is no new finding"


@pytest.mark.parametrize(
    "content", ["", "[]", "{", '{"version": 1}', '{"version": 2}', "[" * 5000, '{"version": 1, "stacks": 7}']
)
def test_what_is_no_report_is_no_baseline(content: str) -> None:
    with pytest.raises(record.MalformedReport):
        record.fingerprints(content)


@pytest.mark.parametrize(
    "change", [{"urn": 5}, {"line": "x"}, {"status": "fine"}, {"message": None}, {"known": 1}, {"severity": []}]
)
def test_a_report_with_a_verdict_that_is_none_is_no_baseline(change: dict[str, object]) -> None:
    document = json.loads(record.render(report(FAIL)))
    document["stacks"]["dev"]["verdicts"][0] |= change
    with pytest.raises(record.MalformedReport, match="is not a report"):
        record.fingerprints(json.dumps(document))


def test_a_json_report_is_read_back_as_what_it_was() -> None:
    written = report(*ALL, error="the program raised")
    assert record.read(record.render(written)) == written


def test_sarif_is_valid_and_places_each_finding() -> None:
    document = json.loads(sarif.render(report(*ALL)))
    checker = jsonschema.FormatChecker()
    jsonschema.Draft7Validator(published.schema("sarif-2.1.0.json"), format_checker=checker).validate(document)
    ours = json.loads((HERE / "sarif.schema.json").read_text())
    jsonschema.Draft202012Validator(ours, format_checker=checker).validate(document)
    (run,) = document["runs"]
    results = {one["ruleId"]: one for one in run["results"]}
    assert set(results) == {"KEY-03", "KEY-01", "KEY-05", "CVM-08"}
    place = results["KEY-03"]["locations"][0]["physicalLocation"]
    assert place == {"artifactLocation": {"uri": "stacks/__main__.py"}, "region": {"startLine": 12}}
    assert run["tool"]["driver"]["rules"][results["KEY-03"]["ruleIndex"]]["id"] == "KEY-03"
    assert results["KEY-05"]["suppressions"][0]["status"] == "accepted"
    assert results["KEY-01"]["properties"]["status"] == "unknown"


def test_sarif_says_that_a_stack_could_not_be_checked() -> None:
    (run,) = json.loads(sarif.render(report(error="the program raised")))["runs"]
    assert run["invocations"][0]["executionSuccessful"] is False
    assert "the program raised" in run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"]


@pytest.mark.parametrize("error", [None, "the program raised"])
def test_junit_is_valid_and_counts(error: str | None) -> None:
    rendered = junit.render(report(*ALL, error=error))
    xmlschema.XMLSchema(HERE / "junit.xsd").validate(rendered)
    suite = ET.fromstring(rendered)[0]
    assert {key: suite.get(key) for key in ("failures", "errors", "skipped")} == {
        "failures": "2",
        "errors": "1" if error else "0",
        "skipped": "3",
    }
    (failure,) = [case[0] for case in suite if case.get("classname") == "KEY-03"]
    assert failure.get("message") == "stacks/__main__.py:12: KEY-03 keys: too short"
    assert suite.get("file") == "stacks/Pulumi.dev.yaml"


def test_every_format_counts_every_status() -> None:
    many = report(*ALL, replace(WAIVED, message="waived until 2027-01-31 by b@example.org: too"), SKIPPED, PASS, PASS)
    words = "2 fail, 1 unknown, 2 waived, 3 pass, 2 not applicable"
    counts = {"fail": 2, "unknown": 1, "waived": 2, "pass": 3, "not_applicable": 2}
    assert all(words in render(many) for render in (text.render, github.render, markdown.render))
    assert json.loads(record.render(many))["stacks"]["dev"]["summary"] == counts
    assert json.loads(sarif.render(many))["runs"][0]["properties"] == {"verdicts": {"dev": counts}}
    properties = ET.fromstring(junit.render(many)).iter("property")
    assert {one.get("name"): int(one.get("value", "")) for one in properties} == counts


def test_github_annotates_the_line() -> None:
    first, *_, last = github.render(report(*ALL)).splitlines()
    assert first.startswith("::error file=stacks/Pulumi.dev.yaml,line=1,title=KEY-01 dev::")
    assert "::error file=stacks/__main__.py,line=12,title=KEY-03 dev::KEY-03 keys: too short" in github.render(
        report(FAIL)
    )
    assert "::warning " in github.render(report(ADVICE))
    assert last.startswith("::notice title=dev::2 fail, 1 unknown")


def test_markdown_stays_within_a_comment() -> None:
    many = [replace(FAIL, message=f"KEY-03 number {number} " + "x" * 100) for number in range(2000)]
    rendered = markdown.render(report(*many))
    assert len(rendered) < 65_536
    assert len(markdown.render(report(*many, error="x" * 100_000))) < 65_536
    left_out = int(rendered.rsplit("\n", 2)[-2].split()[0])
    assert left_out + rendered.count("| **KEY-03**") == 2000


@pytest.mark.parametrize("render", RENDERERS)
def test_names_from_the_program_break_out_of_no_format(render: Callable[[Report], str]) -> None:
    hostile = replace(FAIL, urn=f"{URN}{HOSTILE}", message=HOSTILE, file=HOSTILE)
    stack = StackReport(HOSTILE, HOSTILE, (hostile, replace(hostile, status="waived")), HOSTILE)
    rendered = render(Report((stack, replace(stack, error=None)), RULES))
    rendered.encode()
    assert "\x1b" not in rendered
    assert "\u202e" not in rendered
    if render is junit.render:
        xmlschema.XMLSchema(HERE / "junit.xsd").validate(rendered)
    elif render in (sarif.render, record.render):
        json.loads(rendered)
    elif render is github.render:
        assert all(line.startswith(("::error ", "::warning ", "::notice ")) for line in rendered.splitlines())
    elif render is markdown.render:
        assert "<script>" not in rendered
        assert all(line.count(" | ") <= 6 for line in rendered.splitlines())
