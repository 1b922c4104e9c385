"""What is fetched, kept and stored: by the clock, and by what is in the store already. A stand-in gives the answers."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import cast

import pytest

from tests.verifier.collateral.test_needs import MILAN, ROOT, TRUST, VLEK, packed, report
from tests.verifier.collateral.test_requests import ORIGINS, Services
from tests.verifier.fake_amd import AT, YEAR
from tests.verifier.nitro import fake_nitro
from tests.verifier.tdx import fake_intel
from verifier import nitro, tdx
from verifier.aws import AwsEvidence
from verifier.collateral import needs, pem
from verifier.collateral.fetch.fetcher import Fetcher
from verifier.collateral.fetch.http import Client
from verifier.collateral.record import CollateralError, Kind
from verifier.collateral.store import Store
from verifier.snp import Product
from verifier.verdict import Evidence

DAY = timedelta(days=1)
NEED = needs.amd_crl(Product.MILAN)


class Amd:
    """A fetcher into a store of its own, whose clock and whose AMD the test sets."""

    def __init__(self, directory: Path) -> None:
        self.now = AT
        self.services = Services({})
        self.store = Store(directory)

    @property
    def fetcher(self) -> Fetcher:
        return Fetcher(self.store, ORIGINS, cast("Client", self.services), TRUST, lambda: self.now)

    def serve_list(self, made: datetime = AT, life: timedelta = 8 * DAY) -> None:
        crl = MILAN.crl(this_update=made, next_update=made + life)
        self.services = Services({"/crl": crl.encode()})

    def state(self, *, again: bool = False) -> str:
        (outcome,) = self.fetcher.fetch([NEED, NEED], again=again)
        assert bool(outcome.reason) is (outcome.state == "failed")
        return outcome.reason or outcome.state


@pytest.fixture
def amd(tmp_path: Path) -> Amd:
    made = Amd(tmp_path / "store")
    made.serve_list()
    return made


def test_a_list_is_fetched_once_and_kept_until_the_last_quarter_of_its_life(amd: Amd) -> None:
    assert amd.state() == "fetched"
    assert len(amd.services.asked) == 1
    amd.now += 6 * DAY
    assert amd.state() == "kept"
    assert list(amd.fetcher.refresh()) == []
    assert amd.state(again=True) == "fetched"
    amd.now += timedelta(seconds=1)
    assert [it.state for it in amd.fetcher.refresh()] == ["fetched"]
    assert len(amd.services.asked) == 3


def test_a_list_that_cannot_be_had_leaves_the_one_that_is_there(amd: Amd) -> None:
    amd.state()
    amd.services = Services({})
    (outcome,) = amd.fetcher.fetch([NEED], again=True)
    assert (outcome.state, outcome.record) == ("failed", amd.store.find(Kind.AMD_CRL, "milan"))
    assert "not there" in outcome.reason


def test_an_older_list_does_not_take_the_place_of_a_newer_one(amd: Amd) -> None:
    amd.state()
    amd.serve_list(AT - timedelta(seconds=1))
    assert "gives one of 2026-06-01 11:59 UTC, older than the stored one" in amd.state(again=True)
    amd.serve_list(AT)
    assert amd.state(again=True) == "fetched", "the same again is no older"


def test_a_certificate_that_is_issued_once_may_be_older_than_another_of_its_chip(amd: Amd) -> None:
    subject = needs.vcek_subject(report(MILAN))
    for not_before in (AT - YEAR, AT - 2 * YEAR):
        leaf = replace(MILAN.leaf, not_before=not_before)
        assert amd.fetcher.add(Kind.VCEK, subject, packed(leaf, MILAN), "a test").not_before == not_before


@pytest.mark.parametrize(
    ("made", "life", "reason"),
    [
        (AT + timedelta(minutes=5), DAY, "fetched"),
        (AT + timedelta(minutes=5, seconds=1), DAY, "gives one that is valid from 2026-06-01 12:05 UTC"),
        (AT - DAY, DAY, "fetched"),
        (AT - DAY - timedelta(seconds=1), DAY, "gives one that ended on 2026-06-01 11:59 UTC; it is stale"),
    ],
)
def test_what_is_not_valid_now_is_not_stored(amd: Amd, made: datetime, life: timedelta, reason: str) -> None:
    amd.serve_list(made, life)
    assert amd.state().endswith(reason)
    assert (amd.store.find(Kind.AMD_CRL, "milan") is None) is (reason != "fetched")


def test_what_is_not_genuine_is_not_stored(amd: Amd) -> None:
    with pytest.raises(CollateralError, match="amd-crl/milan"):
        amd.fetcher.add(Kind.AMD_CRL, "milan", b"none", "a test")
    assert amd.store.find(Kind.AMD_CRL, "milan") is None


class TestGiven:
    """A VLEK that lies beside the evidence."""

    @pytest.fixture
    def directory(self, tmp_path: Path) -> Path:
        (tmp_path / "vlek.der").write_bytes(VLEK.leaf.encode())
        (tmp_path / "asvk.der").write_bytes(VLEK.intermediate.encode())
        (tmp_path / "vlek-chain.pem").write_bytes(pem.certificates(VLEK.intermediate.encode(), ROOT))
        return tmp_path

    @pytest.mark.parametrize(
        "wrap", [lambda it: it, lambda it: AwsEvidence(it, nitro.parse(fake_nitro.World().document()))]
    )
    def test_it_is_stored(self, amd: Amd, directory: Path, wrap: Callable[[object], Evidence]) -> None:
        record = amd.fetcher.add_given(wrap(report(VLEK)), directory)
        assert record is not None
        assert (record.kind, record.source) == (Kind.VLEK, "vlek.der")

    def test_nothing_lies_there(self, amd: Amd, tmp_path: Path) -> None:
        assert amd.fetcher.add_given(report(VLEK), tmp_path) is None

    @pytest.mark.parametrize("evidence", [report(MILAN), tdx.parse(fake_intel.world().quote())])
    def test_evidence_that_needs_none(self, amd: Amd, directory: Path, evidence: Evidence) -> None:
        assert amd.fetcher.add_given(evidence, directory) is None
        assert list(amd.store.records()) == []
