"""Key sets as issuers publish them: a key for two algorithms, keys too short to count; a genuine token of Intel's."""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from tests.verifier.tokens.fake_issuer import AT, AZURE, EVIDENCE, GOOGLE, INTEL, failed_check, jwks, jwt, verified
from verifier import tokens
from verifier.appraisal import AppraisalPolicy, Tier
from verifier.appraisal.tokens import appraise
from verifier.errors import InvalidToken

GENUINE = (EVIDENCE / "intel-token.jwt").read_bytes()
GENUINE_KEYS = (EVIDENCE / "intel-keys.json").read_bytes()
ISSUED = datetime(2023, 12, 5, 0, 9, 10, tzinfo=UTC)
MR_TD = "5f53c3881242a5b418854923bb4adec34c72aa4b570d526179d63f9ee6e4cefb6abd4f0f35e5e6e29655a60d90bcf27f"


def merged(*sets: bytes) -> bytes:
    return json.dumps({"keys": [key for one in sets for key in json.loads(one)["keys"]]}).encode()


class TestIntelsOwn:
    """A token of December 2023 under the keys that Intel published then."""

    def test_it_is_genuine_while_it_is_valid(self):
        outcome = verified(GENUINE, "intel-trust-authority", GENUINE_KEYS, ISSUED)
        assert outcome.claims["attester_tcb_status"] == "OutOfDate"
        early, late = ISSUED - timedelta(seconds=1), ISSUED + timedelta(minutes=5)
        assert failed_check(GENUINE, "intel-trust-authority", GENUINE_KEYS, early) == "token.not-yet-valid"
        assert failed_check(GENUINE, "intel-trust-authority", GENUINE_KEYS, late) == "token.expired"

    def test_one_changed_character_of_its_signature(self):
        changed = GENUINE[:-9] + (b"A" if GENUINE[-9:-8] != b"A" else b"B") + GENUINE[-8:]
        assert failed_check(changed, "intel-trust-authority", GENUINE_KEYS, ISSUED) == "token.signature"

    def test_it_is_not_the_other_region_s(self):
        assert failed_check(GENUINE, INTEL, GENUINE_KEYS, ISSUED) == "token.jku"

    def test_its_claims(self):
        """Its TCB was out of date, and that alone is against it; it names no policies, and none are affirmed."""
        outcome = verified(GENUINE, "intel-trust-authority", GENUINE_KEYS, ISSUED)
        policy = AppraisalPolicy.model_validate(
            {"tokens": {"issuers": ["intel-trust-authority"], "measurements": [MR_TD]}}
        )
        nonce = base64.b64decode(outcome.claims["attester_held_data"])
        claims = appraise(outcome, policy, nonce=nonce).submods["cpu"].claims
        assert [claim.name for claim in claims if claim.tier > Tier.AFFIRMING] == ["tcb-status"]
        assert "policies" not in {claim.name for claim in claims}


class TestOneKeyForTwoAlgorithms:
    """Intel lists its key twice, under one `kid`."""

    KEYS = merged(jwks(INTEL, alg="PS384"), jwks(INTEL, alg="RS256"))

    @pytest.mark.parametrize("algorithm", ["PS384", "RS256"])
    def test_either(self, algorithm):
        token = replace(jwt(INTEL), header={"alg": algorithm}).encode().encode()
        assert verified(token, INTEL, self.KEYS)
        other = jwks(INTEL, alg="RS256" if algorithm == "PS384" else "PS384")
        assert failed_check(token, INTEL, other) == "token.algorithm"

    @pytest.mark.parametrize(
        "keys",
        [
            merged(jwks(INTEL, alg="PS384"), jwks(INTEL, alg="PS384")),
            merged(jwks(INTEL, alg="PS384"), jwks(INTEL)),
            merged(jwks(INTEL), jwks(INTEL, alg="PS384")),
        ],
    )
    def test_what_no_algorithm_tells_apart(self, keys):
        with pytest.raises(InvalidToken, match="tells apart"):
            tokens.KeySet.parse(keys)


class TestShortKeys:
    """Azure Attestation has published keys of 1,024 bits beside its own: they count for nothing, and harm nothing."""

    SHORT = rsa.generate_private_key(65537, 1024)

    def certificate(self) -> str:
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "short")])
        certificate = (
            x509.CertificateBuilder(name, name, self.SHORT.public_key(), 1)
            .not_valid_before(AT - timedelta(days=1))
            .not_valid_after(AT + timedelta(days=1))
            .sign(self.SHORT, hashes.SHA256())
        )
        return base64.b64encode(certificate.public_bytes(Encoding.DER)).decode()

    def short(self, identifier: str) -> bytes:
        return json.dumps({"keys": [{"kid": identifier, "kty": "RSA", "x5c": [self.certificate()]}]}).encode()

    def test_beside_a_good_one(self):
        assert verified(jwt(AZURE).encode().encode(), AZURE, merged(jwks(AZURE), self.short("short")))

    def test_a_token_that_one_signed(self, monkeypatch):
        monkeypatch.setattr("tests.verifier.tokens.fake_issuer.key", lambda name: self.SHORT)
        token = jwt(AZURE).encode().encode()
        assert failed_check(token, AZURE, self.short(AZURE)) == "token.key"

    def test_in_a_chain_that_comes_with_the_token(self, monkeypatch):
        """Its root signed it, and yet it is not taken."""
        monkeypatch.setattr("tests.verifier.tokens.fake_issuer.key", lambda name: self.SHORT)
        monkeypatch.setattr("verifier.tokens.keys.is_signed_by", lambda lower, upper: True)
        token = replace(jwt(GOOGLE), header={"x5c": [self.certificate()] * 2, "kid": None}).encode().encode()
        root = b"-----BEGIN CERTIFICATE-----\n" + self.certificate().encode() + b"\n-----END CERTIFICATE-----\n"
        assert failed_check(token, GOOGLE, root) == "token.key"
