"""What the build signed is what the recipes describe."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sandbox.region import images
from verifier import dsse
from verifier.reference import read_tdx_bundle
from verifier.signer import load_public_key

COMMITTED = images.REFERENCE_VALUES
GALLERY = (
    "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/bailiwick-images/providers/Microsoft.Compute"
    "/galleries/bailiwick/images"
)


def statement(directory: Path, image: str) -> dict:
    key = load_public_key((directory / images.BUILD_KEY).read_text())
    return dsse.verify((directory / f"{image}.json").read_text(), [key]).statement()


@pytest.mark.parametrize("image", sorted(images.gallery()))
def test_committed_reference_values_are_signed_and_equal_the_recipe(image):
    committed = statement(COMMITTED, image)
    built_at = datetime.fromisoformat(committed["predicate"]["built_at"])
    assert committed == images.gallery()[image].statement(built_at)
    assert committed["subject"][0]["digest"]["sha384"] == images.gallery()[image].measurement().hex()


def test_there_is_one_file_for_each_recipe_and_no_private_key():
    names = {path.name for path in COMMITTED.iterdir()}
    assert names == {f"{image}.json" for image in images.gallery()} | {images.BUILD_KEY}
    assert all("PRIVATE" not in path.read_text() for path in COMMITTED.iterdir())


def test_build_signs_with_a_new_key_each_time(tmp_path):
    at = datetime(2026, 1, 2, tzinfo=UTC)
    images.build(tmp_path / "a", at)
    images.build(tmp_path / "b", at)
    assert statement(tmp_path / "a", "verifier-1.0.0")["predicate"]["built_at"] == "2026-01-02T00:00:00+00:00"
    foreign = load_public_key((tmp_path / "b" / images.BUILD_KEY).read_text())
    with pytest.raises(dsse.DsseError):
        dsse.verify(json.loads((tmp_path / "a" / "verifier-1.0.0.json").read_text()), [foreign])


def test_every_image_measures_differently():
    measured = {json.dumps(image.predicate()) for image in images.gallery().values()}
    assert len(measured) == len(images.gallery())
    assert {len(image.measurement()) for image in images.gallery().values()} == {48}


def test_another_application_in_a_trust_domain_shows_in_its_last_register_only():
    """MRTD measures the firmware alone: whoever pins it and not the RTMRs has pinned no image."""
    first, second = (images.gallery()[f"inference-guest-{version}.tdx"].registers() for version in ("1.0.0", "1.1.0"))
    assert first.mr_td == second.mr_td
    assert first.rtmr2 != second.rtmr2


@pytest.mark.parametrize("change", ["content", "kind", "order"])
def test_any_change_of_a_component_changes_the_measurement(change):
    image = images.gallery()["inference-guest-1.0.0"]
    first, second, *rest = image.components
    changed = {
        "content": [first.model_copy(update={"content": first.content + " "}), second, *rest],
        "kind": [first.model_copy(update={"kind": "kernel"}), second, *rest],
        "order": [second, first, *rest],
    }[change]
    assert image.model_copy(update={"components": tuple(changed)}).measurement() != image.measurement()


@pytest.mark.parametrize(
    ("reference", "found"),
    [
        (f"{GALLERY}/inference-guest/versions/1.0.0", "inference-guest-1.0.0"),
        (f"{GALLERY}/inference-guest/versions/1.0.0".lower(), "inference-guest-1.0.0"),
        (f"{GALLERY}/inference-guest/versions/latest", None),
        (f"{GALLERY}/nothing/versions/1.0.0", None),
        (f"{GALLERY}/../inference-guest/versions/1.0.0", None),
        ("inference-guest-1.0.0", None),
    ],
)
def test_gallery_look_up_by_arm_id(reference, found):
    image = images.find(reference)
    assert (image.id if image else None) == found


def test_an_image_is_found_for_the_hardware_it_is_to_run_on():
    reference = f"{GALLERY}/inference-guest/versions/1.0.0"
    assert isinstance(images.find(reference, "snp"), images.Image)
    assert isinstance(images.find(reference, "tdx"), images.TrustDomainImage)
    assert images.find(reference, "sev") is None
    assert images.find(f"{GALLERY}/verifier/versions/1.0.0", "tdx") is None


@pytest.mark.parametrize("image", [key for key in sorted(images.gallery()) if key.endswith(".tdx")])
def test_the_verifier_reads_the_values_of_a_trust_domain(image):
    key = load_public_key((COMMITTED / images.BUILD_KEY).read_text())
    found = read_tdx_bundle((COMMITTED / f"{image}.json").read_text(), [key])
    assert found.mr_td == {images.gallery()[image].measurement().hex()}
    assert found.rtmr2 == {images.gallery()[image].registers().rtmr2.hex()}
