"""CBOR: the reader against another implementation, and what it refuses."""

import cbor2
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from hypothesis import given, settings
from hypothesis import strategies as st

from verifier import cbor, cose
from verifier.cbor import Tagged, decode, encode
from verifier.errors import MalformedEvidence
from verifier.signer import ES384

KEYS = st.integers(-(2**63), 2**63) | st.text(max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**64), 2**64 - 1) | st.binary(max_size=40) | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=20,
)


@settings(max_examples=200, deadline=None)
@given(VALUES)
def test_what_is_encoded_is_read_back_here_and_elsewhere(value):
    encoded = encode(value)
    assert decode(encoded) == cbor2.loads(encoded) == value
    assert encoded == encode(decode(encoded))


@settings(max_examples=500, deadline=None)
@given(st.binary(max_size=64))
def test_any_bytes_are_a_value_or_malformed(data):
    try:
        value = decode(data)
    except MalformedEvidence:
        return
    assert decode(encode(value)) == value


def test_the_examples_of_rfc_8949():
    """Appendix A, the kinds that are read."""
    for text, value in (
        ("17", 23),
        ("1818", 24),
        ("1bffffffffffffffff", 2**64 - 1),
        ("3bffffffffffffffff", -(2**64)),
        ("f6", None),
        ("62c3bc", "ü"),
        ("83010203", [1, 2, 3]),
        ("9f018202039f0405ffff", [1, [2, 3], [4, 5]]),
        ("bf61610161629f0203ffff", {"a": 1, "b": [2, 3]}),
        ("c11a514b67b0", Tagged(1, 1363896240)),
    ):
        assert decode(bytes.fromhex(text)) == value


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "announced"),
        ("0000", "after the value"),
        ("1817", "shortest"),
        ("190018", "shortest"),
        ("5820", "announced"),
        ("5bffffffffffffffff", "announced"),
        ("9bffffffffffffffff00", "announced"),
        ("62c328", "UTF-8"),
        ("5f4100ff", "additional information"),
        ("1f", "additional information"),
        ("ff", "additional information"),
        ("1c", "additional information"),
        ("fb3ff0000000000000", "float"),
        ("f7", "float"),
        ("f816", "shortest"),
        ("f820", "float"),
        ("a200000000", "twice"),
        ("a1f500", "key"),
        ("a1410000", "key"),
        ("9f01", "announced"),
        ("81" * 18 + "00", "deeper"),
    ],
)
def test_what_is_refused(text, reason):
    with pytest.raises(MalformedEvidence, match=reason):
        decode(bytes.fromhex(text))


def test_depth_has_a_limit():
    assert decode(b"\x81" * cbor.MAX_DEPTH + b"\x00")
    with pytest.raises(MalformedEvidence, match="deeper"):
        decode(b"\xc1" * (cbor.MAX_DEPTH + 1) + b"\x00")


def test_maps_are_written_in_the_order_of_their_keys_encoded():
    assert encode({"b": 1, 10: 2, -1: 3, "a": 4}).hex() == "a4" + "0a02" + "2003" + "616104" + "616201"


@pytest.mark.parametrize("value", [1.5, {1, 2}, 2**64])
def test_what_has_no_encoding(value):
    with pytest.raises(TypeError, match="no CBOR"):
        encode(value)


@pytest.mark.parametrize(
    "message",
    [
        b"\x80",
        encode([b"", {}, b"", b"", b""]),
        encode([b"", {}, "text", bytes(96)]),
        encode([encode([]), {}, b"", bytes(96)]),
        encode([encode({1: -35}), {1: -35}, b"", bytes(96)]),
        encode([encode({1: -35, 2: [1]}), {}, b"", bytes(96)]),
        encode([encode({1: -35}), {}, b"", bytes(95)]),
        encode(Tagged(98, [encode({1: -35}), {}, b"", bytes(96)])),
    ],
)
def test_what_is_no_cose_sign1(message):
    with pytest.raises(MalformedEvidence):
        cose.parse_sign1(message)


def test_a_cose_sign1_with_es384_is_not_of_a_key_on_p256():
    key = ec.generate_private_key(ec.SECP256R1())
    protected = encode({cose.ALGORITHM: ES384.cose})
    signature = key.sign(cose.to_be_signed(protected, b"payload"), ec.ECDSA(hashes.SHA384()))
    raw = b"".join(number.to_bytes(48, "big") for number in decode_dss_signature(signature))
    message = cose.parse_sign1(encode([protected, {}, b"payload", raw]))
    assert not message.is_signed_by(key.public_key())
