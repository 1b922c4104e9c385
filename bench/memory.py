"""Memory over a million verifications: of genuine evidence in turn, and of forgeries, each another one.

It takes minutes and runs only when it is asked for: `python -m bench memory`. Of the forgeries 7 in 100 are genuine all
the same, because they change only what does not count of the root certificate that a quote carries; each is one more
key to the same chain, until there are 4,096 of them (`verifier.cache`). Nothing else may grow.
"""

import os
import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from bench.measure import Row
from verifier import snp, tdx
from verifier.errors import VerifierError
from verifier.trust import TrustStore

_EVIDENCE = Path(__file__).parents[1] / "tests" / "evidence"
_QUOTE = _EVIDENCE / "tdx" / "quotes" / "263b491b.bin"
_COLLATERAL = _EVIDENCE / "tdx" / "collateral" / "b0c06f000000-eval17-2025-06-19"
_REPORT = _EVIDENCE / "snp" / "05b7438a"
_AT = datetime(2025, 7, 4, 10, 16, 31, tzinfo=UTC)
_AT_SNP = datetime(2026, 7, 1, tzinfo=UTC)
_COUNTS = (10_000, 100_000, 1_000_000)
_REPORTS_EVERY, _FORGERIES_EVERY = 20, 50


def run() -> Iterator[Row]:
    verify = _verifications()
    done, first = 0, 0.0
    for count in _COUNTS:
        for number in range(done, count):
            verify(number)
        done, resident = count, _resident_mib()
        first = first or resident
        yield Row(
            f"memory after {count:,} verifications",
            f"{resident:.1f} MiB",
            f"after {_COUNTS[0]:,}",
            f"{first:.1f} MiB",
            resident / first,
            "bounded",
        )


def _verifications() -> Callable[[int], None]:
    raw, report = _QUOTE.read_bytes(), (_REPORT / "report.bin").read_bytes()
    collateral, trust = tdx.Collateral.from_directory(_COLLATERAL), TrustStore.production()
    leaf = (_REPORT / "vcek.der").read_bytes()
    endorsements, source = snp.Endorsements(leaf, snp.SigningKey.VCEK), random.Random(1)

    def verify(number: int) -> None:
        if number % _FORGERIES_EVERY == 0:
            forged, certificate = bytearray(raw), bytearray(leaf)
            forged[source.randrange(len(raw) - 64)] ^= 1 << source.randrange(8)
            certificate[source.randrange(len(leaf))] ^= 1 << source.randrange(8)
            _refused(lambda: tdx.verify(tdx.parse(bytes(forged)), collateral, trust, _AT))
            offered = snp.Endorsements(bytes(certificate), snp.SigningKey.VCEK)
            _refused(lambda: snp.verify(snp.parse(report), offered, trust, _AT_SNP))
        elif number % _REPORTS_EVERY == 0:
            snp.verify(snp.parse(report), endorsements, trust, _AT_SNP)
        else:
            tdx.verify(tdx.parse(raw), collateral, trust, _AT)

    return verify


def _refused(verify: Callable[[], object]) -> None:
    """Some changes mean the same, such as one of a case in PEM's base64 padding; nearly all are refused."""
    try:
        verify()
    except VerifierError:
        return


def _resident_mib() -> float:
    """Resident memory of this process (proc(5), /proc/PID/statm)."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)
