"""The same quotes, genuine and mutated, to dcap-qvl: no verdict differs but as docs/verifier/differences.md explains.

BAILIWICK_MUTATIONS sets how many mutated quotes are compared, BAILIWICK_SEED where they start.
"""

import json
import os
import random
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.verifier.tdx.fake_intel import World, level, pem, world, world_15
from tests.verifier.tdx.genuine import GENUINE, VERDICTS, Verdict
from tests.verifier.tdx.test_checks import CHECKS, identity, outcome
from tests.verifier.tdx.test_tcb import OLD_PLATFORM, OLD_QE, platform, svn
from verifier.appraisal.policy import DEFAULT_POLICY, AppraisalPolicy
from verifier.appraisal.tdx import appraise
from verifier.errors import MalformedEvidence, VerificationFailed
from verifier.tdx import Collateral, VerifiedQuote, parse, verify
from verifier.trust import TrustStore

dcap_qvl = pytest.importorskip("dcap_qvl", reason="dcap-qvl is not installed (pip install dcap-qvl)")

pytestmark = pytest.mark.fuzz

MUTATIONS = int(os.environ.get("BAILIWICK_MUTATIONS", "1000"))
SEED = int(os.environ.get("BAILIWICK_SEED", "1"))

TRUST = TrustStore.production()
POLICY = AppraisalPolicy.load(DEFAULT_POLICY)

THEIR_POLICY = {"policy.debug", "td.sept-ve-disable", "td.service-td", "td.unknown"}
"""What dcap-qvl refuses in every quote, and this verifier leaves to the appraisal policy."""

ONLY_OURS = (
    "only zeros may follow a quote",
    "certification data of type 6",
    "PCK certification data: ",
    "PCK chain, root certificate: ",
    "chain.root: ",
    "chain.length: PCK chain: 2 certificates",
)
"""What this verifier refuses and dcap-qvl does not look at."""

NOT_LOOKED_AT_THERE = frozenset(
    {
        "qe.report-data",
        "chain.root",
        "chain.intermediate.authority",
        "chain.intermediate.extensions",
        "chain.pck.extension",
        "chain.pck.extensions",
        "chain.tcb-signing",
        "chain.tcb-signing.extensions",
        "crl.root.validity",
        "crl.pck.validity",
        "tcb-info.pceid",
        "tcb-info.content",
    }
)
"""Checks that fail here for a fake quote that dcap-qvl calls up to date, in at least one of the ways to fail."""

LAX_BASE64 = "Failed to parse certs"
"""What dcap-qvl refuses and this verifier reads as the same certificate: unused bits in base64 that are not zero."""


def in_their_form(collateral: Collateral, issuer_chain: bytes) -> Any:
    signing_chain = collateral.tcb_signing_chain.decode()
    return dcap_qvl.QuoteCollateralV3.from_json(
        json.dumps(
            {
                "pck_crl_issuer_chain": issuer_chain.decode(),
                "root_ca_crl": collateral.root_crl.hex(),
                "pck_crl": collateral.pck_crl.hex(),
                "tcb_info_issuer_chain": signing_chain,
                "tcb_info": collateral.tcb_info.decode(),
                "tcb_info_signature": collateral.tcb_info_signature.hex(),
                "qe_identity_issuer_chain": signing_chain,
                "qe_identity": collateral.qe_identity.decode(),
                "qe_identity_signature": collateral.qe_identity_signature.hex(),
            }
        )
    )


@cache
def theirs_of(folder: Path) -> Any:
    issuer_chain = (folder / "pck_crl_issuer_chain.pem").read_bytes()
    return in_their_form(Collateral.from_directory(folder), issuer_chain)


def ours(quote: bytes, verdict: Verdict) -> VerifiedQuote | str:
    try:
        return verify(parse(quote), verdict.collateral, TRUST, verdict.at)
    except MalformedEvidence as error:
        return error.reason
    except VerificationFailed as error:
        return str(error)


def theirs(quote: bytes, verdict: Verdict) -> Any:
    try:
        return dcap_qvl.verify(quote, theirs_of(verdict.folder), int(verdict.at.timestamp()))
    except ValueError as error:
        return str(error)


def theirs_on(fake: World) -> Any:
    issuer_chain = pem(fake.intermediate.encode()) + pem(fake.root.encode())
    collateral = in_their_form(fake.collateral(), issuer_chain)
    try:
        root = world().root.encode()
        return dcap_qvl.verify_with_root_ca(fake.quote(), collateral, root, int(fake.at.timestamp()))
    except ValueError as error:
        return str(error)


def difference(quote: bytes, verdict: Verdict) -> str | None:
    """How the two verdicts differ, unless that is explained."""
    mine, other = ours(quote, verdict), theirs(quote, verdict)
    if isinstance(mine, str):
        if isinstance(other, str) or mine.startswith(ONLY_OURS):
            return None
        return f"refused here ({mine}), {other.status} there"
    if not isinstance(other, str):
        same = mine.tcb.status == other.status and set(mine.tcb.advisories) == set(other.advisory_ids)
        return None if same else f"{mine.tcb.status} {mine.tcb.advisories} here, {other.status} there"
    against = {claim.name for claim in appraise(mine, POLICY, report_data=None).submods["cpu"].against()}
    return None if against & THEIR_POLICY or LAX_BASE64 in other else f"genuine here, {other} there"


def mutated(source: random.Random, quote: bytes) -> bytes:
    """One change: a bit, a byte, bytes gone or added, something at the end."""
    data, at = bytearray(quote), source.randrange(len(quote))
    match source.randrange(6):
        case 0:
            data[at] ^= 1 << source.randrange(8)
        case 1:
            data[at] = source.randrange(256)
        case 2:
            del data[at : at + source.randrange(1, 9)]
        case 3:
            data[at:at] = source.randbytes(source.randrange(1, 9))
        case 4:
            data += source.choice([bytes(source.randrange(1, 100)), source.randbytes(source.randrange(1, 20))])
        case _:
            data[source.randrange(632, 1240)] ^= 1 << source.randrange(8)
    return bytes(data)


@pytest.mark.parametrize("verdict", VERDICTS, ids=lambda verdict: verdict.id)
def test_genuine_quotes(verdict):
    assert difference(verdict.quote, verdict) is None
    other = theirs(verdict.quote, verdict)
    assert verdict.entry["dcap_qvl"] == (None if isinstance(other, str) else other.status)


def test_mutated_quotes():
    source = random.Random(SEED)
    unexplained = []
    for _ in range(MUTATIONS):
        verdict = source.choice(GENUINE)
        found = difference(mutated(source, verdict.quote), verdict)
        if found is not None:
            unexplained.append((verdict.id, found))
    assert unexplained == []


@pytest.mark.parametrize(("check", "fake"), CHECKS, ids=[f"{n}-{check}" for n, (check, _) in enumerate(CHECKS)])
def test_fake_quotes_in_which_one_check_fails(check, fake):
    assert isinstance(theirs_on(fake), str) or check in NOT_LOOKED_AT_THERE


@pytest.mark.parametrize(
    "fake",
    [
        world(),
        world_15(),
        OLD_PLATFORM,
        OLD_QE,
        platform("SWHardeningNeeded"),
        platform("ConfigurationNeeded"),
        platform("ConfigurationAndSWHardeningNeeded", OLD_QE),
        world().with_td(tee_tcb_svn=svn(4, 1, 3)),
        platform("ConfigurationNeeded").with_td(tee_tcb_svn=svn(4, 1, 3)),
        world_15(tee_tcb_svn=svn(4, 1, 3), tee_tcb_svn_2=svn(6, 1, 3)),
        platform("ConfigurationNeeded", world_15(tee_tcb_svn=svn(4, 1, 3), tee_tcb_svn_2=svn(6, 1, 3))),
        world_15(tee_tcb_svn=svn(4, 1, 3), tee_tcb_svn_2=svn(6, 1, 3)).with_qe(isv_svn=3),
        world_15(tee_tcb_svn=svn(6, 1, 3), tee_tcb_svn_2=svn(4, 1, 3)),
    ],
    ids=range(13),
)
def test_fake_quotes_have_the_same_status_and_advisories(fake):
    mine, other = outcome(fake).tcb, theirs_on(fake)
    assert (mine.status, set(mine.advisories)) == (other.status, set(other.advisory_ids))


def test_what_is_revoked_is_refused_there_and_never_acceptable_here():
    for fake in (world().with_td(tee_tcb_svn=svn(2, 1, 3)), identity(tcbLevels=[level("Revoked", tcb={"isvsvn": 1})])):
        assert "Revoked" in theirs_on(fake)
        assert outcome(fake).tcb.status == "Revoked"
