"""What a trust store remembers: verified chains and CRLs, never a verdict, and never for longer than they hold."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.verifier.fake_amd import milan, other_key
from verifier.cache import BoundedCache
from verifier.errors import VerificationFailed
from verifier.pki import signature
from verifier.snp import SigningKey, chain, parse, verify
from verifier.trust import TrustStore

WORLD = milan()
REPORT = parse(WORLD.report())
OFFERED = WORLD.endorsements()


@pytest.fixture
def rsa_verifications(monkeypatch):
    calls = []

    def counted(*arguments):
        calls.append(arguments)
        return signature.verifies(*arguments)

    monkeypatch.setattr(chain, "verifies", counted)
    return calls


def test_a_chain_is_verified_once_for_a_store(rsa_verifications):
    trust = WORLD.trust()
    verify(REPORT, OFFERED, trust, WORLD.at)
    first = len(rsa_verifications)
    verify(REPORT, OFFERED, trust, WORLD.at)
    assert first > 0
    assert len(rsa_verifications) == first
    verify(REPORT, OFFERED, WORLD.trust(), WORLD.at)
    assert len(rsa_verifications) == 2 * first, "another store has verified nothing yet"


def test_a_remembered_chain_still_expires():
    trust = WORLD.trust()
    verify(REPORT, OFFERED, trust, WORLD.at)
    late = WORLD.leaf.not_after + timedelta(seconds=1)
    with pytest.raises(VerificationFailed, match=r"chain\.leaf\.validity"):
        verify(REPORT, OFFERED, trust, late)


def test_a_remembered_chain_can_still_be_revoked():
    trust = WORLD.trust()
    verify(REPORT, OFFERED, trust, WORLD.at)
    crl = WORLD.crl(revoked=(WORLD.intermediate.serial_number,)).encode()
    with pytest.raises(VerificationFailed, match="revoked"):
        verify(REPORT, OFFERED, trust, WORLD.at, crls=[crl])


def test_a_remembered_list_still_goes_out_of_date():
    trust = WORLD.trust()
    crl = WORLD.crl().encode()
    verify(REPORT, OFFERED, trust, WORLD.at, crls=[crl])
    with pytest.raises(VerificationFailed, match=r"crl\.validity"):
        verify(REPORT, OFFERED, trust, WORLD.at + timedelta(days=2), crls=[crl])


def test_a_chain_that_failed_is_not_remembered():
    trust = WORLD.trust()
    forged = replace(OFFERED, leaf=replace(WORLD.leaf, signer=other_key()).encode())
    for _ in range(2):
        with pytest.raises(VerificationFailed, match=r"chain\.leaf\.signature"):
            verify(REPORT, forged, trust, WORLD.at)
    assert len(trust.verified) == 0


def test_no_verdict_is_remembered():
    trust = WORLD.trust()
    verify(REPORT, OFFERED, trust, WORLD.at)
    tampered = bytearray(REPORT.raw)
    tampered[0x50] ^= 1
    with pytest.raises(VerificationFailed, match="signature"):
        verify(parse(bytes(tampered)), OFFERED, trust, WORLD.at)


def test_the_same_leaf_with_another_intermediate_is_another_chain():
    trust = WORLD.trust()
    verify(REPORT, OFFERED, trust, WORLD.at)
    with pytest.raises(VerificationFailed):
        verify(REPORT, replace(OFFERED, intermediate=WORLD.ark.encode()), trust, WORLD.at)


def test_the_same_leaf_offered_as_another_kind_is_another_chain():
    trust = WORLD.trust()
    verify(REPORT, OFFERED, trust, WORLD.at)
    signed_as_vlek = parse(WORLD.with_fields(key_info=1 << 2).report())
    with pytest.raises(VerificationFailed, match=r"endorsement\.kind: SEV-VCEK is not a VLEK"):
        verify(signed_as_vlek, replace(OFFERED, kind=SigningKey.VLEK), trust, WORLD.at)


def test_a_list_that_one_root_signed_is_not_another_root_of_the_same_name():
    other = replace(
        WORLD,
        ark=replace(WORLD.ark, key=other_key().public_key(), signer=other_key()),
        intermediate=replace(WORLD.intermediate, signer=other_key()),
    )
    both, crl = TrustStore([*WORLD.trust().anchors, *other.trust().anchors]), WORLD.crl().encode()
    verify(REPORT, OFFERED, both, WORLD.at, crls=[crl])
    with pytest.raises(VerificationFailed, match=r"crl\.signature"):
        verify(REPORT, other.endorsements(), both, WORLD.at, crls=[crl])


def test_the_memory_is_bounded_and_forgets_the_least_recently_used():
    cache = BoundedCache[str, int](capacity=2)
    cache.put("a", 1)
    cache.put("b", 2)
    assert cache.get("a") == 1
    cache.put("c", 3)
    assert (cache.get("a"), cache.get("b"), cache.get("c"), len(cache)) == (1, None, 3, 2)
