"""The evidence bundle: what verifies, and that nothing in it can be changed, left out, exchanged or invented."""

import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.verifier.emulated_site import DEK, PASSPHRASE, RESOURCE, Guest, Site
from verifier import canonical, dsse, jwk
from verifier.broker import app, service
from verifier.broker.service import token_keys, token_signer
from verifier.ear import TokenSigner
from verifier.evidence import BundleInputs, Verification, build, collect, to_bytes, verify
from verifier.evidence import bundle as bundles
from verifier.evidence.bundle import KINDS, digest_of
from verifier.keystore import open_signer
from verifier.signer import SoftwareSigner, fingerprint, public_key_pem

SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "plaintext": '"planted-secret"'}


@dataclass
class Export:
    """One export, and how its auditor checks it."""

    inputs: BundleInputs
    signer: SoftwareSigner

    @property
    def file(self) -> bytes:
        return to_bytes(build(self.inputs, self.signer))

    def verify(self, content: bytes | dict[str, Any], **arguments: Any) -> Verification:
        defaults: dict[str, Any] = {
            "trusted_key": public_key_pem(self.signer.public_key),
            "at": self.inputs.created_at + timedelta(days=400),
            "sandbox_root": self.inputs.sandbox_root,
        }
        return verify(content, **defaults | arguments)

    def but(self, **changes: Any) -> "Export":
        return replace(self, inputs=replace(self.inputs, **changes))


def deployed(site: Site, *guests: Guest, refused: Guest) -> BundleInputs:
    """What a stack's export gathers after guests got their keys and one was refused."""
    for guest in guests:
        client = site.replica()
        guest.token(client)
        assert client.get(f"/kbs/v0/resource/{RESOURCE}").status_code == 200
    assert refused.attest(site.replica()).status_code == 401
    dependency = {
        "kind": "keys",
        "name": "vault",
        "endpoint": "https://vault.example",
        "location": "germanywestcentral",
        "operator": "Example",
        "jurisdiction": "DE",
        "legalReach": ["DE"],
        "carries": "keys",
        "source": "catalogue",
    }
    return BundleInputs(
        stack="azure-germany",
        engine="local",
        created_at=site.now + timedelta(minutes=1),
        commit={"sha": "0" * 40, "dirty": False},
        config={"bailiwick:location": "germanywestcentral", "token": SECRET},
        resources=[
            {"urn": "urn:1", "type": "t", "name": "n", "inputs": {"size": 2.0, "ratio": 0.5, "password": SECRET}}
        ],
        verdicts=[{"rule": "KEY-01", "urn": "urn:1", "level": "mandatory", "status": "pass", "message": ""}],
        jurisdiction="DE",
        inside=["DE"],
        dependencies=[dependency, dependency | {"jurisdiction": "US", "carries": "metadata", "name": "arm"}],
        configurations=[site.config.model_dump(mode="json")],
        token_keys=token_keys(site.keystore),
        keystore={"is_hsm": True, "description": "a test's HSM"},
        sandbox_root=site.pki.roots.decode(),
        **collect(site.log),
    )


@pytest.fixture
def export(site: Site, guest: Guest) -> Export:
    return Export(deployed(site, guest, refused=guest.but(vmpl=3)), SoftwareSigner.generate())


def failed(outcome: Verification) -> list[str]:
    return [check.name for check in outcome.failures]


def test_an_untouched_bundle_verifies_long_after_its_tokens_expired(export: Export) -> None:
    outcome = export.verify(export.file)
    assert outcome.ok, outcome.failures
    assert outcome.stack == "azure-germany"
    details = {check.name: check.detail for check in outcome.checks}
    assert details["log.receipts"] == "all 3 entries of bailiwick.internal/log, 1 of them refusals"
    assert details["releases.bound"] == "1 release"
    assert details["hardware.evidence"] == "reports verify up to the pinned root: sandbox"
    assert details["jurisdiction.graph"] == "dependencies inside DE: 1; outside, with metadata only: 1"
    assert [check.name for check in outcome.checks if check.status == "warning"] == ["hardware.emulated"]


def test_the_signer_can_be_pinned_by_fingerprint(export: Export) -> None:
    pin = fingerprint(export.signer.public_key)
    spelled = "SHA256:" + ":".join(pin[index : index + 2] for index in range(0, 64, 2)).upper()
    assert export.verify(export.file, trusted_key=pin).ok
    assert export.verify(export.file, trusted_key=spelled).ok


@pytest.mark.parametrize(
    ("key", "reason"),
    [(None, "anyone could have made this bundle"), (SoftwareSigner.generate(), "not by the trusted key")],
)
def test_a_signer_that_the_auditor_does_not_know_fails(export: Export, key: SoftwareSigner | None, reason: str) -> None:
    outcome = export.verify(export.file, trusted_key=key and public_key_pem(key.public_key))
    assert not outcome.ok
    assert failed(outcome) == ["bundle.signer"]
    assert outcome.only_unpinned is (key is None)
    assert reason in outcome.failures[0].detail


def test_emulated_hardware_fails_unless_its_root_is_given(export: Export) -> None:
    outcome = export.verify(export.file, sandbox_root=None)
    assert failed(outcome) == ["hardware.evidence"]
    assert "its root was not given to this check" in outcome.failures[0].detail
    assert export.verify(export.file, sandbox_root=None, emulated=True).ok
    strict = export.verify(resigned(export, "verifier", distrust_emulated), sandbox_root=None)
    assert failed(strict) == ["hardware.evidence"]
    assert "its root was not given to this check" not in strict.failures[0].detail
    unnamed = export.but(sandbox_root=None)
    assert unnamed.verify(unnamed.file, sandbox_root=export.inputs.sandbox_root, emulated=True).ok


def test_every_changed_byte_fails(export: Export) -> None:
    content = export.file

    @settings(max_examples=300, deadline=None, derandomize=True)
    @given(st.integers(0, len(content) - 1), st.integers(1, 255))
    def change(position: int, mask: int) -> None:
        changed = bytearray(content)
        changed[position] ^= mask
        assert not export.verify(bytes(changed)).ok

    change()


def test_every_byte_around_the_payloads_fails_when_changed(export: Export) -> None:
    """Payloads are under signatures; what is around the first one (names, key, key id, signature) is tried in full."""
    content = export.file
    start = content.index(b'"payload":"') + 12
    around = (*range(start), *range(content.index(b'"', start), content.index(b'"statements"') + 20))
    for position in around:
        changed = bytearray(content)
        changed[position] ^= 1
        assert not export.verify(bytes(changed)).ok, content[position - 20 : position + 20]


@pytest.mark.parametrize("change", [b" ", b"\n", b"\0"])
def test_a_byte_more_fails(export: Export, change: bytes) -> None:
    assert failed(export.verify(export.file + change)) == ["bundle.form"]
    assert failed(export.verify(change + export.file)) == ["bundle.form"]


def test_a_file_that_was_written_again_fails(export: Export) -> None:
    assert failed(export.verify(json.dumps(json.loads(export.file), indent=1).encode())) == ["bundle.form"]


@pytest.mark.parametrize("kind", KINDS)
def test_no_statement_can_be_left_out(export: Export, kind: str) -> None:
    bundle = build(export.inputs, export.signer)
    del bundle["statements"][KINDS.index(kind)]
    assert failed(export.verify(bundle)) == ["bundle.form"]


def test_a_statement_of_another_bundle_of_the_same_signer_is_not_accepted(export: Export) -> None:
    bundle = build(export.inputs, export.signer)
    other = build(export.but(verdicts=[]).inputs, export.signer)
    bundle["statements"][KINDS.index("policy")] = other["statements"][KINDS.index("policy")]
    outcome = export.verify(bundle)
    assert "the manifest does not list these statements" in outcome.failures[0].detail


def test_the_other_form_of_a_signature_is_not_accepted(export: Export) -> None:
    order = int("ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973", 16)
    bundle = build(export.inputs, export.signer)
    signature = bundle["manifest"]["signatures"][0]
    r, s = decode_dss_signature(base64.b64decode(signature["sig"]))
    signature["sig"] = base64.b64encode(encode_dss_signature(r, order - s)).decode()
    assert dsse.verify(bundle["manifest"], [export.signer.public_key])
    assert "smaller of its two forms" in export.verify(bundle).failures[0].detail


def test_a_second_signature_is_not_accepted(export: Export) -> None:
    bundle = build(export.inputs, export.signer)
    bundle["manifest"]["signatures"] *= 2
    assert "one signature" in export.verify(bundle).failures[0].detail


def resigned(export: Export, kind: str, change: Callable[[dict[str, Any]], None]) -> bytes:
    """A bundle whose signer lies: one predicate changed, everything signed again with the genuine key."""
    original = bundles._predicates

    def lying(inputs: BundleInputs) -> dict[str, dict[str, Any]]:
        predicates: dict[str, dict[str, Any]] = canonical.parse_object(canonical.encode(original(inputs)))
        change(predicates[kind])
        return predicates

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bundles, "_predicates", lying)
        return export.file


def distrust_emulated(predicate: dict[str, Any]) -> None:
    predicate["configurations"][0].update(trust_anchors=["amd"])


def result_problems(export: Export, change: Callable[[dict[str, Any]], None]) -> str:
    """What is said of the results when a signer lies about the first."""
    outcome = export.verify(resigned(export, "attestation", lambda predicate: change(predicate["results"][0])))
    return next(check.detail for check in outcome.failures if check.name == "attestation.results")


def test_each_digest_of_a_result_is_of_what_it_says(export: Export) -> None:
    def exchange(result: dict[str, Any]) -> None:
        result["evidence"]["runtime-data"].update(nonce="other")
        result["evidence_digest"] = digest_of(result["evidence"])

    assert "is not the token it stands for" in result_problems(export, lambda it: it.update(result_digest="0" * 64))
    of_evidence = result_problems(export, lambda it: it.update(evidence_digest="0" * 64))
    assert of_evidence.endswith("the evidence is not what its digest says")
    assert result_problems(export, exchange).endswith("is about other evidence")


def test_a_result_of_the_verifier_s_own_that_does_not_affirm_fails(export: Export, site: Site) -> None:
    def worsen(result: dict[str, Any]) -> None:
        claims = canonical.parse_object(jwk.decode(result["result"].split(".")[1]))
        token = TokenSigner(token_signer(site.keystore)).sign(canonical.encode(claims | {"ear.status": "warning"}))
        result.update(result=token, result_digest=hashlib.sha256(token.encode()).hexdigest())

    assert "… is warning; " in result_problems(export, worsen)


def drop_refusal(predicate: dict[str, Any]) -> None:
    predicate["receipts"] = [item for item in predicate["receipts"] if item["entry"]["decision"] == "allow"]


def entry_of(predicate: dict[str, Any], event: str) -> dict[str, Any]:
    entries = (receipt["entry"] for receipt in predicate["receipts"])
    return next(entry for entry in entries if entry["event"] == event)


@pytest.mark.parametrize(
    ("kind", "change", "check"),
    [
        ("receipts", drop_refusal, "log.receipts"),
        ("receipts", lambda predicate: predicate["receipts"].reverse(), "log.receipts"),
        ("receipts", lambda predicate: entry_of(predicate, "release").update(kek="other"), "log.receipts"),
        ("receipts", lambda predicate: entry_of(predicate, "release").update(guest_key="other"), "releases.bound"),
        (
            "receipts",
            lambda predicate: entry_of(predicate, "release").update(measurement="00" * 48),
            "hardware.evidence",
        ),
        (
            "receipts",
            lambda predicate: entry_of(predicate, "release").update(time="2030-01-01T00:00:00Z"),
            "releases.bound",
        ),
        ("receipts", lambda predicate: predicate.update(origin="elsewhere"), "log.receipts"),
        ("attestation", lambda predicate: predicate.update(results=[]), "hardware.evidence"),
        (
            "attestation",
            lambda predicate: predicate["results"][0]["evidence"]["runtime-data"].update(nonce="other"),
            "attestation.results",
        ),
        ("attestation", lambda predicate: predicate["results"][0].update(result="a.b.c"), "attestation.results"),
        (
            "attestation",
            lambda predicate: predicate["results"][0].update(result_digest="0" * 64),
            "attestation.results",
        ),
        ("attestation", lambda predicate: predicate["results"][0].update(evidence_digest="0" * 64), "releases.bound"),
        (
            "verifier",
            lambda predicate: predicate["configurations"][0]["resources"][0].update(path="default/other/key"),
            "hardware.evidence",
        ),
        (
            "verifier",
            lambda predicate: predicate["configurations"][0]["resources"][0]["policy"].update(debug=True),
            "hardware.evidence",
        ),
        ("verifier", lambda predicate: predicate["configurations"][0].update(reference_values=[]), "hardware.evidence"),
        ("verifier", lambda predicate: predicate.update(configurations=[]), "hardware.evidence"),
        ("verifier", lambda predicate: predicate["keys"].update(token=predicate["keys"]["log"]), "attestation.results"),
        ("verifier", lambda predicate: predicate["keys"].update(log=predicate["keys"]["token"]), "log.receipts"),
        ("verifier", lambda predicate: predicate["keys"].pop("log"), "statements.form"),
        ("policy", lambda predicate: predicate["verdicts"][0].update(status="fail"), "policy.verdicts"),
        ("policy", lambda predicate: predicate["verdicts"][0].update(status="unknown"), "policy.verdicts"),
        ("policy", lambda predicate: predicate["verdicts"].clear(), "policy.verdicts"),
        ("jurisdiction", lambda predicate: predicate["dependencies"][1].update(carries="keys"), "jurisdiction.graph"),
        ("jurisdiction", lambda predicate: predicate["dependencies"][1].pop("carries"), "jurisdiction.graph"),
        ("jurisdiction", lambda predicate: predicate["dependencies"].clear(), "jurisdiction.graph"),
        ("jurisdiction", lambda predicate: predicate.update(inside=[]), "jurisdiction.graph"),
        ("deployment", lambda predicate: predicate.update(created_at="2999-01-01T00:00:00Z"), "bundle.date"),
        ("deployment", lambda predicate: predicate.update(stack="other"), None),
        ("deployment", lambda predicate: predicate.pop("created_at"), "statements.form"),
    ],
)
def test_statements_must_agree_even_when_their_signer_lies(
    export: Export, kind: str, change: Callable[[dict[str, Any]], None], check: str | None
) -> None:
    outcome = export.verify(resigned(export, kind, change))
    assert outcome.checks[0].status == "pass", outcome.checks[0]
    if check is None:
        assert failed(outcome) == ["bundle.subject"]
    else:
        assert check in failed(outcome)


def test_receipts_without_a_verifier_are_not_nothing(export: Export) -> None:
    bare = export.but(configurations=[], attestations=[])
    assert set(failed(bare.verify(bare.file))) >= {"hardware.evidence", "releases.bound"}


def test_missing_facts_are_told_and_do_not_fail(export: Export) -> None:
    changed = export.but(commit=None, keystore={"is_hsm": False, "description": "files"})
    outcome = changed.verify(changed.file)
    assert outcome.ok
    warnings = {check.name for check in outcome.checks if check.status == "warning"}
    assert warnings >= {"stack.commit", "keys.hsm"}
    dirty = export.but(commit={"sha": "1" * 40, "dirty": True})
    assert any("not committed" in check.detail for check in dirty.verify(dirty.file).checks)


def test_secrets_are_replaced_before_anything_is_signed(export: Export) -> None:
    payloads = [base64.b64decode(envelope["payload"]) for envelope in build(export.inputs, export.signer)["statements"]]
    for haystack in (export.file, *payloads):
        for secret in (b"planted-secret", DEK, DEK.hex().encode(), PASSPHRASE.encode()):
            assert secret not in haystack
    inputs = canonical.parse_object(payloads[KINDS.index("inputs")])["predicate"]
    assert inputs["config"]["token"] == "[secret]"
    assert inputs["resources"][0]["inputs"] == {"size": 2, "ratio": "0.5", "password": "[secret]"}
    assert digest_of(inputs) in payloads[0].decode()


def test_results_of_a_region_s_former_key_stay_good(site: Site, guest: Guest, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as formerly:
        for module in (app, service):
            formerly.setattr(module, "token_signer", lambda keystore: open_signer(keystore, "verifier-token"))
        inputs = deployed(site, guest, refused=guest.but(vmpl=3))
    token_signer(site.keystore)
    export = Export(inputs, SoftwareSigner.generate()).but(token_keys=token_keys(site.keystore))
    assert export.inputs.token_keys.keys() == {"token", "former-token"}
    assert export.verify(export.file).ok
    forgetful = export.but(token_keys={"token": export.inputs.token_keys["token"]})
    assert "attestation.results" in failed(forgetful.verify(forgetful.file))


def test_a_key_of_the_key_store_signs(export: Export, site: Site) -> None:
    signer = open_signer(site.keystore, "evidence")
    content = to_bytes(build(export.inputs, signer))
    assert export.verify(content, trusted_key=fingerprint(signer.public_key)).ok


@given(st.binary(max_size=300))
def test_any_file_is_refused_without_an_exception(content: bytes) -> None:
    outcome = verify(content, trusted_key=None, at=datetime(2026, 9, 1, tzinfo=UTC))
    assert [check.name for check in outcome.checks] == ["bundle.form"]
    assert not outcome.ok
