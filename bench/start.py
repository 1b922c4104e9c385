"""`bailiwick verify` from a cold interpreter: what somebody waits for who has one report and asks once."""

from collections.abc import Iterator

from bench.measure import Row, cost_of_process
from bench.snp import CASE

_VERIFY = [
    *("-c", "from cli.main import run; run()"),
    *("verify", str(CASE / "report.bin"), "--collateral", str(CASE), "--at", "2026-07-01T00:00:00Z"),
]
_ALONE = ["-c", "import cryptography.x509, cryptography.hazmat.primitives.asymmetric.ec"]


def run() -> Iterator[Row]:
    """Both in turn, so that noise falls on both alike."""
    rounds = [(cost_of_process(_VERIFY), cost_of_process(_ALONE)) for _ in range(15)]
    verify, alone = (min(cost.seconds for cost in costs) for costs in zip(*rounds, strict=True))
    yield Row(
        "`bailiwick verify` of an SNP report, cold start",
        f"{verify:.2f} s",
        "import of cryptography",
        f"{alone:.2f} s",
        verify / alone,
        "≤ 0.35 s",
    )
