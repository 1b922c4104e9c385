"""EARs: profile, contents, and every way in which a token must not be believed."""

import base64
import hmac
import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from joserfc import jwt
from joserfc.jwk import ECKey

from tests.verifier.fake_amd import milan
from verifier import ear
from verifier.appraisal import AppraisalPolicy, appraise, rejected
from verifier.errors import InvalidToken, VerificationFailed
from verifier.signer import ES256, ES384, Algorithm, SoftwareSigner, der_to_raw, public_key_pem
from verifier.snp import parse, verify

AT = datetime(2026, 6, 1, 12, tzinfo=UTC)
KEY = SoftwareSigner.generate(ES256)
KEYS = {algorithm.name: SoftwareSigner.generate(algorithm) for algorithm in (ES256, ES384)}
VERIFIER = ear.VerifierId("bailiwick", "0.1.0")
LIFETIME = timedelta(minutes=5)
NONCE = base64.urlsafe_b64encode(b"n" * 32).decode()


def result():
    world = milan()
    verified = verify(parse(world.report()), world.endorsements(), world.trust(), world.at)
    return appraise(verified, AppraisalPolicy(), report_data=verified.report.report_data)


def token(key=KEY, **options) -> str:
    arguments = {"verifier_id": VERIFIER, "nonce": NONCE, "lifetime": LIFETIME, "at": AT, **options}
    return ear.issue(result(), key=key, **arguments)


def segments(text: str) -> list[bytes]:
    return [base64.urlsafe_b64decode(part + "==") for part in text.split(".")]


def resigned(header: dict, claims: dict, key=KEY) -> str:
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in (header, claims)]
    signature = base64.urlsafe_b64encode(key.sign(".".join(parts).encode())).rstrip(b"=").decode()
    return ".".join([*parts, signature])


def claims_of(text: str) -> dict:
    return json.loads(segments(text)[1])


def refusal(text: str, keys=None, at=AT) -> str:
    with pytest.raises(InvalidToken) as error:
        ear.read(text, keys or [KEY.public_key], at)
    return str(error.value)


def test_the_claims_are_those_of_the_profile():
    claims = ear.read(token(extra={"jti": "42"}), [KEY.public_key], AT)
    assert claims["eat_profile"] == "tag:github.com,2023:veraison/ear"
    assert claims["ear.verifier-id"] == {"developer": "bailiwick", "build": "0.1.0"}
    assert (claims["iat"], claims["nbf"], claims["exp"]) == (1780315200, 1780315200, 1780315500)
    assert (claims["eat_nonce"], claims["jti"]) == (NONCE, "42")
    cpu = claims["submods"]["cpu"]
    assert cpu["ear.status"] == "warning", "no reference values were given, and the policy demands them"
    assert cpu["ear.trustworthiness-vector"] == {
        "instance-identity": 2,
        "hardware": 2,
        "configuration": 2,
        "executables": 33,
        "runtime-opaque": 2,
    }
    assert cpu["ear.appraisal-policy-id"] == AppraisalPolicy().identifier
    assert cpu["ear.veraison.annotated-evidence"]["measurement"] == bytes(range(100, 148)).hex()
    assert cpu["ear.veraison.policy-claims"]["policy.debug"]["tier"] == "affirming"


def test_status_is_the_worst_tier_of_the_vector():
    claims = ear.read(token(), [KEY.public_key], AT)
    assert claims["ear.status"] == claims["submods"]["cpu"]["ear.status"] == "warning"


@pytest.mark.parametrize("algorithm", KEYS)
def test_another_library_verifies_it(algorithm):
    key = KEYS[algorithm]
    text = token(key)
    decoded = jwt.decode(text, ECKey.import_key(public_key_pem(key.public_key)), algorithms=[algorithm])
    assert decoded.claims["eat_nonce"] == NONCE
    assert decoded.header["alg"] == algorithm
    assert ear.read(text, [key.public_key], AT) == decoded.claims


def test_a_refusal_can_be_issued_too():
    refused = rejected(VerificationFailed("signature", "not signed"), AppraisalPolicy())
    text = ear.issue(refused, key=KEY, verifier_id=VERIFIER, nonce=None, lifetime=LIFETIME, at=AT)
    claims = ear.read(text, [KEY.public_key], AT)
    assert claims["submods"]["cpu"]["ear.status"] == "contraindicated"
    assert "eat_nonce" not in claims


@pytest.mark.parametrize("length", [7, 89])
def test_a_nonce_has_8_to_88_characters(length):
    with pytest.raises(ValueError, match="8 to 88"):
        token(nonce="n" * length)


@pytest.mark.parametrize("name", ["submods", "exp", "eat_nonce", "ear.status"])
def test_extra_claims_do_not_replace_ours(name):
    with pytest.raises(ValueError, match=name):
        token(extra={name: "x"})


class TestNotBelieved:
    def test_another_key(self):
        assert "trusted key" in refusal(token(SoftwareSigner.generate(ES256)))

    def test_each_changed_part(self):
        text = token()
        for index in range(3):
            parts = text.split(".")
            middle = len(parts[index]) // 2
            parts[index] = (
                parts[index][:middle] + ("A" if parts[index][middle] != "A" else "B") + parts[index][middle + 1 :]
            )
            assert "trusted key" in refusal(".".join(parts))

    @pytest.mark.parametrize("text", ["", ".", "a.b.c", "....", "{}", "é.é.é"])
    def test_what_is_no_token(self, text):
        assert "trusted key" in refusal(text)

    def test_no_algorithm(self):
        header, claims = segments(token())[:2]
        unsigned = {**json.loads(header), "alg": "none"}
        text = resigned(unsigned, json.loads(claims)).rsplit(".", 1)[0] + "."
        assert "trusted key" in refusal(text)

    def test_the_public_key_as_a_shared_secret(self):
        def sign(data: bytes) -> bytes:
            return hmac.digest(public_key_pem(KEY.public_key).encode(), data, "sha256")

        text = resigned({"alg": "HS256"}, claims_of(token()), SimpleNamespace(sign=sign))
        assert "trusted key" in refusal(text)

    @pytest.mark.parametrize("of_key", KEYS)
    @pytest.mark.parametrize("algorithm", ["ES256", "ES384", "ES512", "RS256", "es256", None])
    def test_another_algorithm_in_the_header_than_the_curve_s(self, of_key, algorithm):
        key = KEYS[of_key]
        text = resigned({"alg": algorithm, "typ": "JWT"}, claims_of(token()), key)
        if algorithm == of_key:
            assert ear.read(text, [key.public_key], AT)
        else:
            assert "trusted key" in refusal(text, [key.public_key])

    @pytest.mark.parametrize(("curve", "named"), [(ES256, ES384), (ES384, ES256)])
    def test_a_curve_with_the_hash_of_the_other(self, curve: Algorithm, named: Algorithm):
        private = ec.generate_private_key(curve.curve)

        def sign(data: bytes) -> bytes:
            return der_to_raw(private.sign(data, ec.ECDSA(named.hash)), curve)

        for algorithm in (curve, named):
            text = resigned({"alg": algorithm.name}, claims_of(token()), SimpleNamespace(sign=sign))
            assert "trusted key" in refusal(text, [private.public_key()])

    def test_a_curve_that_results_are_not_signed_on(self):
        private = ec.generate_private_key(ec.SECP521R1())
        text = jwt.encode({"alg": "ES512"}, claims_of(token()), ECKey.import_key(private), algorithms=["ES512"])
        assert "trusted key" in refusal(text, [private.public_key()])
        with pytest.raises(ValueError, match="P-256 or P-384, not on secp521r1"):
            SoftwareSigner(private)

    def test_a_key_inside_the_token(self):
        other = SoftwareSigner.generate(ES256)
        jwk = ECKey.import_key(public_key_pem(other.public_key)).as_dict(private=False)
        assert "trusted key" in refusal(resigned({"alg": "ES256", "jwk": jwk}, claims_of(token()), other))

    def test_after_its_end_and_before_its_start(self):
        ear.read(token(), [KEY.public_key], AT + LIFETIME - timedelta(seconds=1))
        assert "expired" in refusal(token(), at=AT + LIFETIME)
        assert "not valid yet" in refusal(token(), at=AT - timedelta(seconds=1))

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"eat_profile": "tag:example.org,2023:other"}, "eat_profile"),
            ({"exp": None}, "exp"),
            ({"exp": "9999999999"}, "exp"),
            ({"nbf": True}, "nbf"),
            ({"iat": None}, "iat"),
            ({"submods": {}}, "submods"),
            ({"submods": "cpu"}, "submods"),
        ],
    )
    def test_signed_but_not_an_ear(self, change, message):
        assert message in refusal(resigned({"alg": "ES256"}, {**claims_of(token()), **change}))

    def test_signed_but_no_claims(self):
        assert "a JSON object is expected" in refusal(resigned({"alg": "ES256"}, []))

    def test_a_reader_s_lifetime_counts_only_without_an_end(self):
        text, key = token(), KEY.public_key
        with pytest.raises(InvalidToken, match="expired"):
            ear.read(text, [key], AT + LIFETIME, lifetime=1000 * LIFETIME)
        claims = {name: value for name, value in claims_of(text).items() if name != "exp"}
        endless = resigned({"alg": "ES256"}, claims)
        assert "exp is missing" in refusal(endless)
        assert ear.read(endless, [key], AT, lifetime=LIFETIME)

    def test_a_huge_token(self):
        assert "longer than" in refusal("a" * (ear.MAX_TOKEN_BYTES + 1))


def test_any_of_several_keys_may_have_signed():
    others = [key.public_key for key in KEYS.values()]
    assert ear.read(token(), [*others, KEY.public_key], AT)["eat_nonce"] == NONCE


def test_times_have_a_time_zone():
    naive = AT.replace(tzinfo=None)
    with pytest.raises(ValueError, match="time zone"):
        token(at=naive)
    with pytest.raises(ValueError, match="time zone"):
        ear.read(token(), [KEY.public_key], naive)
