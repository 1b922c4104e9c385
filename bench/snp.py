"""Full SEV-SNP verification against one bare ECDSA P-384 verification: the least that it can cost.

go-sev-guest has no Python interface and is not part of this; what it took beside this is in
docs/verifier/differences.md.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from bench.measure import Row, in_short_rounds
from verifier import snp
from verifier.appraisal import AppraisalPolicy
from verifier.appraisal.policy import DEFAULT_POLICY
from verifier.appraisal.snp import appraise
from verifier.trust import TrustStore

CASE = Path(__file__).parents[1] / "tests" / "evidence" / "snp" / "05b7438a"
_AT = datetime(2026, 7, 1, tzinfo=UTC)
_ECDSA = ec.ECDSA(hashes.SHA384())


def run() -> Iterator[Row]:
    evidence = (CASE / "report.bin").read_bytes()
    endorsements = snp.Endorsements((CASE / "vcek.der").read_bytes(), snp.SigningKey.VCEK)
    trust, policy = TrustStore.production(), AppraisalPolicy.load(DEFAULT_POLICY)

    report = snp.parse(evidence)
    signature = encode_dss_signature(report.signature_r, report.signature_s)
    verified = snp.verify(report, endorsements, trust, _AT)
    key = verified.chain.key

    def verify(store: TrustStore = trust) -> snp.VerifiedReport:
        return snp.verify(snp.parse(evidence), endorsements, store, _AT)

    for what, call, goal in (
        ("parse and verify, warm chain", verify, "≥ 0.90"),
        (
            "parse, verify and appraise, warm chain",
            lambda: appraise(verify(), policy, report_data=None, reference_values=()),
            "≥ 0.90",
        ),
        (
            "parse and verify, nothing known before",
            lambda: verify(TrustStore(trust.anchors, trust.intermediates)),
            "-",
        ),
    ):
        full, bare = in_short_rounds(call, lambda: key.verify(signature, report.signed, _ECDSA))
        yield Row(
            f"SNP report: {what}",
            f"{1 / full:,.0f}/s",
            "bare P-384 verify",
            f"{1 / bare:,.0f}/s",
            bare / full,
            goal,
        )
