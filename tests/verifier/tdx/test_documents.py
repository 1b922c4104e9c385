"""Intel's documents, keys and folders in forms that Intel does not give them: each is refused, or is no key."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.verifier.tdx.fake_intel import FMSPC, compact, point, qe_identity, sign_raw, tcb_info, world
from verifier import tdx
from verifier.errors import VerificationFailed
from verifier.pki.files import MAX_FILE_BYTES
from verifier.tdx.documents import read_qe_identity, read_tcb_info
from verifier.tdx.ecdsa import is_ecdsa_sha256, load_key, load_point, verifies_raw
from verifier.tdx.store import CollateralStore, KnownCollateral

QUOTE = tdx.parse(world().quote())
ECDSA_SHA256 = bytes.fromhex("300a06082a8648ce3d040302")


@pytest.mark.parametrize("value", ["00" * 15, "00" * 17, "", 0, None, "zz" * 16])
@pytest.mark.parametrize("member", ["attributes", "attributesMask"])
def test_a_bit_field_of_another_length_is_no_identity(member: str, value: Any) -> None:
    """A shorter mask would compare fewer bits."""
    with pytest.raises(VerificationFailed, match=f"qe-identity.content: {member}: 16 bytes|{member}: non-hex"):
        read_qe_identity(compact(qe_identity() | {member: value}))


@pytest.mark.parametrize("component", [{}, {"svn": 256}, {"svn": -1}, {"svn": "1"}, 3])
def test_a_component_without_a_version_is_no_tcb(component: Any) -> None:
    document = tcb_info()
    document["tcbLevels"][0]["tcb"]["sgxtcbcomponents"][3] = component
    with pytest.raises(VerificationFailed, match="a component has no svn from 0 to 255"):
        read_tcb_info(compact(document))


def test_a_signature_is_64_bytes() -> None:
    signature, key = sign_raw("signer", b"signed"), load_point(point("signer"))
    assert key is not None
    assert verifies_raw(key, b"signed", signature)
    for other in (signature[:-1], signature + b"\0", signature[:32] + b"\0" + signature[32:], b""):
        assert not verifies_raw(key, b"signed", other)


def test_an_algorithm_has_no_parameters() -> None:
    assert is_ecdsa_sha256(ECDSA_SHA256)
    assert not is_ecdsa_sha256(b"\x30\x0c" + ECDSA_SHA256[2:] + b"\x05\x00")
    assert not is_ecdsa_sha256(ECDSA_SHA256[:-1] + b"\x03")


def test_what_is_no_key() -> None:
    assert load_key(b"none") is None
    assert load_point(bytes(64)) is None


class TestStore:
    """The folder of a platform, or what is missing."""

    @staticmethod
    def failure(store: CollateralStore | KnownCollateral, quote: tdx.TdxQuote = QUOTE) -> str:
        with pytest.raises(VerificationFailed) as failure:
            store.find(quote)
        return str(failure.value)

    def test_what_is_missing_is_named(self, tmp_path: Path) -> None:
        assert "the verifier has no collateral store" in self.failure(CollateralStore(None))
        assert f"collateral.missing: no collateral for platforms with FMSPC {FMSPC}" in self.failure(
            CollateralStore(tmp_path)
        )
        (tmp_path / FMSPC).mkdir()
        assert self.failure(CollateralStore(tmp_path)).startswith("collateral.missing: ")

    def test_a_file_that_cannot_be_read_is_named(self, tmp_path: Path) -> None:
        folder = tmp_path / FMSPC
        folder.mkdir()
        for name in ("tcb_info.json", "qe_identity.json", "tcb_info.sig", "qe_identity.sig", "root_ca_crl.der"):
            (folder / name).touch()
        (folder / "tcb_signing_chain.pem").touch()
        (folder / "pck_crl.der").write_bytes(bytes(MAX_FILE_BYTES + 1))
        assert f"collateral.missing: {folder}/pck_crl.der: larger than" in self.failure(CollateralStore(tmp_path))

    def test_nothing_was_judged_with(self) -> None:
        assert "what the quote was judged with is not there" in self.failure(KnownCollateral(None))

    def test_a_quote_without_certificates(self, tmp_path: Path) -> None:
        quote = replace(QUOTE, certification=b"none")
        assert "chain.length: PCK chain: no certificates" in self.failure(CollateralStore(tmp_path), quote)
