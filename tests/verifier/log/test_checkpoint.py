"""Signed checkpoints: the one form that counts, and each way in which a note that the log's key signed is not one."""

import base64

import pytest

from verifier.log.checkpoint import Checkpoint, CheckpointError, sign, verify
from verifier.signer import SoftwareSigner

KEY = SoftwareSigner.generate()
ORIGIN = "verifier.test.internal/log"
ROOT = bytes(range(32))
NOTE = sign(Checkpoint(ORIGIN, 3, ROOT), KEY)


class Stated(Checkpoint):
    """A checkpoint whose text is its origin."""

    def body(self) -> str:
        return self.origin


def signed(*lines: str) -> str:
    """A note of these lines with a good signature over them."""
    text = "\n".join(lines) + "\n"
    body, signature = sign(Stated(text, 0, ROOT), KEY).split("\n\n— ")
    name_of_key = sign(Checkpoint(lines[0], 0, ROOT), KEY).rsplit(" ", 1)[1]
    key_id = base64.b64decode(name_of_key)[:4]
    raw = base64.b64decode(signature.rsplit(" ", 1)[1])[4:]
    return f"{body}\n\n— {lines[0]} {base64.b64encode(key_id + raw).decode()}\n"


def refusal(note: str) -> str:
    with pytest.raises(CheckpointError) as error:
        verify(note, KEY.public_key)
    return str(error.value)


def test_what_is_signed_is_read_back():
    assert verify(NOTE, KEY.public_key) == Checkpoint(ORIGIN, 3, ROOT)
    assert verify(signed(ORIGIN, "3", base64.b64encode(ROOT).decode()), KEY.public_key).size == 3


def test_signatures_of_others_are_passed_over():
    body, signature = NOTE.split("\n\n")
    others = f"— witness AAAAAA==\n— {ORIGIN} AAAAAA==\n"
    assert verify(f"{body}\n\n{others}{signature}", KEY.public_key).size == 3
    assert "not signed by the log's key" in refusal(f"{body}\n\n{others}")


@pytest.mark.parametrize("size", ["03", "-1", "+3", "\uff13", "x", "", "9" * 19, "9" * 5000])
def test_a_size_is_a_number_in_one_spelling(size):
    assert "size is not a decimal number" in refusal(signed(ORIGIN, size, base64.b64encode(ROOT).decode()))


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ((ORIGIN, "3"), "three lines"),
        ((ORIGIN, "3", base64.b64encode(ROOT).decode(), "extension"), "three lines"),
        (("", "3", base64.b64encode(ROOT).decode()), "three lines"),
        ((ORIGIN, "3", base64.b64encode(ROOT[1:]).decode()), "not a SHA-256"),
        ((ORIGIN, "3", "?"), "not base64"),
        (("x" * 20_000, "3", base64.b64encode(ROOT).decode()), "longer than"),
    ],
)
def test_what_is_signed_must_be_a_checkpoint(lines, reason):
    assert reason in refusal(signed(*lines))


@pytest.mark.parametrize(
    ("note", "reason"),
    [
        (NOTE.split("\n\n")[0] + "\n", "three lines"),
        (NOTE[:-1], "is not signed"),
        (NOTE.replace("— ", ""), "em dash"),
        (NOTE[:-4] + chr(ord(NOTE[-4]) + 1) + NOTE[-3:], "not canonical"),
        (NOTE.replace("\n3\n", "\n4\n"), "does not verify"),
    ],
)
def test_a_signature_has_one_form(note, reason):
    assert reason in refusal(note)
