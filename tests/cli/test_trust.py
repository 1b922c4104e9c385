"""`bailiwick trust`: every pinned certificate is printed, and one that differs is an error."""

import json
import shutil

import pytest
from typer.testing import CliRunner

from cli.errors import CliError
from cli.trust import app
from verifier import trust

RUNNER = CliRunner()


def printed(*arguments):
    outcome = RUNNER.invoke(app, ["--json", *arguments])
    return outcome, json.loads(outcome.stdout)


def test_every_anchor_of_production_is_printed_with_its_fingerprint():
    outcome, pins = printed()
    assert outcome.exit_code == 0
    anchors = {(anchor.name, anchor.certificate.fingerprint) for anchor in trust.TrustStore.production().anchors}
    assert {(pin["vendor"], pin["sha256"]) for pin in pins if pin["role"] == "anchor"} == anchors
    assert all(pin["sha256"] == pin["pinned_sha256"] and pin["source"] and pin["date"] for pin in pins)


def test_a_person_sees_vendor_subject_and_source():
    outcome = RUNNER.invoke(app, [], env={"COLUMNS": "200"})
    assert outcome.exit_code == 0
    for part in ("ARK-Milan", "aws.nitro-enclaves", "kdsintf.amd.com", "EK/AK CA Root"):
        assert part in outcome.stdout


@pytest.mark.parametrize(("year", "state"), [(1990, "not yet valid"), (2200, "expired")])
def test_validity_is_as_of_a_time(year, state):
    _, pins = printed("--at", f"{year}-01-01T00:00:00Z")
    assert {pin["state"] for pin in pins if pin["vendor"] == "aws"} == {state}


@pytest.mark.parametrize("how", ["another", "empty", "missing", "two"])
def test_a_file_that_differs_is_an_error(tmp_path, monkeypatch, how):
    shutil.copytree(trust._ROOTS, tmp_path / "roots")
    monkeypatch.setattr(trust, "_ROOTS", tmp_path / "roots")
    forged = tmp_path / "roots" / "aws" / "nitro-enclaves-g1.pem"
    other = (tmp_path / "roots" / "amd" / "milan-ark.pem").read_bytes()
    if how == "missing":
        forged.unlink()
    else:
        forged.write_bytes({"another": other, "empty": b"", "two": forged.read_bytes() + other}[how])
    outcome = RUNNER.invoke(app, ["--json"])
    assert isinstance(outcome.exception, CliError)
    assert outcome.exception.code == 2
    assert "roots/aws/nitro-enclaves-g1.pem" in str(outcome.exception)
    pins = {pin["subject"]: pin["state"] for pin in json.loads(outcome.stdout) if pin["vendor"] != "aws"}
    assert "differs" not in pins.values()
