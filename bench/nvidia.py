"""Full verification of a GPU's report, chain and RIMs warm, against one bare ECDSA P-384 verification."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from bench.measure import Row, in_short_rounds
from tests.verifier.nvidia import fake_nvidia as fake
from verifier import nvidia
from verifier.appraisal import AppraisalPolicy
from verifier.appraisal.nvidia import appraise
from verifier.appraisal.policy import DEFAULT_POLICY
from verifier.trust import TrustStore

_EVIDENCE = Path(__file__).parents[1] / "tests" / "evidence" / "gpu"
_CASE = _EVIDENCE / "devices" / "h100-535.86.09"
_RIM = "1010_0200_882_96005E0001_PROD.xml"
_RIM_ID = "NV_GPU_VBIOS_1010_0200_882_96005E0001"
_VBIOS_INDEXES = (*range(7), *range(8, 13))
"""What that RIM gives a value for."""
_DRIVER_INDEXES = range(13, 36)
_ECDSA = ec.ECDSA(hashes.SHA384())


@dataclass(frozen=True, slots=True)
class _Case:
    report: bytes
    chain: bytes
    collateral: nvidia.Collateral
    trust: TrustStore
    at: datetime


def run() -> Iterator[Row]:
    yield _row("GPU report of NVIDIA's, its VBIOS RIM", _genuine())
    yield _row("GPU report of the tests' own PKI, both RIMs", _of_the_tests())


def _row(what: str, case: _Case) -> Row:
    policy = AppraisalPolicy.load(DEFAULT_POLICY)
    report = nvidia.parse(case.report)
    half = len(report.signature) // 2
    signature = encode_dss_signature(
        int.from_bytes(report.signature[:half], "big"), int.from_bytes(report.signature[half:], "big")
    )
    key = nvidia.verify(report, case.chain, case.collateral, case.trust, case.at).device.leaf.key

    def whole() -> None:
        verified = nvidia.verify(nvidia.parse(case.report), case.chain, case.collateral, case.trust, case.at)
        appraise([verified], policy, nonce=report.nonce)

    full, bare = in_short_rounds(whole, lambda: key.verify(signature, report.signed, _ECDSA))
    return Row(
        f"{what}: parse, verify and appraise, all warm",
        f"{1 / full:,.0f}/s",
        "bare P-384 verify",
        f"{1 / bare:,.0f}/s",
        bare / full,
        "≥ 0.5",
    )


def _genuine() -> _Case:
    return _Case(
        (_CASE / "report.bin").read_bytes(),
        (_CASE / "chain.pem").read_bytes(),
        nvidia.Collateral({_RIM_ID: (_EVIDENCE / "rims" / _RIM).read_bytes()}),
        TrustStore.production(),
        datetime(2024, 6, 22, tzinfo=UTC),
    )


def _of_the_tests() -> _Case:
    """Both RIMs of one device: NVIDIA's driver RIMs that may be passed on are not those of a report that may."""
    device = fake.hopper().with_rim(fake.DRIVER_ID, golden=fake.golden(*_DRIVER_INDEXES))
    device = device.with_rim(fake.VBIOS_ID, golden=fake.golden(*_VBIOS_INDEXES))
    return _Case(device.report(), device.chain(), device.collateral(), fake.trust(), device.at)
