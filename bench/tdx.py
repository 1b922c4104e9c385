"""Full TDX verification, warm, against two bare ECDSA P-256 verifications and against dcap-qvl in this process.

Warm: collateral and the platform's chain, with the attestation key that it endorses, are known; each call checks one
quote's own signature and its TCB, and no verdict is remembered.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from bench.measure import Row, in_short_rounds
from verifier import tdx
from verifier.trust import TrustStore

_EVIDENCE = Path(__file__).parents[1] / "tests" / "evidence" / "tdx"
_QUOTE = _EVIDENCE / "quotes" / "263b491b.bin"
_COLLATERAL = _EVIDENCE / "collateral" / "b0c06f000000-eval17-2025-06-19"
_SIGNED_BYTES = 632
"""Header and body of a version 4 quote: what its signature covers."""
_AT = datetime(2025, 7, 4, 10, 16, 31, tzinfo=UTC)


def run() -> Iterator[Row]:
    raw = _QUOTE.read_bytes()
    collateral, trust = tdx.Collateral.from_directory(_COLLATERAL), TrustStore.production()
    key = ec.generate_private_key(ec.SECP256R1())
    signed, algorithm = raw[:_SIGNED_BYTES], ec.ECDSA(hashes.SHA256())
    signature, public = key.sign(signed, algorithm), key.public_key()

    def two_signatures() -> None:
        public.verify(signature, signed, algorithm)
        public.verify(signature, signed, algorithm)

    def verified() -> object:
        return tdx.verify(tdx.parse(raw), collateral, trust, _AT)

    full, bare = in_short_rounds(verified, two_signatures)
    what, measured = "TDX quote: parse and verify, warm", f"{1 / full:,.0f}/s"
    yield Row(what, measured, "two bare P-256 verifies", f"{1 / bare:,.0f}/s", bare / full, "≥ 0.60")
    try:
        import dcap_qvl

        from tests.verifier.tdx.test_differential import in_their_form
    except ImportError:
        return
    issuers = (_COLLATERAL / "pck_crl_issuer_chain.pem").read_bytes()
    given = in_their_form(collateral, issuers)
    others = {
        what: (verified, "≥ 3"),
        "TDX quote: parse and verify, nothing known before": (
            lambda: tdx.verify(tdx.parse(raw), replace(collateral), TrustStore(trust.anchors), _AT),
            "-",
        ),
    }
    for name, (call, goal) in others.items():
        full, other = in_short_rounds(call, lambda: dcap_qvl.verify(raw, given, int(_AT.timestamp())))
        yield Row(name, f"{1 / full:,.0f}/s", "dcap-qvl, in process", f"{1 / other:,.0f}/s", other / full, goal)
