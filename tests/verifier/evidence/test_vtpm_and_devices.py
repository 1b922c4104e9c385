"""Attestations by a vTPM and a GPU in an evidence bundle: judged again offline, each link of them."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from sandbox.hardware import ConfidentialMode, Gpu, SandboxPki
from tests.verifier.emulated_azure import AzureGuest, admit_azure
from tests.verifier.emulated_devices import GpuGuest, demand_gpu, gpu
from tests.verifier.emulated_site import Site
from tests.verifier.evidence.test_bundle import Export, deployed, failed
from verifier import canonical
from verifier.evidence import render_html
from verifier.signer import SoftwareSigner


@dataclass(frozen=True)
class AzureGpuGuest(GpuGuest, AzureGuest):
    """A guest under a paravisor with a GPU, as Azure has them."""

    def bound_to(self, nonce: str, additional: str) -> bytes:
        return super().bound_to(nonce, additional)[:48]


@pytest.fixture
def export(site: Site, pki: SandboxPki) -> Export:
    admit_azure(site)
    demand_gpu(site)
    guest = AzureGpuGuest(pki, ec.generate_private_key(ec.SECP256R1()), gpus=(gpu(pki.nvidia, site),))
    refused = guest.but(gpus=(Gpu(pki.nvidia, "host-a", ConfidentialMode.DEVTOOLS),))
    return Export(deployed(site, guest, refused=refused), SoftwareSigner.generate())


def detail(export: Export, check: str = "hardware.evidence") -> str:
    return next(found.detail for found in export.verify(export.file).checks if found.name == check)


def test_vtpm_and_gpu_are_judged_again_long_after_their_collateral_expired(export: Export) -> None:
    outcome = export.verify(export.file, at=export.inputs.created_at + timedelta(days=4000))
    assert outcome.ok, outcome.failures
    (carried,) = export.inputs.collateral
    members = canonical.parse_object(carried)
    assert (len(members["rims"]), len(members["ocsp"])) == (2, 6)


def test_without_what_the_gpu_was_judged_with(export: Export) -> None:
    bare = export.but(collateral=[])
    assert failed(bare.verify(bare.file)) == ["hardware.evidence"]
    assert "that it was judged with is not in the bundle" in detail(bare)


@pytest.mark.parametrize("root", ["ark", "nvidia"])
def test_each_emulated_vendor_needs_its_root(export: Export, site: Site, root: str) -> None:
    pki = site.pki
    roots = {
        "ark": pki.nvidia.root.pem + pki.nvidia.rim_root.pem,
        "nvidia": pki.ark.pem + pki.ask.pem,
    }
    outcome = export.verify(export.file, sandbox_root=roots[root])
    assert failed(outcome) == ["hardware.evidence"]


def changed(export: Export, change: Callable[[dict[str, Any]], None]) -> Export:
    """The bundle of somebody who exchanges evidence and all digests of it that are not signed by the verifier."""
    (attested,) = export.inputs.attestations
    evidence = json.loads(attested.evidence)
    change(evidence)
    return export.but(attestations=[type(attested)(canonical.encode(evidence), attested.result)])


def test_pcrs_that_were_exchanged(export: Export) -> None:
    def change(evidence: dict[str, Any]) -> None:
        evidence["tee-evidence"]["primary_evidence"]["tpm_quote"]["pcrs"][11] = "00" * 32

    forged = changed(export, change)
    assert "hardware.evidence" in failed(forged.verify(forged.file))
    assert "tpm.pcr-digest" in detail(forged)


def test_a_gpu_that_was_left_out(export: Export) -> None:
    def change(evidence: dict[str, Any]) -> None:
        evidence["tee-evidence"]["additional_evidence"] = ""

    forged = changed(export, change)
    assert "hardware.evidence" in failed(forged.verify(forged.file))
    assert "the receipt names 1 devices, the evidence 0" in detail(forged)


def test_a_gpu_report_that_was_exchanged(export: Export, site: Site) -> None:
    """By a genuine one of the same GPU: the vTPM did not quote it."""

    def change(evidence: dict[str, Any]) -> None:
        text = json.loads(evidence["tee-evidence"]["additional_evidence"])
        (entry,) = text["nvidia"]["device_evidence_list"]
        nonce = base64.b64decode(entry["evidence"])[4:36]
        entry["evidence"] = base64.b64encode(Gpu(site.pki.nvidia, "host-a").report(nonce)).decode()
        evidence["tee-evidence"]["additional_evidence"] = json.dumps(text)

    forged = changed(export, change)
    assert "hardware.evidence" in failed(forged.verify(forged.file))
    assert "the vTPM's nonce is not the hash of this nonce and key" in detail(forged)


def test_the_page_says_who_vouches_for_what(export: Export) -> None:
    page = render_html(export.file, export.verify(export.file))
    assert "az-snp-vtpm, 1 device" in page
    for submodule in ("cpu, executables", "vtpm, executables", "gpu0, configuration"):
        assert submodule in page
    assert "the PCRs are inference-guest-1.0.0&#39;s, as the build signed them" in page
