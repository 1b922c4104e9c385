"""An artefact opens with its own key, whole and unchanged, or not at all."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.guest.artefact import ArtefactError, decrypt, encrypt

DEK = bytes(range(32))
CHUNK = 64 * 1024


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK])
def test_what_was_encrypted_comes_back(size):
    plaintext = os.urandom(size)
    artefact = decrypt(encrypt("llm", plaintext, DEK), DEK)
    assert (artefact.model, artefact.plaintext) == ("llm", plaintext)


def test_the_file_does_not_hold_the_plaintext_and_never_repeats():
    plaintext = b"weights " * 64
    first, second = encrypt("llm", plaintext, DEK), encrypt("llm", plaintext, DEK)
    assert b"weights " not in first
    assert first[-64:] != second[-64:]


def test_another_key_does_not_open_it():
    with pytest.raises(ArtefactError, match="the key is another one"):
        decrypt(encrypt("llm", b"weights", DEK), bytes(32))


@given(data=st.data())
def test_no_changed_byte_goes_unnoticed(data):
    sealed = bytearray(encrypt("llm", b"weights", DEK))
    index = data.draw(st.integers(0, len(sealed) - 1))
    sealed[index] ^= data.draw(st.integers(1, 255))
    with pytest.raises(ArtefactError):
        decrypt(bytes(sealed), DEK)


@pytest.mark.parametrize(
    "change",
    [
        lambda sealed: sealed[:-1],
        lambda sealed: sealed[: -(CHUNK + 16)],
        lambda sealed: sealed + b"\0",
        lambda sealed: (
            sealed[: -2 * (CHUNK + 16)] + sealed[-(CHUNK + 16) :] + sealed[-2 * (CHUNK + 16) : -(CHUNK + 16)]
        ),
        lambda sealed: sealed[:5],
        lambda sealed: b"",
    ],
    ids=["cut", "last chunk missing", "longer", "chunks exchanged", "only the magic", "empty"],
)
def test_a_rearranged_file_is_refused(change):
    sealed = encrypt("llm", os.urandom(2 * CHUNK), DEK)
    with pytest.raises(ArtefactError):
        decrypt(change(sealed), DEK)
