"""Full verification of a GPU's report, chain and RIM warm, against one bare ECDSA P-384 verification."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from bench.measure import Row, in_short_rounds
from verifier import nvidia
from verifier.appraisal import AppraisalPolicy
from verifier.appraisal.nvidia import appraise
from verifier.appraisal.policy import DEFAULT_POLICY
from verifier.trust import TrustStore

_EVIDENCE = Path(__file__).parents[1] / "tests" / "evidence" / "gpu"
_CASE = _EVIDENCE / "devices" / "h100-535.86.09"
_RIM = "1010_0200_882_96005E0001_PROD.xml"
_RIM_ID = "NV_GPU_VBIOS_1010_0200_882_96005E0001"
_AT = datetime(2024, 6, 22, tzinfo=UTC)
_ECDSA = ec.ECDSA(hashes.SHA384())


def run() -> Iterator[Row]:
    evidence, chain = (_CASE / "report.bin").read_bytes(), (_CASE / "chain.pem").read_bytes()
    collateral = nvidia.Collateral({_RIM_ID: (_EVIDENCE / "rims" / _RIM).read_bytes()})
    trust, policy = TrustStore.production(), AppraisalPolicy.load(DEFAULT_POLICY)

    report = nvidia.parse(evidence)
    half = len(report.signature) // 2
    signature = encode_dss_signature(
        int.from_bytes(report.signature[:half], "big"), int.from_bytes(report.signature[half:], "big")
    )
    key = nvidia.verify(report, chain, collateral, trust, _AT).device.leaf.key

    def whole() -> None:
        verified = nvidia.verify(nvidia.parse(evidence), chain, collateral, trust, _AT)
        appraise([verified], policy, nonce=report.nonce)

    full, bare = in_short_rounds(whole, lambda: key.verify(signature, report.signed, _ECDSA))
    yield Row(
        "GPU report: parse, verify and appraise, warm chain and RIM",
        f"{1 / full:,.0f}/s",
        "bare P-384 verify",
        f"{1 / bare:,.0f}/s",
        bare / full,
        "≥ 0.5",
    )
