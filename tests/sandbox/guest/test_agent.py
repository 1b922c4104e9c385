"""What the agent does when everything but the model is as it should be."""

import json

import pytest

from sandbox.guest.agent import BlobError, GuestAgent, Journal
from sandbox.guest.artefact import ArtefactError, encrypt
from sandbox.guest.config import ConfigError, parse
from sandbox.hardware import SandboxPki
from sandbox.region.launch import launch
from tests.sandbox.region.scenario import KEK, RESOURCE, guest, workload_config

HOST = "germanywestcentral.objects.example"


def run(attested, hardware_dir, blob: str, content: bytes | None):
    """Run an agent that is sent to `blob`; the journal and what it raised."""
    scenario, region = attested
    if content is not None:
        (scenario.data_dir / "blobs" / f"modelstest.{HOST}" / "models" / blob).write_bytes(content)
    config = parse(guest().custom_data)
    config = config.model_copy(update={"artefact": config.artefact.model_copy(update={"blob": blob})})
    journal = Journal()
    with region.client(guest()) as http:
        device = launch(guest(), SandboxPki(hardware_dir))
        url = config.artefact.url(scenario.object_url(guest().location))
        with pytest.raises((BlobError, ArtefactError)) as failure:
            GuestAgent(device, config, http, url).run(journal)
    return journal, str(failure.value)


def model_key(attested) -> bytes:
    custody = attested[1].custody
    return custody.keystore.unwrap(KEK, custody.wrapped.get(RESOURCE).blob)


def test_a_model_that_is_not_there(attested, hardware_dir):
    journal, reason = run(attested, hardware_dir, "absent.enc", None)
    assert f"https://modelstest.{HOST}/models/absent.enc: 404" in reason
    assert [step.name for step in journal.steps] == ["challenge", "report", "attest", "key", "fetch"]
    assert len(journal.receipts) == 2


def test_a_model_under_another_key(attested, hardware_dir):
    _, reason = run(attested, hardware_dir, "foreign.enc", encrypt("llm", b"weights", bytes(32)))
    assert "the key is another one" in reason


def test_a_changed_model(attested, hardware_dir):
    sealed = bytearray(encrypt("llm", b"weights", model_key(attested)))
    sealed[-1] ^= 1
    _, reason = run(attested, hardware_dir, "changed.enc", bytes(sealed))
    assert "was changed" in reason


def test_another_model_under_the_right_key(attested, hardware_dir):
    _, reason = run(attested, hardware_dir, "other.enc", encrypt("other", b"weights", model_key(attested)))
    assert "holds model 'other', not 'llm'" in reason


def test_the_journal_shows_no_key(attested, hardware_dir):
    journal, _ = run(attested, hardware_dir, "absent.enc", None)
    assert model_key(attested).hex() not in repr(journal)
    assert repr(model_key(attested))[2:-1] not in repr(journal)


@pytest.mark.parametrize(
    ("change", "member"),
    [
        ({"verifier": "verifier.test"}, "verifier"),
        ({"resource": "llm"}, "resource"),
        ({"artefact": {"account": "../etc", "container": "models", "blob": "x"}}, "artefact.account"),
        ({"artefact": {"account": "abc", "container": "models", "blob": "../x"}}, "artefact.blob"),
        ({"role": "verifier"}, "role"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_a_wrong_configuration_names_the_member(change, member):
    with pytest.raises(ConfigError, match=rf"{member}: "):
        parse(json.dumps(workload_config(**change)).encode())
