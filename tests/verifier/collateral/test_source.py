"""Verification from a store: every kind of evidence, and collateral that is missing, has ended or is too old."""

from datetime import timedelta

import pytest

from tests.verifier.collateral.emulated_vendors import NONCE, REPORT_DATA
from tests.verifier.genuine import SNP
from verifier import library, verify
from verifier.appraisal import AppraisalPolicy
from verifier.collateral import needs
from verifier.collateral.record import Kind
from verifier.collateral.source import Folder, Stored, source_in
from verifier.collateral.store import Store


def policy(**ages):
    limits = {"maximum_age_days": {name.replace("_", "-"): days for name, days in ages.items()}}
    fields = {"reference_values": "if-given", "nvidia": {"stated_mode": "if-given"}, "collateral": limits}
    return AppraisalPolicy.model_validate(fields)


def verdict(fetching, evidence, demands, nonce=REPORT_DATA, at=None):
    at = at or fetching.now
    source = Stored(fetching.store, at)
    return verify(evidence, demands, source, at, nonce=nonce, trust=fetching.hardware.trust)


@pytest.fixture(params=["report", "quote", "devices"])
def fetched(request, fetching):
    """Evidence of one kind, with all that it needs in the store."""
    evidence = getattr(fetching.hardware, request.param)()
    fetching.fetch(evidence)
    return evidence


def nonce_of(evidence):
    return NONCE if evidence.startswith(b"[") else REPORT_DATA


def test_the_library_function_is_the_packages(fetching):
    assert verify is library.verify


def test_evidence_of_each_kind_is_judged_from_the_store(fetching, fetched):
    assert verdict(fetching, fetched, policy(), nonce_of(fetched)).acceptable


def test_collateral_that_ended_is_named(fetching, fetched):
    at = fetching.now + timedelta(days=400)
    failure = verdict(fetching, fetched, policy(), nonce_of(fetched), at).failure
    assert failure.check == "collateral.expired"
    assert failure.reason.startswith(("amd-crl/", "intel-tcb-info/", "nvidia-ocsp/"))
    assert "was valid until" in failure.reason


@pytest.mark.parametrize(
    ("kind", "days"),
    [("amd_crl", 3), ("amd_vcek", 3), ("intel_qe_identity", 3), ("intel_root_crl", 3), ("nvidia_rim", 3)],
)
def test_collateral_older_than_the_policy_allows_is_named(fetching, kind, days):
    name = kind.replace("_", "-")
    evidence = {"amd": fetching.hardware.report, "intel": fetching.hardware.quote}.get(
        kind.partition("_")[0], fetching.hardware.devices
    )()
    fetching.fetch(evidence)
    old, young = (verdict(fetching, evidence, policy(**{kind: limit}), nonce_of(evidence)) for limit in (0, days))
    assert young.acceptable
    (claim,) = {claim.name: claim for claim in young.claims if claim.name == f"collateral.{name}"}.values()
    assert claim.reference == "3 days"
    if kind == "nvidia_rim":
        fetching.pass_time(hours=1)
        old = verdict(fetching, evidence, policy(**{kind: 0}), nonce_of(evidence))
    at = fetching.now + timedelta(seconds=1)
    old = verdict(fetching, evidence, policy(**{kind: 0}), nonce_of(evidence), at)
    assert old.genuine
    assert not old.acceptable
    assert f"collateral.{name}: {name}/" in old.summary
    assert "is older than 0 days" in old.summary


def test_a_folder_does_not_say_how_old_its_collateral_is(fetching):
    case = SNP / "05b7438a"
    demands = AppraisalPolicy.model_validate(
        {"reference_values": "if-given", "freshness": "if-given", "collateral": {"maximum_age_days": {"amd-crl": 30}}}
    )
    found = verify((case / "report.bin").read_bytes(), demands, case, fetching.now.replace(year=2026, month=7))
    assert "collateral.age-unknown" in found.summary
    assert not found.acceptable


def test_each_object_that_is_missing_is_named(fetching):
    evidence = fetching.hardware.quote()
    fetching.fetch(evidence)
    for entry in sorted((fetching.store.directory / "index").rglob("*.json")):
        text = entry.read_bytes()
        entry.unlink()
        failure = verdict(fetching, evidence, policy()).failure
        assert failure.check == "collateral.missing"
        assert f"{entry.parent.name}/{entry.stem} is not at hand" in failure.reason
        entry.write_bytes(text)


def test_a_masked_chip_names_no_vcek(fetching):
    evidence = bytearray(fetching.hardware.report())
    evidence[0x1A0:0x1E0] = bytes(64)
    assert verdict(fetching, bytes(evidence), policy()).failure.check == "chip-id"


def test_the_latest_numbered_issue_is_used_when_there_is_no_standard_one(fetching):
    evidence = fetching.hardware.quote()
    fetching.fetch(evidence, update="20")
    source = Stored(fetching.store, fetching.now)
    used = source.tdx(library.parse(evidence)).used
    assert [record.subject for record, _ in used if record.kind is Kind.QE_IDENTITY] == [f"{needs.QE}-20"]


def test_a_folder_and_a_store_are_told_apart(fetching, tmp_path):
    fetching.fetch(fetching.hardware.report())
    assert isinstance(source_in(fetching.store.directory, fetching.now), Stored)
    assert isinstance(source_in(tmp_path, fetching.now), Folder)
    assert isinstance(Store.existing(fetching.store.directory), Store)
