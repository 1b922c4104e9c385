"""Full SEV-SNP verification, warm chain, against one bare ECDSA P-384 verification: the least that it can cost."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from bench.measure import Row, interleaved
from verifier import snp
from verifier.trust import TrustStore

_CASE = Path(__file__).parents[1] / "tests" / "evidence" / "snp" / "05b7438a"
_AT = datetime(2026, 7, 1, tzinfo=UTC)
_ECDSA = ec.ECDSA(hashes.SHA384())


def run() -> Iterator[Row]:
    evidence = (_CASE / "report.bin").read_bytes()
    endorsements = snp.Endorsements((_CASE / "vcek.der").read_bytes(), snp.SigningKey.VCEK)
    trust = TrustStore.production()

    report = snp.parse(evidence)
    signature = encode_dss_signature(report.signature_r, report.signature_s)
    verified = snp.verify(report, endorsements, trust, _AT)
    key = verified.chain.key

    full, bare = interleaved(
        lambda: snp.verify(snp.parse(evidence), endorsements, trust, _AT),
        lambda: key.verify(signature, report.signed, _ECDSA),
        calls=200,
    )
    yield Row(
        "SNP report: parse and verify, warm chain",
        f"{1 / full:,.0f}/s",
        "bare P-384 verify",
        f"{1 / bare:,.0f}/s",
        bare / full,
        "≥ 0.85",
    )
