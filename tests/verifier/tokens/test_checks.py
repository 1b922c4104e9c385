"""Tokens of fake issuers: each check can be the only one that fails, and parsing is total."""

import base64
import json
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
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
from verifier.pki.files import pem_values
from verifier.tokens import jws

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

    @pytest.mark.parametrize("name", ["iat", "nbf"])
    def test_one_time_says_since_when(self, name):
        assert verified(with_claims(jwt(AZURE), **{name: None}).encode().encode(), AZURE)

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

    def certificate(
        self, subject: str, issuer: str, *extensions, authority: bool, days: int = 30, public=None
    ) -> bytes:
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
            x509.CertificateBuilder(
                names[1], names[0], public or key(subject).public_key(), x509.random_serial_number()
            )
            .not_valid_before(AT - timedelta(days=days))
            .not_valid_after(AT + timedelta(days=days))
            .add_extension(x509.BasicConstraints(authority, None), critical=True)
            .add_extension(usage, critical=True)
        )
        for extension in extensions:
            builder = builder.add_extension(extension, critical=True)
        return builder.sign(key(issuer), hashes.SHA256()).public_bytes(Encoding.DER)

    def root(self) -> bytes:
        return self.root_of(self.certificate("root", "root", authority=True))

    def root_of(self, certificate: bytes) -> bytes:
        body = base64.encodebytes(certificate)
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

    def test_the_last_member_may_be_the_root_if_it_is_not_the_only_one(self):
        root = pem_values(self.root())[0]
        leaf = self.certificate("leaf", "root", authority=False)
        assert verified(self.token(leaf, root), GOOGLE, keys := self.root_of(root))
        assert failed_check(self.token(root), GOOGLE, keys) == "token.key"

    def test_a_chain_of_five(self):
        leaf = self.certificate("leaf", "middle", authority=False)
        middle = self.certificate("middle", "middle", authority=True)
        last = self.certificate("middle", "root", authority=True)
        assert verified(self.token(leaf, middle, middle, last), GOOGLE, self.root())
        assert failed_check(self.token(leaf, middle, middle, middle, last), GOOGLE, self.root()) == "token.key"

    @pytest.mark.parametrize("at", [AT - timedelta(days=31), AT + timedelta(days=31)])
    def test_a_leaf_outside_its_validity(self, at):
        claims = {"iat": NOW - 10**7, "nbf": NOW - 10**7, "exp": NOW + 10**7}
        leaf = base64.b64encode(self.certificate("leaf", "root", authority=False)).decode()
        token = replace(with_claims(jwt(GOOGLE), **claims), header={"x5c": [leaf], "kid": None}, signer="leaf")
        assert verified(token.encode().encode(), GOOGLE, self.root())
        assert failed_check(token.encode(), GOOGLE, self.root(), at) == "token.key"

    def test_an_unknown_critical_extension(self):
        unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"")
        leaf = self.certificate("leaf", "root", unknown, authority=False)
        assert failed_check(self.token(leaf), GOOGLE, self.root()) == "token.key"

    def test_a_key_of_a_kind_that_signs_no_tokens(self):
        public = ed25519.Ed25519PrivateKey.generate().public_key()
        leaf = self.certificate("leaf", "root", authority=False, public=public)
        assert failed_check(self.token(leaf), GOOGLE, self.root()) == "token.key"

    def test_a_leaf_whose_key_did_not_sign(self):
        leaf = self.certificate("elsewhere", "root", authority=False)
        assert failed_check(self.token(leaf), GOOGLE, self.root()) == "token.signature"

    def test_azure_publishes_keys_as_certificates(self):
        leaf = base64.b64encode(self.certificate(AZURE, AZURE, authority=False)).decode()
        for kind in ({"kty": "RSA"}, {}):
            keys = json.dumps({"keys": [{"kid": AZURE, **kind, "x5c": [leaf]}]}).encode()
            assert verified(good(AZURE), AZURE, keys)
        with pytest.raises(InvalidToken, match="two that differ"):
            tokens.KeySet.parse(
                jwks(AZURE, x5c=[base64.b64encode(self.certificate("a", "a", authority=False)).decode()])
            )


P256 = ec.generate_private_key(ec.SECP256R1())


class TestSignature:
    """A signature is by a key that is one for the algorithm, which the caller names."""

    TOKEN = jws.parse(jwt(AZURE).encode())
    RSA = key(AZURE).public_key()
    ELLIPTIC = jws.parse(json.loads(bundle())[0][1])
    P384 = key(NVIDIA).public_key()

    def test_by_its_key(self):
        assert jws.is_signed_by(self.TOKEN, self.RSA, "RS256")
        assert jws.is_signed_by(self.ELLIPTIC, self.P384, "ES384")

    def test_by_another_key(self):
        assert not jws.is_signed_by(self.TOKEN, key("other").public_key(), "RS256")
        assert not jws.is_signed_by(self.ELLIPTIC, key(f"{NVIDIA}-other").public_key(), "ES384")

    @pytest.mark.parametrize("algorithm", ["PS256", "RS384", "ES256"])
    def test_the_header_names_another(self, algorithm):
        assert not jws.is_signed_by(self.TOKEN, self.RSA, algorithm)
        header = {"alg": algorithm}
        assert not jws.is_signed_by(replace(self.TOKEN, header=header), self.RSA, "RS256")
        assert not jws.is_signed_by(replace(self.ELLIPTIC, header=header), self.P384, "ES384")

    @pytest.mark.parametrize("algorithm", ["none", "HS256", "RS512"])
    def test_an_algorithm_that_does_not_exist_here(self, algorithm):
        assert not jws.is_signed_by(replace(self.TOKEN, header={"alg": algorithm}), self.RSA, algorithm)

    def test_the_key_is_not_for_it(self):
        assert not jws.is_signed_by(self.ELLIPTIC, self.RSA, "ES384")
        assert not jws.is_signed_by(self.TOKEN, self.P384, "RS256")
        r, s = decode_dss_signature(P256.sign(self.ELLIPTIC.signed, ec.ECDSA(hashes.SHA384())))
        signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
        assert not jws.is_signed_by(replace(self.ELLIPTIC, signature=signature), P256.public_key(), "ES384")

    def test_numbers_have_their_length(self):
        signature = self.ELLIPTIC.signature
        longer = signature[:48] + b"\0" + signature[48:]
        assert not jws.is_signed_by(replace(self.ELLIPTIC, signature=longer), self.P384, "ES384")


def long(characters: int) -> bytes:
    """A token of about so many characters."""
    return b"e30." + jwk.encode(json.dumps({"a": "x" * (characters * 3 // 4)}).encode()).encode() + b".AA"


def devices(count: int, token: str = "e30.e30.AA") -> bytes:
    return json.dumps([["JWT", token], {f"GPU-{number}": token for number in range(count)}]).encode()


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
            b"e30.e30",
            b"e30.e30.AA.AA",
            b"eyJiNjQiOmZhbHNlfQ.e30.AA",
            long(270_000),
            devices(65),
            devices(20, long(20_000).decode()),
            devices(1, "e30.e30.\u00e9A"),
        ],
    )
    def test_what_is_no_token(self, text):
        with pytest.raises(InvalidToken):
            tokens.parse(text)

    def test_what_is_as_large_as_it_may_be(self):
        assert tokens.parse(long(260_000))
        assert len(tokens.parse(devices(64)).parts) == 64

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

    @pytest.mark.parametrize("members", [{"use": "enc"}, {"alg": 5}, {"kid": 5}, {"n": 5}])
    def test_a_key_that_would_do_but_for_one_member(self, members):
        assert tokens.KeySet.parse(jwks(AZURE, use="sig", alg="RS256"))
        with pytest.raises(InvalidToken):
            tokens.KeySet.parse(jwks(AZURE, **members))

    def test_a_key_that_occurs_twice(self):
        with pytest.raises(InvalidToken, match="kid"):
            tokens.KeySet.parse(jwks(AZURE, AZURE))

    def test_more_keys_than_an_issuer_has(self):
        point = jwk.from_public_key(P256.public_key())
        entries = [point | {"kid": str(number)} for number in range(257)]
        assert len(tokens.KeySet.parse(json.dumps({"keys": entries[:256]}).encode()).by_id) == 256
        with pytest.raises(InvalidToken, match="at most 256"):
            tokens.KeySet.parse(json.dumps({"keys": entries}).encode())

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
            "http://contoso1.{domain}",
            "contoso1.{domain}",
            "https://contos\u00f61.{domain}",
            "https://a/b.{domain}",
            "https://attest.azure.net",
            "https://contoso1.googleapis.com",
        ],
    )
    def test_what_only_looks_like_a_provider(self, url):
        with pytest.raises(InvalidToken, match="not on the list"):
            tokens.find(url.format(domain=tokens.find(AZURE).issuer.partition(".")[2]))

    def test_where_it_runs_and_whose_law_reaches_it(self):
        assert tokens.find(AZURE).jurisdiction == "DE, under the law of US"
        assert replace(tokens.find(AZURE), country=None).jurisdiction == "no stated country, under the law of US"
        assert replace(tokens.find(AZURE), country="US").jurisdiction == "US"

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
