"""Reference values as components read them."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from components import reference_values
from components.reference_values import ReferenceValuesError
from components.spec.parts import Tpm

IMAGE = {"name": "guest", "version": "1.0.0"}


def _envelope(**predicate: Any) -> dict[str, Any]:
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "predicateType": "https://bailiwick.dev/reference-values/v1",
        "predicate": {
            "image": IMAGE,
            "tee": "snp",
            "launch_measurements": ["ab" * 48],
            "minimum_tcb": {"bootloader": 4, "tee": 0, "snp": 22, "microcode": 213},
            **predicate,
        },
    }
    payload = base64.b64encode(json.dumps(statement).encode()).decode()
    return {"payloadType": "application/vnd.in-toto+json", "payload": payload, "signatures": []}


def test_values_are_read_and_the_envelope_is_left_as_it_was(tmp_path: Path) -> None:
    envelope = _envelope(guest_policy={"debug": False})
    (tmp_path / "guest-1.0.0.json").write_text(json.dumps(envelope))
    values = reference_values.load(tmp_path, name="guest", version="1.0.0")
    assert values.image == "guest-1.0.0"
    assert values.launch_measurements == ("ab" * 48,)
    assert values.minimum_tcb.microcode == 213
    assert values.envelope == envelope


@pytest.mark.parametrize("tpm", ["vtpm", "nitrotpm"])
def test_where_a_tpm_measures_the_image_the_processor_measures_what_starts_it(tmp_path: Path, tpm: Tpm) -> None:
    file = tmp_path / "guest-1.0.0.json"
    file.write_text(json.dumps(_envelope(**{tpm: {"launch_measurements": ["cd" * 48], "pcrs": {"4": ["ef" * 32]}}})))
    bare = reference_values.load(tmp_path, name="guest", version="1.0.0")
    below = reference_values.load(tmp_path, name="guest", version="1.0.0", tpm=tpm)
    assert (bare.launch_measurements, below.launch_measurements) == (("ab" * 48,), ("cd" * 48,))
    file.write_text(json.dumps(_envelope()))
    with pytest.raises(
        ReferenceValuesError, match=rf"states no {tpm}, and the cloud starts guest-1\.0\.0 by firmware of its own"
    ):
        reference_values.load(tmp_path, name="guest", version="1.0.0", tpm=tpm)


def test_missing_values_name_the_images_that_have_some(tmp_path: Path) -> None:
    (tmp_path / "guest-1.0.0.json").write_text("{}")
    with pytest.raises(ReferenceValuesError, match=r"image guest-2\.0\.0: .*; images that have them: guest-1\.0\.0$"):
        reference_values.load(tmp_path, name="guest", version="2.0.0")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "not a DSSE envelope"),
        ("[]", "not a DSSE envelope"),
        ("{}", "not a DSSE envelope"),
        (json.dumps({"payloadType": "text/plain", "payload": ""}), "payloadType must be application/vnd.in-toto"),
        (json.dumps({**_envelope(), "payload": "%%%"}), "not a DSSE envelope"),
        (json.dumps({**_envelope(), "payload": 7}), "not a DSSE envelope"),
        (json.dumps({**_envelope(), "payload": base64.b64encode(b"no JSON").decode()}), "Invalid JSON"),
        (json.dumps(_envelope(tee="sgx")), "predicate.tee: "),
        (json.dumps(_envelope(launch_measurements=[])), "predicate.launch_measurements: "),
        (json.dumps(_envelope(launch_measurements=["AB" * 48])), r"predicate.launch_measurements.0: "),
        (json.dumps(_envelope(image={"name": "other", "version": "1.0.0"})), "states image other-1.0.0"),
    ],
)
def test_unreadable_values_are_one_line_with_the_file(tmp_path: Path, content: str, problem: str) -> None:
    (tmp_path / "guest-1.0.0.json").write_text(content)
    with pytest.raises(ReferenceValuesError, match=problem) as refusal:
        reference_values.load(tmp_path, name="guest", version="1.0.0")
    assert str(refusal.value).startswith("guest-1.0.0.json: ")
    assert "\n" not in str(refusal.value)


def test_build_keys_are_every_public_key_there(tmp_path: Path) -> None:
    with pytest.raises(ReferenceValuesError, match="no build key"):
        reference_values.build_keys(tmp_path)
    (tmp_path / "next.pub.pem").write_text("second")
    (tmp_path / "build.pub.pem").write_text("first")
    assert reference_values.build_keys(tmp_path) == ["first", "second"]
