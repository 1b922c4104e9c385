"""TDX attestations in an evidence bundle: judged again offline, with the collateral that the bundle carries."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from sandbox.hardware import SandboxPki
from sandbox.hardware.intel_collateral import files
from sandbox.hardware.platform import FMSPC
from tests.verifier.emulated_site import Guest, Site
from tests.verifier.emulated_td import TdGuest, admit_trust_domains
from tests.verifier.evidence.test_bundle import Export, deployed, failed
from verifier import canonical
from verifier.signer import SoftwareSigner
from verifier.tdx import Collateral


@pytest.fixture
def export(site: Site, guest: Guest, pki: SandboxPki) -> Export:
    admit_trust_domains(site)
    td = TdGuest(pki, ec.generate_private_key(ec.SECP256R1()))
    return Export(deployed(site, guest, td, refused=td.but(attributes=1)), SoftwareSigner.generate())


def detail(export: Export, check: str = "hardware.evidence") -> str:
    return next(found.detail for found in export.verify(export.file).checks if found.name == check)


def test_a_quote_is_judged_again_long_after_its_collateral_expired(export: Export) -> None:
    outcome = export.verify(export.file, at=export.inputs.created_at + timedelta(days=4000))
    assert outcome.ok, outcome.failures
    details = {check.name: check.detail for check in outcome.checks}
    assert details["attestation.results"] == "2 results, none but affirming"
    assert details["releases.bound"] == "2 releases"


def test_each_set_of_collateral_is_in_the_bundle_once(export: Export, site: Site) -> None:
    (carried,) = export.inputs.collateral
    assert Collateral.from_members(canonical.parse_object(carried)) == Collateral.from_directory(
        site.collateral / FMSPC.hex()
    )


def test_without_the_collateral_nothing_shows_that_the_quote_was_genuine(export: Export) -> None:
    bare = export.but(collateral=[])
    assert failed(bare.verify(bare.file)) == ["hardware.evidence"]
    assert "that it was judged with is not in the bundle" in detail(bare)
    assert "root was not given" not in detail(bare)


def test_other_collateral_does_not_stand_in_even_if_it_is_genuine(export: Export, site: Site, tmp_path: Path) -> None:
    for name, content in files(site.pki.intel, site.now).items():
        (tmp_path / name).write_bytes(content)
    other = canonical.encode(Collateral.from_directory(tmp_path).members())
    exchanged = export.but(collateral=[other])
    assert failed(exchanged.verify(exchanged.file)) == ["hardware.evidence"]


def test_an_emulated_quote_needs_the_emulated_intels_root(export: Export, site: Site) -> None:
    outcome = export.verify(export.file, sandbox_root=site.pki.ark.pem)
    assert failed(outcome) == ["hardware.evidence"]
    assert "is not a pinned root for TDX" in outcome.failures[0].detail


def test_a_receipt_that_hides_its_collateral_is_noticed(export: Export) -> None:
    def without(receipt: Mapping[str, Any]) -> dict[str, Any]:
        return {**receipt, "entry": {**receipt["entry"], "collateral_digest": None}}

    changed = export.but(receipts=[without(receipt) for receipt in export.inputs.receipts])
    assert "log.receipts" in failed(changed.verify(changed.file))
