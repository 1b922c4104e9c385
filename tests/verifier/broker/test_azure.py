"""Azure's guests at the broker: the CPU vouches for the vTPM, the vTPM for nonce, key and image."""

import base64
import dataclasses
import hashlib
import shutil
import struct
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_der_x509_certificate

from sandbox.hardware import Measured, SandboxPki
from tests.verifier.emulated_azure import (
    APPLICATION,
    KERNEL,
    SETUP,
    AzureGuest,
    AzureTdGuest,
    admit_azure,
    reference_values,
    urlsafe,
)
from tests.verifier.emulated_site import DEK, PRODUCTION, RESOURCE, Client, Guest, Refused, Site
from verifier import canonical, jwk
from verifier.broker.azure_evidence import AzTdxEvidence
from verifier.broker.problem import Refusal
from verifier.broker.protocol import Evidence
from verifier.signer import SoftwareSigner, public_key_pem

PATH = f"/kbs/v0/resource/{RESOURCE}"


@pytest.fixture
def client(site: Site) -> Client:
    admit_azure(site)
    return site.replica()


@pytest.fixture
def vm(pki: SandboxPki) -> AzureGuest:
    return AzureGuest(pki, ec.generate_private_key(ec.SECP256R1()))


@pytest.fixture
def td(pki: SandboxPki) -> AzureTdGuest:
    return AzureTdGuest(pki, ec.generate_private_key(ec.SECP256R1()))


def claims(token: str) -> dict[str, Any]:
    return canonical.parse_object(jwk.decode(token.split(".")[1]))


def policy_claims(token: str, submodule: str) -> dict[str, Any]:
    found: dict[str, Any] = claims(token)["submods"][submodule]["ear.veraison.policy-claims"]
    return found


def decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text)


class Forgery:
    """One attestation whose evidence is changed before it is sent."""

    def __init__(self, client: Client, guest: AzureGuest) -> None:
        self.client, self.guest = client, guest

    def send(self, change: Callable[[dict[str, Any]], None]) -> Any:
        message = self.guest.message(self.guest.auth(self.client))
        change(message["tee-evidence"]["primary_evidence"])
        return self.client.post("/kbs/v0/attest", json=message)


@pytest.mark.parametrize("kind", ["snp", "tdx"])
def test_a_guest_gets_the_key_on_the_word_of_its_vtpm(
    client: Client, vm: AzureGuest, td: AzureTdGuest, kind: str
) -> None:
    guest = vm if kind == "snp" else td
    token = guest.token(client)
    assert guest.open(client.get(PATH).json()) == DEK
    found = claims(token)
    assert (found["tee"], set(found["submods"])) == (f"az-{kind}-vtpm", {"cpu", "vtpm"})
    assert {part["ear.status"] for part in found["submods"].values()} == {"affirming"}
    assert policy_claims(token, "cpu")["measurement"]["reference"] == "azure-paravisor-1.0.0"
    assert policy_claims(token, "vtpm")["pcrs"]["reference"] == "inference-guest-1.0.0"


def test_receipts_say_what_was_measured_and_with_what_a_td_was_judged(
    site: Site, client: Client, vm: AzureGuest, td: AzureTdGuest
) -> None:
    vm.token(client)
    td.token(site.replica())
    first, second = site.entries()
    assert [entry["tee"] for entry in (first, second)] == ["az-snp-vtpm", "az-tdx-vtpm"]
    assert {first["measurement"], second["measurement"]} == {vm.paravisor.hex()}
    assert first["collateral_digest"] is None
    assert site.log.archive.digests("collateral") == [second["collateral_digest"]]
    assert any(reason.startswith("pcrs: the PCRs are inference-guest-1.0.0's") for reason in first["reasons"])


def test_evidence_of_guest_components_without_a_version_and_of_version_2(client: Client, vm: AzureGuest) -> None:
    def unversioned(primary: dict[str, Any]) -> None:
        quote, report, vcek = (primary.pop(name) for name in ("tpm_quote", "hcl_report", "vcek"))
        del primary["version"]
        primary["quote"] = {
            "message": list(bytes.fromhex(quote["message"])),
            "signature": list(bytes.fromhex(quote["signature"])),
            "pcrs": [list(bytes.fromhex(value)) for value in quote["pcrs"]],
        }
        primary["report"] = list(decoded(report))
        primary["vcek"] = load_der_x509_certificate(decoded(vcek)).public_bytes(Encoding.PEM).decode()

    assert Forgery(client, vm).send(unversioned).status_code == 200
    assert Forgery(client, vm).send(lambda primary: primary.update(version=2)).status_code == 200


def test_a_td_of_guest_components_without_a_version(client: Client, td: AzureTdGuest) -> None:
    def unversioned(primary: dict[str, Any]) -> None:
        del primary["version"]
        primary |= {name: list(decoded(primary[name])) for name in ("hcl_report", "td_quote")}
        quote = primary["tpm_quote"]
        quote |= {name: list(bytes.fromhex(quote[name])) for name in ("message", "signature")}
        quote["pcrs"] = [list(bytes.fromhex(value)) for value in quote["pcrs"]]

    def in_place(primary: dict[str, Any]) -> None:
        changed = dict(primary)
        unversioned(changed)
        primary.clear()
        primary.update(changed)

    assert Forgery(client, td).send(in_place).status_code == 200


def test_what_is_archived_reads_back_to_the_same_evidence(site: Site, client: Client, td: AzureTdGuest) -> None:
    td.token(client)
    (digest,) = site.log.archive.digests("evidence")
    content = site.log.archive.get("evidence", digest)
    assert Evidence.from_json(content).to_json() == content
    assert hashlib.sha256(content).hexdigest() == digest


# The chain, link by link


def test_another_nonce_or_another_key_in_the_quote(client: Client, vm: AzureGuest, refused: Refused) -> None:
    message = vm.message(vm.auth(client))
    message["tee-evidence"]["primary_evidence"] = vm.evidence("", vm.digest("another nonce"))
    refused(client.post("/kbs/v0/attest", json=message), 401, "the vTPM's nonce is not the hash of this nonce and key")
    other = vm.but(private_key=ec.generate_private_key(ec.SECP256R1()))
    message = vm.message(nonce := vm.auth(client))
    message["tee-evidence"]["primary_evidence"] = other.evidence(nonce)
    refused(client.post("/kbs/v0/attest", json=message), 401, "report-data")


def test_a_nonce_with_something_after_it(client: Client, vm: AzureGuest, refused: Refused) -> None:
    message = vm.message(nonce := vm.auth(client))
    message["tee-evidence"]["primary_evidence"] = vm.evidence("", vm.digest(nonce) + bytes(16))
    refused(client.post("/kbs/v0/attest", json=message), 401, "report-data")


def test_the_quote_of_another_vms_vtpm(client: Client, vm: AzureGuest, refused: Refused) -> None:
    message = vm.message(nonce := vm.auth(client))
    message["tee-evidence"]["primary_evidence"]["tpm_quote"] = vm.evidence(nonce)["tpm_quote"]
    refused(client.post("/kbs/v0/attest", json=message), 401, "tpm.signature")


def test_pcrs_that_are_not_those_of_the_quote(client: Client, vm: AzureGuest, refused: Refused) -> None:
    def change(primary: dict[str, Any]) -> None:
        primary["tpm_quote"]["pcrs"][11] = "00" * 32

    refused(Forgery(client, vm).send(change), 401, "tpm.pcr-digest")


def test_runtime_claims_that_the_cpu_did_not_sign(client: Client, vm: AzureGuest, refused: Refused) -> None:
    def change(primary: dict[str, Any]) -> None:
        report = decoded(primary["hcl_report"])
        primary["hcl_report"] = urlsafe(report.replace(b'"console-enabled":true', b'"console-enabled":null'))

    refused(Forgery(client, vm).send(change), 401, "hcl.binding")


def test_a_report_that_another_chip_signed(client: Client, vm: AzureGuest, refused: Refused) -> None:
    other = vm.but(host="another host").evidence("nonce")["vcek"]
    refused(Forgery(client, vm).send(lambda primary: primary.update(vcek=other)), 401, "chip-id")


def test_the_td_quote_of_another_vm(client: Client, td: AzureTdGuest, refused: Refused) -> None:
    other = td.evidence("nonce")["td_quote"]
    refused(Forgery(client, td).send(lambda primary: primary.update(td_quote=other)), 401, "td-quote.report-data")


def test_an_hcl_report_of_the_other_hardware(
    client: Client, vm: AzureGuest, td: AzureTdGuest, refused: Refused
) -> None:
    of_td, of_vm = td.evidence("nonce")["hcl_report"], vm.evidence("nonce")["hcl_report"]
    refused(Forgery(client, vm).send(lambda primary: primary.update(hcl_report=of_td)), 401, "endorsement.kind")
    refused(Forgery(client, td).send(lambda primary: primary.update(hcl_report=of_vm)), 401, "endorsement.kind")


def test_an_event_log_that_does_not_replay(client: Client, vm: AzureGuest, refused: Refused) -> None:
    other = vm.but(booted=(KERNEL, Measured(11, 0x0D, b"what the log claims"))).evidence("nonce")["cc_eventlog"]
    refused(Forgery(client, vm).send(lambda primary: primary.update(cc_eventlog=other)), 401, "event-log.pcr11")


def test_without_collateral_for_the_td(site: Site, client: Client, td: AzureTdGuest, refused: Refused) -> None:
    shutil.rmtree(site.collateral)
    refused(td.attest(client), 401, "collateral.missing")


# What the policy asks


@pytest.mark.parametrize(
    ("booted", "reason"),
    [
        ((Measured(4, 0x80000003, b"another kernel"), APPLICATION), "PCR 4 are not as the build signed"),
        ((KERNEL, Measured(11, 0x0D, b"another application")), "PCR 11 are not as the build signed"),
        ((KERNEL, APPLICATION, APPLICATION), "PCR 11 are not as the build signed"),
        ((), "PCR 4, 11 are not as the build signed"),
    ],
)
def test_an_image_that_the_build_did_not_sign(
    client: Client, vm: AzureGuest, refused: Refused, booted: tuple[Measured, ...], reason: str
) -> None:
    refused(vm.but(booted=booted).attest(client), 401, reason)


def test_a_paravisor_that_the_build_did_not_name(
    client: Client, vm: AzureGuest, td: AzureTdGuest, refused: Refused
) -> None:
    other = hashlib.sha384(b"another paravisor").digest()
    refused(vm.but(paravisor=other).attest(client), 401, "no reference value for this product has this measurement")
    refused(td.but(paravisor=other).attest(client), 401, "no reference value has this MRTD")


def test_a_paravisor_that_an_accepted_key_signed_needs_no_reference_value(
    site: Site, vm: AzureGuest, refused: Refused
) -> None:
    admit_azure(site)
    key, newer = b"\x1d" * 48, vm.but(paravisor=hashlib.sha384(b"a newer paravisor").digest())
    site.change_policy(tee=["az-snp-vtpm"], id_key_digests=[key.hex()])
    client = site.replica()
    token = newer.but(signed_by=key).attest(client).json()["token"]
    cpu = policy_claims(token, "cpu")
    assert cpu["measurement"]["reference"] == key.hex()
    assert cpu["id-key"]["value"] == key.hex()
    refused(newer.but(signed_by=b"\x2d" * 48).attest(client), 401, "id-key: not on the policy's list")
    refused(vm.attest(client), 401, "id-key: not on the policy's list")
    refused(newer.but(signed_by=key, booted=(KERNEL,)).attest(client), 401, "no reference values have these PCRs")


def test_secure_boot_that_is_off(client: Client, vm: AzureGuest, refused: Refused) -> None:
    off = vm.but(setup=dataclasses.replace(SETUP, secure_boot=False))
    refused(off.attest(client), 401, "secure-boot: the paravisor does not state that Secure Boot is on")


def test_a_paravisor_that_the_host_may_debug(client: Client, vm: AzureGuest, refused: Refused) -> None:
    debugged = vm.but(policy=dataclasses.replace(PRODUCTION, debug=True))
    refused(debugged.attest(client), 401, "policy.debug")


def test_a_policy_may_demand_the_event_log(site: Site, vm: AzureGuest, refused: Refused) -> None:
    admit_azure(site)
    site.change_policy(azure={"event_log": "required"})
    client = site.replica()
    assert vm.attest(client).status_code == 200
    response = Forgery(client, vm).send(lambda primary: primary.pop("cc_eventlog"))
    refused(response, 401, "event-log: the policy demands the vTPM's event log")


def test_a_policy_may_list_vms(site: Site, vm: AzureGuest, refused: Refused) -> None:
    admit_azure(site)
    site.change_policy(azure={"vm_ids": ["00000000-0000-0000-0000-000000000000"]})
    refused(vm.attest(site.replica()), 401, "vm-id: the VM is not on the policy's list")


def test_a_policy_may_list_processors(site: Site, vm: AzureGuest, refused: Refused) -> None:
    admit_azure(site)
    site.change_policy(chips=["5c" * 64])
    refused(vm.attest(site.replica()), 401, "chip-id")


def test_a_policy_may_demand_a_revocation_list(site: Site, vm: AzureGuest, refused: Refused) -> None:
    admit_azure(site)
    site.change_policy(revocation="required")
    refused(vm.attest(site.replica()), 401, "revocation")


def test_who_demands_the_vtpm_takes_no_bare_report_and_the_reverse(
    site: Site, client: Client, vm: AzureGuest, guest: Guest, refused: Refused
) -> None:
    refused(guest.attest(client), 401, "tee: snp, the policy accepts az-snp-vtpm, az-tdx-vtpm")
    site.change_policy(tee=["snp"])
    refused(vm.attest(site.replica()), 401, "tee: az-snp-vtpm, the policy accepts snp")


def test_reference_values_without_pcrs_do_not_say_what_booted(site: Site, vm: AzureGuest, refused: Refused) -> None:
    bare = site.config.model_dump()["reference_values"]
    keys = site.config.build_keys
    admit_azure(site)
    site.configure(reference_values=list(bare), build_keys=list(keys))
    entry = refused(
        vm.attest(site.replica()),
        401,
        "none were given: what booted is not known",
    )
    assert any(
        "none that a build key signed for image inference-guest-1.0.0 on az-snp" in it for it in entry["reasons"]
    )


def test_the_values_of_another_image_do_not_serve(site: Site, vm: AzureGuest, refused: Refused) -> None:
    admit_azure(site)
    build = SoftwareSigner.generate()
    site.configure(
        reference_values=[reference_values(build, "snp", "training-guest")],
        build_keys=[public_key_pem(build.public_key)],
    )
    refused(
        vm.attest(site.replica()), 401, "the image is training-guest-1.0.0, the policy accepts inference-guest-1.0.0"
    )


# What cannot be read


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"version": 3}, "version 3 is not known"),
        ({"version": True}, "version True is not known"),
        ({"tpm_quote": None}, "tpm_quote is not there"),
        ({"tpm_quote": {"message": "", "signature": "", "pcrs": ["00"] * 25}}, "at most 24 PCRs"),
        ({"tpm_quote": {"message": "", "signature": "", "pcrs": {"0": "00"}}}, "at most 24 PCRs"),
        ({"tpm_quote": {"message": "zz", "signature": "", "pcrs": []}}, "tpm_quote.message is not hex"),
        ({"tpm_quote": {"message": "", "signature": "", "pcrs": []}}, "TPM quote"),
        ({"hcl_report": "!"}, "hcl_report is not base64url"),
        ({"hcl_report": ""}, "an HCL report has"),
        ({"vcek": None}, "vcek is not base64url"),
        ({"vcek": "-----BEGIN CERTIFICATE-----\n"}, "vcek is not one certificate in PEM"),
        ({"cc_eventlog": "AAAA"}, "first event"),
    ],
)
def test_evidence_that_is_none(
    client: Client, vm: AzureGuest, refused: Refused, change: dict[str, Any], reason: str
) -> None:
    refused(Forgery(client, vm).send(lambda primary: primary.update(change)), 401, reason)


def test_evidence_of_a_td_has_a_version_too() -> None:
    with pytest.raises(Refusal, match="version 3 is not known"):
        AzTdxEvidence.read({"version": 3})


def test_a_request_that_the_paravisor_did_not_answer(client: Client, vm: AzureGuest, refused: Refused) -> None:
    def change(primary: dict[str, Any]) -> None:
        report = bytearray(decoded(primary["hcl_report"]))
        struct.pack_into("<I", report, 16, 1)
        primary["hcl_report"] = urlsafe(bytes(report))

    refused(Forgery(client, vm).send(change), 401, "hcl.request")
