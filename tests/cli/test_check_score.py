"""`bailiwick score` and `bailiwick report`."""

import json

from tests.cli.conftest import Cli


def test_the_scorecard_of_the_shipped_stack(cli: Cli) -> None:
    result = cli("score", "azure-germany")
    assert result.code == 0, result.out + result.err
    assert "Ceiling  80 % of the score is what this evidence supports at most" in result.out
    assert "Without evidence  SOV-1, SOV-8" in result.out
    assert "Level  SEAL-2 (data sovereignty) at most" in result.out, "its operator answers to a law from outside"


def test_an_unknown_framework(cli: Cli) -> None:
    result = cli("score", "azure-germany", "--framework", "svo")
    assert result.code == 2
    assert "did you mean sov?" in result.err


def test_a_report_in_another_format(cli: Cli) -> None:
    written = cli("check", "azure-germany", "--theme", "KEY", "--format", "json", "--output", "report.json")
    assert written.code == 0, written.out + written.err
    rendered = cli("report", "report.json", "--format", "sarif")
    assert rendered.code == 0
    assert json.loads(rendered.out)["version"] == "2.1.0"
    (cli.project / "other.json").write_text("{}")
    refused = cli("report", "other.json")
    assert refused.code == 2
    assert "is not a report of `bailiwick check --format json`" in refused.err
