"""What was verified is remembered once, however a caller spells it."""

from pathlib import Path

from verifier import tdx
from verifier.tdx.endorsement import endorsement
from verifier.trust import TrustStore

EVIDENCE = Path(__file__).parents[2] / "evidence" / "tdx"


def test_two_spellings_of_a_chain_are_remembered_as_one() -> None:
    collateral = tdx.Collateral.from_directory(EVIDENCE / "collateral" / "b0c06f000000-eval17-2025-06-19")
    pem = tdx.parse((EVIDENCE / "quotes" / "263b491b.bin").read_bytes()).certification
    trust = TrustStore.production()
    first = endorsement(pem, collateral, trust)
    assert endorsement(pem.replace(b"\n", b"\r\n"), collateral, trust) is first
    assert endorsement(pem, collateral, TrustStore.production()) is not first
