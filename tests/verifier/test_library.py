"""The library as others use it: typed, and safe to share between threads."""

import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files

import pytest

from tests.verifier.genuine import CASES, SNP, time_of
from tests.verifier.tdx.genuine import VERDICTS
from verifier import verify
from verifier.appraisal.policy import DEFAULT_POLICY, AppraisalPolicy
from verifier.trust import TrustStore

POLICY = AppraisalPolicy.load(DEFAULT_POLICY)
SNP_CASES = [
    ((SNP / case["report"]).read_bytes(), SNP / case["id"], time_of(case), case["expect"])
    for case in CASES
    if case["leaves"]
]
TDX_CASES = [(verdict.quote, verdict.folder, verdict.at, verdict.expect) for verdict in VERDICTS]


@pytest.fixture
def impatient():
    """Threads that are switched as often as possible."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.parametrize("package", ["verifier", "components", "catalog", "policies"])
def test_its_annotations_count_for_whoever_installs_it(package):
    """PEP 561: without the marker a type checker takes everything in the package for Any."""
    assert files(package).joinpath("py.typed").is_file()


def test_threads_share_a_store_and_each_gets_its_own_verdict(impatient):
    """A memory too small for the cases, so that what one thread remembers another forgets meanwhile."""
    store = TrustStore.production()
    store.verified._capacity = 3

    def judged(case) -> tuple[str, list[str]]:
        evidence, collateral, at, expect = case
        verdict = verify(evidence, POLICY, collateral, at, trust=store)
        if expect["failed_check"] is not None:
            assert verdict.failure is not None
            return verdict.failure.check, [expect["failed_check"]]
        return str(verdict.result.status), [expect["status"]]

    cases = [*SNP_CASES, *TDX_CASES] * 3
    with ThreadPoolExecutor(8) as pool:
        for found, expected in pool.map(judged, cases):
            assert [found] == expected
