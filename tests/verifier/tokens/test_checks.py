"""Tokens of fake issuers: each check can be the only one that fails, and parsing is total."""

import base64
import json
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.verifier.tokens.fake_issuer import (
    AT,
    AZURE,
    GENUINE_BUNDLE,
    GOOGLE,
    INTEL,
    NOW,
    NVIDIA,
    bundle,
    good,
    jwks,
    jwt,
    key,
    verified,
    with_claims,
)
from verifier import jwk, tokens
from verifier.errors import InvalidToken, VerificationFailed

ISSUERS = [AZURE, GOOGLE, INTEL, NVIDIA]


def failed_check(data: bytes | str, name: str = AZURE, keys: bytes | None = None, at=AT) -> str:
    with pytest.raises(VerificationFailed) as failure:
        verified(data.encode() if isinstance(data, str) else data, name, keys, at)
    return failure.value.check


class TestVerify:
    @pytest.mark.parametrize("name", ISSUERS)
    def test_a_genuine_token_says_whose_word_it_is(self, name):
        outcome = verified(good(name), name)
        assert "asserted by a third party" in outcome.asserted_by
        assert "US" in outcome.asserted_by
        assert outcome.annotations()["issuer"] == tokens.find(name).issuer

    def test_another_s_key(self):
        assert failed_check(replace(jwt(AZURE), signer="other").encode()) == "token.signature"

    def test_a_key_that_is_not_among_the_issuer_s(self):
        assert failed_check(good(AZURE), keys=jwks("other")) == "token.key"

    @pytest.mark.parametrize("algorithm", ["PS256", "none", "HS256", "RS384", None])
    def test_an_algorithm_that_the_issuer_does_not_use(self, algorithm):
        assert failed_check(replace(jwt(AZURE), header={"alg": algorithm}).encode()) == "token.algorithm"

    def test_a_key_that_is_for_another_algorithm(self):
        assert failed_check(good(AZURE), keys=jwks(AZURE, alg="RS384")) == "token.algorithm"
        assert verified(good(AZURE), AZURE, jwks(AZURE, alg="RS256"))

    def test_a_key_of_another_kind(self):
        assert (
            failed_check(good(AZURE), keys=jwks(NVIDIA).replace(NVIDIA.encode(), AZURE.encode())) == "token.signature"
        )

    def test_another_issuer(self):
        other = tokens.find("azure-attestation-westeurope").issuer
        assert failed_check(with_claims(jwt(AZURE), iss=other).encode()) == "token.issuer"

    def test_keys_are_never_fetched_from_where_the_token_says(self):
        theirs = replace(jwt(AZURE), header={"jku": tokens.find(AZURE).keys})
        assert verified(theirs.encode().encode(), AZURE)
        assert failed_check(replace(theirs, header={"jku": "https://evil.example/certs"}).encode()) == "token.jku"

    def test_a_key_in_the_token_is_not_looked_at(self):
        header = {"jwk": jwk.from_public_key(key("other").public_key()), "kid": "other"}
        assert failed_check(replace(jwt(AZURE), header=header, signer="other").encode()) == "token.key"

    @pytest.mark.parametrize(
        ("claims", "check"),
        [
            ({"exp": NOW}, "token.expired"),
            ({"nbf": NOW + 1}, "token.not-yet-valid"),
            ({"iat": NOW + 1}, "token.not-yet-valid"),
            ({"exp": "never"}, "token.times"),
            ({"exp": True}, "token.times"),
            ({"exp": None}, "token.times"),
            ({"iat": None, "nbf": None}, "token.not-yet-valid"),
        ],
    )
    def test_times(self, claims, check):
        assert failed_check(with_claims(jwt(AZURE), **claims).encode()) == check

    def test_a_bundle_of_another_issuer(self):
        assert failed_check(bundle(), AZURE) == "token.form"

    def test_a_single_token_of_nvidia(self):
        overall = json.loads(bundle())[0][1]
        assert failed_check(overall, NVIDIA) == "token.form"

    @pytest.mark.parametrize("submods", [{}, {"GPU-0": ["DIGEST", ["SHA-256", "00" * 32]]}, None])
    def test_a_bundle_whose_parts_are_not_the_ones_it_is_about(self, submods):
        assert failed_check(bundle({"submods": submods}), NVIDIA) == "token.submods"

    def test_a_bundle_with_a_device_too_many(self):
        overall, devices = json.loads(bundle())
        content = json.dumps([overall, {**devices, "GPU-1": devices["GPU-0"]}]).encode()
        assert failed_check(content, NVIDIA) == "token.submods"

    def test_a_device_that_has_expired(self):
        assert failed_check(bundle(device={"exp": NOW - 1}), NVIDIA) == "token.expired"

    def test_nvidia_s_own_token_is_read_and_needs_nvidia_s_keys(self):
        token = tokens.parse(GENUINE_BUNDLE)
        assert list(token.parts) == ["GPU-0"]
        assert token.main.claims["submods"]["GPU-0"][1][1] == token.digests["GPU-0"]
        assert failed_check(GENUINE_BUNDLE, NVIDIA) == "token.key"


class TestCertificates:
    """PKI tokens: the leaf's key is in `x5c`, under a root that a person gives."""

    def certificate(self, subject: str, issuer: str, *, authority: bool, days: int = 30) -> bytes:
        names = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in (subject, issuer)]
        usage = x509.KeyUsage(
            digital_signature=not authority,
            key_cert_sign=authority,
            crl_sign=authority,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            encipher_only=False,
            decipher_only=False,
        )
        builder = (
            x509.CertificateBuilder(names[1], names[0], key(subject).public_key(), x509.random_serial_number())
            .not_valid_before(AT - timedelta(days=days))
            .not_valid_after(AT + timedelta(days=days))
            .add_extension(x509.BasicConstraints(authority, None), critical=True)
            .add_extension(usage, critical=True)
        )
        return builder.sign(key(issuer), hashes.SHA256()).public_bytes(Encoding.DER)

    def root(self, name: str = "root") -> bytes:
        body = base64.encodebytes(self.certificate(name, name, authority=True))
        return b"-----BEGIN CERTIFICATE-----\n" + body + b"-----END CERTIFICATE-----\n"

    def token(self, *chain: bytes) -> bytes:
        x5c = [base64.b64encode(member).decode() for member in chain]
        return replace(jwt(GOOGLE), header={"x5c": x5c, "kid": None}, signer="leaf").encode().encode()

    def test_a_chain_under_the_root(self):
        leaf = self.certificate("leaf", "middle", authority=False)
        middle = self.certificate("middle", "root", authority=True)
        assert verified(self.token(leaf, middle), GOOGLE, self.root())

    def test_chains_that_are_none(self):
        leaf = self.certificate("leaf", "middle", authority=False)
        middle = self.certificate("middle", "root", authority=True)
        other = self.certificate("middle", "other", authority=True)
        unable = self.certificate("middle", "root", authority=False)
        old = self.certificate("leaf", "middle", authority=False, days=0)
        authority = self.certificate("leaf", "middle", authority=True)
        for chain in ((leaf,), (leaf, other), (middle, leaf), (leaf, unable), (authority, middle)):
            assert failed_check(self.token(*chain), GOOGLE, self.root()) == "token.key"
        late = AT + timedelta(seconds=1)
        assert failed_check(self.token(old, middle), GOOGLE, self.root(), late) == "token.key"
        assert failed_check(good(GOOGLE), GOOGLE, self.root()) == "token.key"

    def test_a_leaf_whose_key_did_not_sign(self):
        leaf = self.certificate("elsewhere", "root", authority=False)
        assert failed_check(self.token(leaf), GOOGLE, self.root()) == "token.signature"

    def test_azure_publishes_keys_as_certificates(self):
        leaf = base64.b64encode(self.certificate(AZURE, AZURE, authority=False)).decode()
        keys = json.dumps({"keys": [{"kid": AZURE, "kty": "RSA", "x5c": [leaf]}]}).encode()
        assert verified(good(AZURE), AZURE, keys)


class TestParse:
    @pytest.mark.parametrize(
        "text",
        [
            b"",
            b"eyJ",
            b"eyJ.eyJ",
            b"e30.e30.%%",
            b"e30=.e30.e30",
            b"W10.e30.AA",
            b"e30.W10.AA",
            b"eyJhIjoxLCJhIjoxfQ.e30.AA",
            b"eyJjcml0IjpbXX0.e30.AA",
            b"\xff",
            b"[]",
            b'[["JWT", 5], {}]',
            b'[["JWT", "e30.e30.AA"], {}]',
            b'[["JWT", "e30.e30.AA"], {"GPU-0": 5}]',
            b"[" * 100,
            b"e30." + b"A" * 300_000 + b".AA",
        ],
    )
    def test_what_is_no_token(self, text):
        with pytest.raises(InvalidToken):
            tokens.parse(text)

    @pytest.mark.parametrize(
        "keys",
        [
            b"",
            b"[]",
            b"{}",
            b'{"keys": [{}]}',
            b'{"keys": [{"kid": "a", "kty": "oct", "k": "AA"}]}',
            b'{"keys": [{"kid": "a", "kty": "RSA", "n": "AQ", "e": "AQAB"}]}',
            b'{"keys": [{"kid": "a", "x5c": ["AA"]}]}',
            b'{"keys": [{"kid": "a", "x5c": []}]}',
            b'{"keys": [{"kid": "a", "use": "enc"}]}',
            b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        ],
    )
    def test_what_are_no_keys(self, keys):
        with pytest.raises(InvalidToken):
            tokens.KeySet.parse(keys)

    def test_a_key_that_occurs_twice(self):
        with pytest.raises(InvalidToken, match="kid"):
            tokens.KeySet.parse(jwks(AZURE, AZURE))

    @settings(max_examples=200, deadline=None)
    @given(st.sampled_from([AZURE, NVIDIA]), st.data())
    def test_any_change_is_refused(self, name, data):
        content = GOOD[name]
        at = data.draw(st.integers(0, len(content) - 1))
        changed = content[:at] + bytes([data.draw(st.integers(32, 126))]) + content[at + 1 :]
        if changed == content:
            return
        try:
            verified(changed, name)
        except (InvalidToken, VerificationFailed):
            return
        assert json.loads(changed)[1].keys() == json.loads(content)[1].keys()

    def test_it_is_told_from_other_evidence(self):
        assert tokens.is_token(good(AZURE))
        assert tokens.is_token(b' [ ["JWT", "')
        assert not tokens.is_token(b'[{"evidence": ""}]')


GOOD = {AZURE: good(AZURE), NVIDIA: good(NVIDIA)}


class TestIssuers:
    def test_an_unlisted_issuer_has_a_neighbour(self):
        with pytest.raises(InvalidToken, match="nearest is nvidia-nras"):
            tokens.find("nvidia-nra")

    def test_a_customer_s_own_provider_is_where_the_shared_one_is(self):
        shared = tokens.find(AZURE)
        domain = shared.issuer.partition(".")[2]
        own = tokens.find(f"https://contoso1.{domain}")
        assert (own.country, own.keys) == (shared.country, f"https://contoso1.{domain}/certs")

    @pytest.mark.parametrize(
        "url",
        [
            "https://contoso.evil.example",
            "http://contoso1.dewc.attest.azure.net",
            "https://a/b.dewc.attest.azure.net",
            "https://attest.azure.net",
        ],
    )
    def test_what_only_looks_like_a_provider(self, url):
        with pytest.raises(InvalidToken, match="not on the list"):
            tokens.find(url)

    def test_azure_s_regions_are_the_catalogue_s(self):
        import catalog
        from verifier.tokens.issuers import _listed

        listed = {it.issuer.removeprefix("https://"): it.country for it in _listed() if it.kind == "azure"}
        known = {
            region.attestation_host: region.country
            for region in catalog.load().regions(cloud="azure")
            if (region.attestation_host or "").endswith(".attest.azure.net")
        }
        assert listed == known
