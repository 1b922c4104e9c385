"""What Google's vTPMs say, as go-tpm-tools writes it: a genuine quote and log under a fake authority's certificate."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from tests.verifier.collateral.test_google import field
from tests.verifier.fake_x509 import FakeCertificate, FakeExtension, integer, tlv
from tests.verifier.google.test_attestation_key import AT, INSTANCE, SIGNS_DATA, WORLD, instance
from tests.verifier.tpm.genuine import CAPTURED, REPOSITORY, Captured
from verifier import tpm
from verifier.appraisal import AppraisalPolicy, Tier, google_vtpm
from verifier.appraisal.google_policy import GooglePolicy
from verifier.command import ExitCode, verify_files
from verifier.errors import MalformedEvidence
from verifier.google import vtpm
from verifier.library import parse, verify
from verifier.pki import Certificate
from verifier.tpm import layout
from verifier.trust import TrustAnchor, TrustStore
from verifier.verdict import Verdict

GENUINE = CAPTURED["gce-cos-85-nonce-sha256"]
NO_NONCE = CAPTURED["gce-cos-85-no-nonce-sha256"]
MESSAGES = REPOSITORY / "tests" / "evidence" / "google"
BANKS = {"sha1": layout.SHA1, "sha256": layout.SHA256, "sha384": layout.SHA384}
PRODUCTION = tlv(0xA0, tlv(0x30, tlv(0xA0, integer(1)), tlv(0xA1, tlv(0x01, b"\xff"))))
POLICY = AppraisalPolicy(google=GooglePolicy(pcrs={4: {GENUINE.pcrs[layout.SHA256][4].hex()}}))
NONCE = bytes.fromhex(GENUINE.entry["nonce"])


def quote(captured: Captured, of: str, **changes: Any) -> bytes:
    """One quote, as its message; `changes` are parts to write in place of the genuine ones."""
    values = captured.pcrs.get(BANKS[of], {}) | changes.get("pcrs", {})
    entries = b"".join(
        field(2, (field(1, register) if register else b"") + field(2, value)) for register, value in values.items()
    )
    message = changes.get("message", (captured.folder / f"{of}.msg").read_bytes())
    signature = changes.get("signature", (captured.folder / f"{of}.sig").read_bytes())
    listed = field(3, field(1, changes.get("bank", BANKS[of])) + entries + changes.get("more", b""))
    return field(2, field(1, message) + field(2, signature) + (b"" if changes.get("bare") else listed))


def certificate(security: bytes = PRODUCTION) -> FakeCertificate:
    """The fake authority's, for the genuine attestation key."""
    extensions = (SIGNS_DATA, FakeExtension(INSTANCE, instance(security)))
    return replace(WORLD.leaf, key=GENUINE.key, extensions=extensions)


@dataclass(frozen=True)
class Attestation:
    """The fields of a message, which a test replaces; b"" leaves one out."""

    key: bytes = field(1, b"\0\1 what its sender calls the key")
    quotes: bytes = quote(GENUINE, "sha1") + quote(GENUINE, "sha256") + quote(GENUINE, "sha384")
    log: bytes = field(3, GENUINE.event_log)
    certificate: bytes = field(6, certificate().encode())
    more: bytes = b""

    @cached_property
    def encoded(self) -> bytes:
        return self.key + self.quotes + self.log + self.certificate + self.more

    def verdict(self, policy: AppraisalPolicy = POLICY, nonce: bytes | None = NONCE, **options: Any) -> Verdict:
        options = {"at": AT, "trust": trust()} | options
        return verify(self.encoded, policy, None, options["at"], nonce=nonce, trust=options["trust"])


def message(name: str) -> bytes:
    """A genuine message of 2021."""
    return (MESSAGES / f"{name}.binarypb").read_bytes()


def against_genuine(name: str, nonce: bytes, at: datetime = AT) -> list[str]:
    """What keeps a genuine message from being affirmed, under the roots that ship."""
    verdict = verify(message(name), POLICY, None, at, nonce=nonce)
    return [claim.name for claim in verdict.claims if claim.tier > Tier.AFFIRMING]


def trust() -> TrustStore:
    anchor = TrustAnchor("google", frozenset({"google-ak"}), Certificate.parse(WORLD.root.encode()))
    return TrustStore([anchor], [Certificate.parse(WORLD.intermediate.encode())])


GOOD = Attestation()


def failed(attestation: Attestation, **options: Any) -> str:
    verdict = attestation.verdict(**options)
    assert verdict.failure is not None
    assert verdict.result is not None
    assert verdict.result.submods.keys() == {"vtpm"}
    return verdict.failure.check


def against(attestation: Attestation = GOOD, nonce: bytes | None = NONCE, **google: Any) -> list[str]:
    policy = POLICY.model_copy(update={"google": POLICY.google.model_copy(update=google)})
    return [claim.name for claim in attestation.verdict(policy, nonce).claims if claim.tier > Tier.AFFIRMING]


def test_a_genuine_quote_and_log_of_a_certified_key_are_affirmed() -> None:
    verdict = GOOD.verdict()
    assert verdict.acceptable
    claims = {claim.name: claim for claim in verdict.claims}
    assert claims["attestation-key"].value == "name"
    assert claims["secure-boot"].value == "on"
    assert claims["platform"].tier is Tier.NONE


@pytest.mark.parametrize(("name", "captured"), [("vtpm-nonce", GENUINE), ("vtpm-no-nonce", NO_NONCE)])
def test_the_genuine_messages_have_the_parts_that_the_index_states(name: str, captured: Captured) -> None:
    found = parse(message(name))
    assert isinstance(found, tpm.VtpmAttestation)
    of_bank = {it.bank: it for it in found.quotes}
    assert of_bank[layout.SHA256].quote.signed == captured.quote
    assert of_bank[layout.SHA256].pcrs == {layout.SHA256: captured.pcrs[layout.SHA256]}


def test_a_genuine_message_is_affirmed_for_the_nonce_that_it_was_asked_with() -> None:
    """Under the pinned root of its time; without the certificate's validity it is nothing."""
    assert against_genuine("vtpm-nonce", bytes.fromhex("9009")) == []
    assert against_genuine("vtpm-nonce", bytes.fromhex("9010")) == ["nonce"]
    assert against_genuine("vtpm-no-nonce", bytes.fromhex("9009")) == ["nonce"]
    for year in (2021, 2052):
        assert against_genuine("vtpm-nonce", bytes.fromhex("9009"), datetime(year, 8, 30, tzinfo=UTC)) == [
            "ak.leaf.validity"
        ]


class TestChecks:
    """Each fails alone."""

    def test_no_certificate(self) -> None:
        assert failed(replace(GOOD, certificate=b"")) == "ak.missing"

    def test_a_root_that_is_not_pinned(self) -> None:
        assert failed(GOOD, trust=TrustStore.production()) == "ak.chain"

    def test_a_certificate_that_has_expired(self) -> None:
        assert failed(GOOD, at=AT + timedelta(days=2)) == "ak.leaf.validity"

    def test_a_certificate_of_another_key(self) -> None:
        other = replace(certificate(), key=WORLD.leaf.key)
        assert failed(replace(GOOD, certificate=field(6, other.encode()))) == "tpm.signature"

    def test_the_signature_of_another_quote(self) -> None:
        other = quote(GENUINE, "sha256", signature=NO_NONCE.signature)
        assert failed(replace(GOOD, quotes=other)) == "tpm.signature"

    def test_no_quote_of_the_bank_that_counts(self) -> None:
        others = quote(GENUINE, "sha1") + quote(GENUINE, "sha384")
        assert failed(replace(GOOD, quotes=others)) == "tpm.pcr-bank"

    def test_a_quote_that_is_called_another_banks(self) -> None:
        called = quote(GENUINE, "sha384", bank=layout.SHA256)
        assert failed(replace(GOOD, quotes=called)) == "tpm.pcr-missing"

    def test_a_register_that_was_changed(self) -> None:
        changed = quote(GENUINE, "sha256", pcrs={4: bytes(32)})
        assert failed(replace(GOOD, quotes=changed)) == "tpm.pcr-digest"

    def test_a_log_that_does_not_replay(self) -> None:
        log = bytearray(GENUINE.event_log)
        digest = next(it.digests[layout.SHA256] for it in parse_log() if it.register == 4 and it.kind != 4)
        log[log.index(digest)] ^= 1
        assert failed(replace(GOOD, log=field(3, bytes(log)))) == "event-log.pcr4"


def parse_log() -> Any:
    attestation = parse(GOOD.encoded)
    assert isinstance(attestation, tpm.VtpmAttestation)
    assert attestation.log is not None
    return attestation.log.extended()


class TestClaims:
    """Each is the only one against."""

    @pytest.mark.parametrize("nonce", [b"another", b"", None])
    def test_another_nonce(self, nonce: bytes | None) -> None:
        assert against(nonce=nonce) == ["nonce"]

    def test_a_quote_without_a_nonce(self) -> None:
        quotes = quote(NO_NONCE, "sha256")
        assert against(replace(GOOD, quotes=quotes), nonce=b"") == ["nonce"]

    def test_another_project(self) -> None:
        assert against(projects=frozenset({"another"})) == ["project"]
        assert against(projects=frozenset({"project"})) == []

    def test_an_instance_that_is_not_called_a_production_one(self) -> None:
        assert against(replace(GOOD, certificate=field(6, certificate(b"").encode()))) == ["production"]

    def test_another_boot_loader(self) -> None:
        assert against(pcrs={4: frozenset({"5c" * 32})}) == ["pcr4"]

    def test_no_listed_registers(self) -> None:
        assert against(pcrs=None) == ["pcrs"]

    def test_no_log_that_says_whether_secure_boot_is_on(self) -> None:
        without = replace(GOOD, log=b"")
        assert against(without) == ["secure-boot"]
        assert against(without, require_secure_boot=False) == []
        (claim,) = (it for it in without.verdict().claims if it.name == "secure-boot")
        assert claim.value == "not known"

    def test_secure_boot_that_is_off(self) -> None:
        verified = GOOD.verdict().verified
        assert isinstance(verified, vtpm.VerifiedVtpm)
        result = google_vtpm.appraise(replace(verified, measured_secure_boot=False), POLICY, nonce=NONCE)
        (claim,) = result.submods["vtpm"].against()
        assert (claim.name, claim.value) == ("secure-boot", "off")


@pytest.mark.parametrize(
    ("attestation", "reason"),
    [
        (replace(GOOD, more=field(1, b"key")), "field 1 occurs 2 times"),
        (replace(GOOD, quotes=b""), "0 quotes"),
        (replace(GOOD, quotes=quote(GENUINE, "sha256") * 2), "2 quotes, one for each of several banks"),
        (replace(GOOD, quotes=quote(GENUINE, "sha256", bare=True)), "without its PCRs"),
        (replace(GOOD, quotes=quote(GENUINE, "sha256", bank=5)), "bank 0x0005"),
        (replace(GOOD, quotes=quote(GENUINE, "sha256", pcrs={24: bytes(32)})), "PCR 24"),
        (replace(GOOD, quotes=quote(GENUINE, "sha256", more=field(2, field(2, bytes(32))))), "comes twice"),
        (replace(GOOD, quotes=quote(GENUINE, "sha256", message=b"none")), "magic number"),
        (replace(GOOD, quotes=quote(GENUINE, "sha256", signature=b"none")), "scheme"),
        (replace(GOOD, log=field(3, b"none")), "first event"),
        (replace(GOOD, log=field(3, bytes(vtpm.MAX_ATTESTATION_BYTES))), "at most 524288"),
    ],
)
def test_what_is_malformed(attestation: Attestation, reason: str) -> None:
    with pytest.raises(MalformedEvidence) as error:
        parse(attestation.encoded)
    assert reason in error.value.reason


def test_the_command_tells_it_by_its_first_byte(tmp_path: Path) -> None:
    (tmp_path / "attestation.pb").write_bytes(GOOD.encoded)
    (tmp_path / "policy.yaml").write_text(f"google: {{pcrs: {{4: [{GENUINE.pcrs[layout.SHA256][4].hex()}]}}}}\n")
    options: dict[str, Any] = {"at": AT, "policy": tmp_path / "policy.yaml", "nonce": NONCE, "trust": trust()}
    verdict = verify_files(tmp_path / "attestation.pb", None, **options)
    assert verdict.exit_code is ExitCode.AFFIRMING, verdict.summary
    with_values = verify_files(
        tmp_path / "attestation.pb", None, **options, reference_values=[tmp_path / "values.json"]
    )
    assert "google.pcrs" in (with_values.error or "")
    (tmp_path / "attestation.pb").write_bytes(GOOD.encoded[:-1])
    assert verify_files(tmp_path / "attestation.pb", None, **options).exit_code is ExitCode.UNUSABLE_INPUT
