"""DSSE envelopes: the protocol's encoding, what a signature covers, and what is refused."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifier import dsse
from verifier.signer import SoftwareSigner, fingerprint

SIGNER = SoftwareSigner.generate()
PAYLOAD = b'{"_type":"https://in-toto.io/Statement/v1"}'


def test_pae_is_the_encoding_of_the_protocol_document() -> None:
    assert dsse.pae("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


def test_pae_counts_the_bytes_of_a_type_that_is_not_ascii() -> None:
    assert dsse.pae("é", b"") == b"DSSEv1 2 \xc3\xa9 0 "


def test_a_signed_payload_comes_back_with_its_signer() -> None:
    envelope = dsse.sign(dsse.IN_TOTO, PAYLOAD, SIGNER)
    verified = dsse.verify(json.dumps(envelope), [SoftwareSigner.generate().public_key, SIGNER.public_key])
    assert verified.payload == PAYLOAD
    assert verified.signers == (fingerprint(SIGNER.public_key),)
    assert verified.statement() == {"_type": "https://in-toto.io/Statement/v1"}


def test_a_second_signature_by_a_stranger_does_not_spoil_a_trusted_one() -> None:
    envelope = dsse.sign(dsse.IN_TOTO, PAYLOAD, SoftwareSigner.generate())
    envelope["signatures"] += dsse.sign(dsse.IN_TOTO, PAYLOAD, SIGNER)["signatures"]
    assert dsse.verify(envelope, [SIGNER.public_key]).signers == (fingerprint(SIGNER.public_key),)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"payload": base64.b64encode(PAYLOAD + b" ").decode()}, "none of its 1 signature"),
        ({"payloadType": "application/json"}, "none of its 1 signature"),
        ({"payload": "e30"}, "payload is not base64"),
        ({"payload": "e31="}, "payload is not canonical base64"),
        ({"payload": None}, "needs the strings payload and payloadType"),
        ({"payloadType": None}, "needs the strings payload and payloadType"),
        ({"signatures": []}, "no signatures"),
        ({"signatures": 1}, "no signatures"),
        ({"signatures": [1]}, r"signatures\[0\] has no sig"),
        ({"signatures": [{"keyid": ""}]}, r"signatures\[0\] has no sig"),
        ({"signatures": [{"sig": base64.b64encode(b"\0" * 96).decode()}]}, "not a P-384 signature in DER"),
    ],
)
def test_a_changed_envelope_is_refused(change: dict[str, object], reason: str) -> None:
    with pytest.raises(dsse.DsseError, match=reason):
        dsse.verify(dsse.sign(dsse.IN_TOTO, PAYLOAD, SIGNER) | change, [SIGNER.public_key])


def test_no_trusted_key_means_no_trust() -> None:
    with pytest.raises(dsse.DsseError, match=r"0 trusted key"):
        dsse.verify(dsse.sign(dsse.IN_TOTO, PAYLOAD, SIGNER), [])


def test_a_duplicated_member_is_refused() -> None:
    text = json.dumps(dsse.sign(dsse.IN_TOTO, PAYLOAD, SIGNER))
    with pytest.raises(dsse.DsseError, match="'payload' appears twice"):
        dsse.verify('{"payload":"e30=",' + text[1:], [SIGNER.public_key])


@pytest.mark.parametrize(
    ("payload_type", "payload", "reason"),
    [
        ("application/json", PAYLOAD, "payloadType is 'application/json'"),
        (dsse.IN_TOTO, b"{", "the payload is not JSON"),
        (dsse.IN_TOTO, b'{"_type":"https://in-toto.io/Statement/v0.1"}', "not an in-toto Statement v1"),
    ],
)
def test_a_payload_that_is_no_statement(payload_type: str, payload: bytes, reason: str) -> None:
    verified = dsse.verify(dsse.sign(payload_type, payload, SIGNER), [SIGNER.public_key])
    with pytest.raises(dsse.DsseError, match=reason):
        verified.statement()


@given(st.binary(max_size=400))
def test_any_bytes_are_refused_with_an_error_of_ours(data: bytes) -> None:
    with pytest.raises(dsse.DsseError):
        dsse.verify(data, [SIGNER.public_key])
