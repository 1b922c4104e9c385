"""What is trusted: the vendors' roots, pinned; a sandbox root only where somebody says so."""

import base64
import shutil

import pytest

from tests.verifier.fake_amd import milan
from tests.verifier.tdx.fake_intel import world
from verifier import trust
from verifier.errors import MalformedEvidence
from verifier.trust import TrustStore, pinned_certificates

PUBLISHED = {
    "milan": "69d063b45344d26a2e94e1f4210de49ef555308287d4c174445c95639a540bcd",
    "genoa": "4c6598d19c18719c5dfd4a7d335f674e5bfe1d8f800cea2cf270c10d103db2f1",
    "turin": "1f084161a44bb6d93778a904877d4819cafa5d05ef4193b2ded9dd9c73dd3f6a",
}
"""SHA-256 of AMD's ARKs."""

INTEL = ("intel", "tdx", "44a0196b2b99f889b8e149e95b807a350e7424964399e885a7cbb8ccfab674d3")
"""Intel's SGX Root CA."""

RIM_ROOT = "12977b5115acb0381179279fffeb5a8c4d264971ebb32298023a465fa41df5d1"
NVIDIA = {
    ("nvidia", "nvidia-device", "102bf659d5419614c9d8e6aecebc80454eb26b1df6a769ac720b9a690b167b48"),
    ("nvidia", "nvidia-gpu-rim", RIM_ROOT),
    ("nvidia", "nvidia-switch-rim", RIM_ROOT),
}
"""NVIDIA Device Identity CA, and NVIDIA CoRIM signing Root CA for both kinds of RIM."""

AWS = ("aws", "nitro", "641a0321a3e244efe456463195d606317ed7cdcc3c1756e09893f3c68f79bb5b")
"""AWS Nitro Enclaves root G1."""

GOOGLE = {
    ("google", "google-ak", "594759594b9b61524f6c8ef668f7177f7b9066bc0674f2f49fe9e052be78beb2"),
    ("google", "google-ak", "9bd5285f8fb18502a7947e621ffd470266f49fcd3b73e19a190f690ad32a7caf"),
    ("google", "google-tcb", "e876bc6978bf4f3da445f98a0a82363c8c0bae5a1fc033c6df65846a6cb0f18c"),
}
"""Google's EK/AK CA Root, the older root of attestation keys, and its root for launch endorsements."""


def pem(certificate: bytes) -> bytes:
    body = base64.encodebytes(certificate)
    return b"-----BEGIN CERTIFICATE-----\n" + body + b"-----END CERTIFICATE-----\n"


def test_production_trusts_the_pinned_roots_of_the_vendors_and_nothing_else():
    store = TrustStore.production()
    assert {(anchor.name, *anchor.scope, anchor.certificate.fingerprint) for anchor in store.anchors} == {
        *(("amd", product, fingerprint) for product, fingerprint in PUBLISHED.items()),
        INTEL,
        *NVIDIA,
        AWS,
        *GOOGLE,
    }


@pytest.mark.parametrize(
    ("vendor", "services"),
    [
        ("amd", ("https://kdsintf.amd.com/",)),
        ("intel", ("https://certificates.trustedservices.intel.com/",)),
        ("nvidia", ("https://github.com/NVIDIA/nvtrust",)),
        ("aws", ("https://aws-nitro-enclaves.amazonaws.com/",)),
        ("google", ("https://github.com/google/go-tpm-tools", "https://pki.goog/")),
    ],
)
def test_every_pin_states_its_source_and_a_date(vendor, services):
    for pin in pinned_certificates(vendor):
        assert pin.source.startswith(services)
        assert pin.date.year >= 2026


def test_a_root_that_differs_from_its_pin_is_not_loaded(tmp_path, monkeypatch):
    shutil.copytree(trust._ROOTS, tmp_path / "roots")
    forged = tmp_path / "roots" / "amd" / "milan-ark.pem"
    forged.write_bytes(pem(milan().ark.encode()))
    monkeypatch.setattr(trust, "_ROOTS", tmp_path / "roots")
    with pytest.raises(MalformedEvidence, match="pinned is 69d063b4"):
        TrustStore.production()


def test_a_sandbox_root_makes_another_store():
    production = TrustStore.production()
    vendors = [anchor.name for anchor in production.anchors]
    amd = milan()
    store = production.with_sandbox(pem(amd.ark.encode()) + pem(amd.intermediate.encode()))
    assert [anchor.name for anchor in store.anchors] == [*vendors, "sandbox"]
    assert "sandbox" not in vendors
    assert store.intermediates[-1].common_name == "SEV-Milan"


def test_a_sandbox_may_emulate_several_vendors():
    roots = [milan().ark.encode(), world().root.encode()]
    store = TrustStore.production().with_sandbox(b"".join(map(pem, roots)))
    emulated = [anchor for anchor in store.anchors if anchor.name == "sandbox"]
    assert [anchor.certificate.encoded for anchor in emulated] == roots
    assert all({"milan", "tdx"} <= anchor.scope for anchor in emulated)


@pytest.mark.parametrize("text", [b"", b"no PEM", pem(milan().leaf.encode())])
def test_a_sandbox_root_is_a_self_issued_certificate(text):
    with pytest.raises(MalformedEvidence, match="sandbox root"):
        TrustStore.production().with_sandbox(text)
