"""Results as CWTs against another implementation of COSE and CWT (python-cwt): it reads ours, and we read its own."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cwt import COSE, CWT, COSEHeaders, COSEKey, DecodeError, VerifyError

from tests.verifier.test_ear import VERIFIER, result
from verifier import ear_cwt
from verifier.errors import InvalidToken
from verifier.signer import ES256, ES384, Algorithm, SoftwareSigner, fingerprint

NONCE = bytes(range(16))
NOW = datetime.now(UTC).replace(microsecond=0)
"""The other library has a clock of its own."""
LIFETIME = timedelta(hours=1)
CURVES: dict[str, ec.EllipticCurve] = {ES256.name: ec.SECP256R1(), ES384.name: ec.SECP384R1()}
ALGORITHMS = pytest.mark.parametrize("algorithm", [ES256, ES384], ids=["ES256", "ES384"])


def issued(signer: SoftwareSigner, at: datetime = NOW) -> bytes:
    extra = {"jurisdiction": {"id": "DE"}}
    return ear_cwt.issue(result(), key=signer, verifier_id=VERIFIER, nonce=NONCE, lifetime=LIFETIME, at=at, extra=extra)


def their_public(signer: SoftwareSigner) -> Any:
    pem = signer.public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return COSEKey.from_pem(pem, kid=fingerprint(signer.public_key))


@ALGORITHMS
def test_the_other_library_reads_ours(algorithm: Algorithm) -> None:
    signer = SoftwareSigner.generate(algorithm)
    token = issued(signer)
    theirs: Any = CWT.new().decode(token, their_public(signer))
    ours = ear_cwt.read(token, [signer.public_key], NOW)
    assert (theirs[10], theirs[265], theirs[6]) == (NONCE, ours["eat_profile"], ours["iat"])
    assert theirs["jurisdiction"] == ours["jurisdiction"]
    submodule = theirs[266]["cpu"]
    assert (
        submodule[1000] == {"affirming": 2, "warning": 32, "contraindicated": 96}[ours["submods"]["cpu"]["ear.status"]]
    )
    assert submodule[-70001] == ours["submods"]["cpu"]["ear.veraison.policy-claims"]


def test_it_refuses_of_ours_what_we_refuse() -> None:
    signer, other = SoftwareSigner.generate(ES256), SoftwareSigner.generate(ES256)
    changed = bytearray(token := issued(signer))
    changed[-1] ^= 1
    with pytest.raises(VerifyError):
        CWT.new().decode(bytes(changed), their_public(signer))
    stranger = COSEKey.from_pem(
        other.public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        kid=fingerprint(signer.public_key),
    )
    with pytest.raises(VerifyError):
        CWT.new().decode(token, stranger)
    with pytest.raises(VerifyError):
        CWT.new().decode(issued(signer, NOW - timedelta(days=1)), their_public(signer))


class Theirs:
    """A key of the other library's, which ours knows the public half of."""

    def __init__(self, algorithm: Algorithm) -> None:
        key = ec.generate_private_key(CURVES[algorithm.name])
        self.public = key.public_key()
        self.key = COSEKey.from_pem(
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), kid="theirs", alg=algorithm.name
        )

    def token(self, claims: dict[Any, Any], **options: Any) -> bytes:
        return bytes(CWT.new().encode_and_sign(claims, self.key, **options))

    def read(self, token: bytes, at: datetime = NOW) -> dict[str, Any]:
        return ear_cwt.read(token, [self.public], at)


def profile() -> dict[Any, Any]:
    """The claims of ours by their numbers, as the other library reads them."""
    signer = SoftwareSigner.generate(ES256)
    claims: Any = CWT.new().decode(issued(signer), their_public(signer))
    return dict(claims)


@ALGORITHMS
@pytest.mark.parametrize("tagged", [False, True])
def test_we_read_its_own(algorithm: Algorithm, tagged: bool) -> None:
    theirs, claims = Theirs(algorithm), profile()
    found = theirs.read(theirs.token(claims, tagged=tagged))
    assert found["eat_nonce"] == NONCE
    assert found["submods"]["cpu"]["ear.veraison.policy-claims"] == claims[266]["cpu"][-70001]
    assert found["ear.verifier-id"] == {"developer": "bailiwick", "build": "0.1.0"}


def test_we_refuse_of_its_own_what_is_wrong() -> None:
    theirs, claims = Theirs(ES256), profile()
    for problem, token in {
        "trusted key": Theirs(ES256).token(claims),
        "expired": theirs.token(claims | {4: int(NOW.timestamp()) - 1}),
        "eat_profile": theirs.token(claims | {265: "another"}),
        "not a CWT": CWT.new().encode_and_mac(claims, COSEKey.from_symmetric_key(alg="HS256", kid="k")),
    }.items():
        with pytest.raises(InvalidToken, match=problem):
            theirs.read(token)


def test_an_algorithm_that_only_the_unprotected_header_states_is_not_believed() -> None:
    theirs = Theirs(ES256)
    payload = theirs.token(profile())
    content = COSE.new().decode(payload, theirs.key)
    loose = COSE.new().encode_and_sign(content, theirs.key, protected={}, unprotected={COSEHeaders.ALG: -7})
    with pytest.raises(InvalidToken, match="trusted key"):
        theirs.read(loose)
    with pytest.raises(DecodeError):
        COSE.new().decode(loose[:-1], theirs.key)
