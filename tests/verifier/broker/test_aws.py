"""Guests of AWS at the broker: the Nitro document beside an SNP report, or alone; what is refused, is refused alone."""

import base64
import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from sandbox.hardware import SandboxPki
from tests.verifier import emulated_aws
from tests.verifier.broker.test_azure import policy_claims
from tests.verifier.emulated_aws import INSTANCE, PCRS, AwsGuest, NitroGuest, admit_aws, replica, text
from tests.verifier.emulated_site import DEK, PRODUCTION, RESOURCE, Client, Guest, Refused, Site
from tests.verifier.emulated_site import reference_values as snp_reference_values
from verifier.signer import SoftwareSigner, public_key_pem

KEY = ec.generate_private_key(ec.SECP256R1())
IMAGE = b"\x1a" * 48
BOTH = ("aws-snp-nitrotpm", "aws-nitro")


@pytest.fixture
def vm(site: Site, pki: SandboxPki) -> AwsGuest:
    admit_aws(site, *BOTH)
    return AwsGuest(pki, KEY, at=site.now)


@pytest.fixture
def instance(site: Site, vm: AwsGuest) -> NitroGuest:
    """The same instance, whose guest sends a document alone."""
    return NitroGuest(vm.pki, KEY, at=site.now)


@pytest.fixture
def client(site: Site, vm: AwsGuest) -> Client:
    return replica(site)


def sent(client: Client, guest: AwsGuest, change: Callable[[dict[str, Any]], Any]) -> Any:
    """Evidence for a fresh nonce, changed on its way."""
    message = guest.message(guest.auth(client))
    change(message["tee-evidence"]["primary_evidence"])
    return client.post("/kbs/v0/attest", json=message)


def changed(text_of: str, offset: int) -> str:
    data = bytearray(base64.b64decode(text_of))
    data[offset] ^= 1
    return text(bytes(data))


# What gets a key


def test_report_and_document_of_one_instance_get_the_key(site: Site, client: Client, vm: AwsGuest) -> None:
    token = vm.token(client)
    released = client.get(f"/kbs/v0/resource/{RESOURCE}", headers={"authorization": f"Bearer {token}"})
    assert vm.open(released.json()) == DEK
    assert policy_claims(token, "cpu")["measurement"]["reference"] == "inference-guest-1.0.0"
    booted = policy_claims(token, "nitro")
    assert booted["pcrs"]["reference"] == "inference-guest-1.0.0"
    assert booted["instance-id"]["value"] == INSTANCE
    entry = site.entries()[-1]
    assert (entry["tee"], entry["root"], entry["measurement"]) == (vm.tee, "sandbox", vm.measurement.hex())


def test_a_document_alone_gets_the_key_where_the_policy_names_it(
    site: Site, client: Client, instance: NitroGuest
) -> None:
    token = instance.token(client)
    released = client.get(f"/kbs/v0/resource/{RESOURCE}", headers={"authorization": f"Bearer {token}"})
    assert instance.open(released.json()) == DEK
    assert policy_claims(token, "nitro")["platform"]["value"] == "AWS Nitro System"
    entry = site.entries()[-1]
    assert (entry["tee"], entry["root"], entry["measurement"]) == ("aws-nitro", "aws", PCRS[4].hex())


def test_an_enclave_is_known_by_values_for_enclaves(site: Site, instance: NitroGuest, refused: Refused) -> None:
    build = SoftwareSigner.generate()
    enclave = {"pcrs": dict.fromkeys(range(3), IMAGE), "module_id": f"{INSTANCE}-enc0123"}
    guest = dataclasses.replace(instance, document=enclave, is_enclave=True)
    refused(guest.attest(replica(site)), 401, "not among those that were given: what booted is not known")
    for attested, status in (("enclave", 200), ("nitrotpm", 401)):
        values = {"attested": attested, "pcrs": {"0": [IMAGE.hex()]}}
        signed = emulated_aws.reference_values(build, subject=IMAGE, **values)
        site.configure(reference_values=[signed], build_keys=[public_key_pem(build.public_key)])
        assert guest.attest(replica(site)).status_code == status
        if status == 200:
            assert site.entries()[-1]["measurement"] == IMAGE.hex()


@pytest.mark.parametrize("key", [None, b"key"])
def test_a_document_need_not_state_a_key_but_no_other(
    client: Client, vm: AwsGuest, instance: NitroGuest, refused: Refused, key: bytes | None
) -> None:
    for guest in (vm, instance):
        response = dataclasses.replace(guest, document={"public_key": key}).attest(client)
        if key is None:
            assert response.status_code == 200
        else:
            refused(response, 401, "public_key is not the guest's")


# What is not genuine, or not of this session


def test_the_report_of_another_session(client: Client, vm: AwsGuest, refused: Refused) -> None:
    other = vm.evidence("another nonce")
    change = {name: other[name] for name in ("attestation_report", "cert_chain")}
    refused(sent(client, vm, lambda primary: primary.update(change)), 401, "user_data of the document is not the hash")


def test_report_data_that_binds_another_nonce(client: Client, vm: AwsGuest, refused: Refused) -> None:
    message = vm.message(nonce := vm.auth(client))
    message["tee-evidence"]["primary_evidence"] = vm.evidence(nonce, bytes(64))
    refused(client.post("/kbs/v0/attest", json=message), 401, "REPORT_DATA is not the hash of this nonce and key")


@pytest.mark.parametrize("nonce", [None, b"", bytes(48), b"n" * 64])
def test_a_document_that_binds_another_nonce(
    client: Client, vm: AwsGuest, instance: NitroGuest, refused: Refused, nonce: bytes | None
) -> None:
    for guest in (vm, instance):
        other = dataclasses.replace(guest, document={"nonce": nonce})
        refused(other.attest(client), 401, "the Nitro document's nonce is not the hash of this nonce and key")


def test_a_nonce_with_something_after_it(client: Client, instance: NitroGuest, refused: Refused) -> None:
    message = instance.message(nonce := instance.auth(client))
    padded = dataclasses.replace(instance, document={"nonce": instance.report_data(nonce)}).evidence(nonce)
    message["tee-evidence"]["primary_evidence"] = padded
    refused(client.post("/kbs/v0/attest", json=message), 401, "the Nitro document's nonce is not the hash")


@pytest.mark.parametrize("unhashed", [b"another report", b""])
def test_a_document_that_names_another_report(client: Client, vm: AwsGuest, refused: Refused, unhashed: bytes) -> None:
    refused(dataclasses.replace(vm, unhashed=unhashed).attest(client), 401, "nitro.report")


def test_a_document_that_names_no_report(client: Client, vm: AwsGuest, refused: Refused) -> None:
    refused(dataclasses.replace(vm, document={"user_data": None}).attest(client), 401, "nitro.report")


def test_an_enclaves_document_beside_a_report(client: Client, vm: AwsGuest, refused: Refused) -> None:
    guest = dataclasses.replace(vm, document={"pcrs": PCRS}, is_enclave=True)
    refused(guest.attest(client), 401, "the document is a Nitro enclave's, one of NitroTPM expected beside a report")


def test_a_document_whose_signer_has_expired(site: Site, client: Client, vm: AwsGuest, refused: Refused) -> None:
    message = vm.message(vm.auth(client))
    older = dataclasses.replace(vm, at=site.now.replace(year=site.now.year - 1))
    message["tee-evidence"]["primary_evidence"] = older.evidence(message["runtime-data"]["nonce"])
    refused(client.post("/kbs/v0/attest", json=message), 401, "nitro.chain.leaf.validity")


def test_a_document_that_was_changed(client: Client, vm: AwsGuest, instance: NitroGuest, refused: Refused) -> None:
    def change(primary: dict[str, Any]) -> None:
        primary["nitro_document"] = changed(primary["nitro_document"], -1)

    refused(sent(client, vm, change), 401, "nitro.cose.signature")
    refused(sent(client, instance, change), 401, "cose.signature")


def test_a_report_that_was_changed(client: Client, vm: AwsGuest, refused: Refused) -> None:
    """A chip's own key in place of the cloud's: the document still names the report, the report is not endorsed."""

    def change(primary: dict[str, Any]) -> None:
        primary["cert_chain"] = Guest(vm.pki, KEY).evidence("nonce")["cert_chain"]

    refused(sent(client, vm, change), 401, "endorsement.kind")


def test_a_verifier_that_does_not_name_aws_takes_no_document(site: Site, vm: AwsGuest, refused: Refused) -> None:
    site.configure(trust_anchors=["amd", "sandbox"])
    refused(vm.attest(replica(site)), 401, "nitro.chain.root")


# What the policy asks


def test_another_firmware_than_the_builds(client: Client, vm: AwsGuest, refused: Refused) -> None:
    refused(vm.but(measurement=bytes(48)).attest(client), 401, "no reference value for this product")


@pytest.mark.parametrize("register", [4, 12])
def test_another_image_than_the_builds(
    client: Client, vm: AwsGuest, instance: NitroGuest, refused: Refused, register: int
) -> None:
    for guest in (vm, instance):
        other = dataclasses.replace(guest, document={"nitrotpm_pcrs": PCRS | {register: b"\x5c" * 48}})
        refused(other.attest(client), 401, f"PCR {register} are not as the build signed")


def test_a_register_that_is_not_in_the_document(client: Client, vm: AwsGuest, refused: Refused) -> None:
    fewer = {index: value for index, value in PCRS.items() if index != 12}
    other = dataclasses.replace(vm, document={"nitrotpm_pcrs": fewer})
    refused(other.attest(client), 401, "PCR 12 are not as the build signed")


def test_a_boot_that_secure_boot_did_not_measure(client: Client, vm: AwsGuest, refused: Refused) -> None:
    other = dataclasses.replace(vm, document={"nitrotpm_pcrs": PCRS | {7: bytes(48)}})
    refused(other.attest(client), 401, "measured-boot")


def test_values_of_an_image_may_say_what_both_show(site: Site, vm: AwsGuest, refused: Refused) -> None:
    """The processor's then is the firmware's measurement, and what it would be without one does not count on EC2."""
    build = SoftwareSigner.generate()
    values = emulated_aws.values_on_ec2(build, vm.measurement)
    site.configure(reference_values=[values], build_keys=[public_key_pem(build.public_key)])
    token = vm.token(replica(site))
    assert policy_claims(token, "cpu")["measurement"]["reference"] == "ec2-uefi-1.0.0"
    assert policy_claims(token, "nitro")["pcrs"]["reference"] == "inference-guest-1.0.0"
    directly = vm.but(measurement=emulated_aws.DIRECTLY)
    refused(directly.attest(replica(site)), 401, "measurement: no reference value for this product")
    other = dataclasses.replace(vm, document={"nitrotpm_pcrs": PCRS | {12: b"\x5c" * 48}})
    entry = refused(other.attest(replica(site)), 401, "PCR 12 are not as the build signed")
    assert not any("none that a build key signed" in reason for reason in entry["reasons"])


def test_such_values_serve_a_document_that_comes_alone(site: Site, instance: NitroGuest, refused: Refused) -> None:
    build = SoftwareSigner.generate()
    values = emulated_aws.values_on_ec2(build, instance.measurement)
    site.configure(reference_values=[values], build_keys=[public_key_pem(build.public_key)])
    token = instance.token(replica(site))
    assert policy_claims(token, "nitro")["pcrs"]["reference"] == "inference-guest-1.0.0"
    enclave = {"pcrs": dict.fromkeys(range(3), IMAGE), "module_id": f"{INSTANCE}-enc0123"}
    guest = dataclasses.replace(instance, document=enclave, is_enclave=True)
    refused(guest.attest(replica(site)), 401, "not among those that were given: what booted is not known")


def test_firmware_is_known_by_an_image_that_the_policy_accepts(site: Site, vm: AwsGuest, refused: Refused) -> None:
    build = SoftwareSigner.generate()
    values = emulated_aws.values_on_ec2(build, vm.measurement, "training-guest")
    site.configure(reference_values=[values], build_keys=[public_key_pem(build.public_key)])
    entry = refused(vm.attest(replica(site)), 401, "measurement: ")
    assert any("the image is training-guest-1.0.0, the policy accepts" in reason for reason in entry["reasons"])
    assert any("image inference-guest-1.0.0 on aws-snp-nitrotpm" in reason for reason in entry["reasons"])


def test_values_for_ec2_let_no_report_in_without_its_document(
    site: Site, vm: AwsGuest, guest: Guest, refused: Refused
) -> None:
    build = SoftwareSigner.generate()
    values = emulated_aws.values_on_ec2(build, vm.measurement)
    site.configure(reference_values=[values], build_keys=[public_key_pem(build.public_key)])
    site.change_policy(tee=["snp"])
    refused(guest.attest(replica(site)), 401, "measurement: no reference value for this product")


def test_values_of_the_firmware_alone_do_not_say_what_booted(site: Site, vm: AwsGuest, refused: Refused) -> None:
    build = SoftwareSigner.generate()
    site.configure(reference_values=[snp_reference_values(build)], build_keys=[public_key_pem(build.public_key)])
    entry = refused(vm.attest(replica(site)), 401, "not among those that were given: what booted is not known")
    assert any("image inference-guest-1.0.0 on aws-snp-nitrotpm" in it for it in entry["reasons"])


def test_values_of_the_image_alone_do_not_say_which_firmware(site: Site, vm: AwsGuest, refused: Refused) -> None:
    build = SoftwareSigner.generate()
    values = emulated_aws.reference_values(build)
    site.configure(reference_values=[values], build_keys=[public_key_pem(build.public_key)])
    entry = refused(vm.attest(replica(site)), 401, "measurement: ")
    assert any("image inference-guest-1.0.0 on aws-snp-nitrotpm" in it for it in entry["reasons"])


def test_a_document_alone_needs_values_of_the_image_and_no_others(
    site: Site, instance: NitroGuest, refused: Refused
) -> None:
    another = dataclasses.replace(instance, document={"nitrotpm_pcrs": PCRS | {12: b"\x5c" * 48}})
    for values, is_missing in ((emulated_aws.reference_values, False), (snp_reference_values, True)):
        build = SoftwareSigner.generate()
        site.configure(reference_values=[values(build)], build_keys=[public_key_pem(build.public_key)])
        entry = refused(another.attest(replica(site)), 401, "pcrs: ")
        missing = "reference-values: none that a build key signed for image inference-guest-1.0.0 on aws-nitro"
        assert (missing in entry["reasons"]) is is_missing


def test_the_values_of_another_image_do_not_serve(site: Site, instance: NitroGuest, refused: Refused) -> None:
    build = SoftwareSigner.generate()
    values = emulated_aws.reference_values(build, "training-guest")
    site.configure(reference_values=[values], build_keys=[public_key_pem(build.public_key)])
    refused(instance.attest(replica(site)), 401, "the image is training-guest-1.0.0, the policy accepts")


def test_a_guest_that_the_host_may_debug(client: Client, vm: AwsGuest, refused: Refused) -> None:
    refused(vm.but(policy=dataclasses.replace(PRODUCTION, debug=True)).attest(client), 401, "policy.debug")


@pytest.mark.parametrize(
    ("demand", "reason"),
    [
        ({"instances": ["i-00000000"]}, "instance-id: the instance is not on the policy's list"),
        ({"pcrs": {"7": ["00" * 48]}}, "pcr7: not on the policy's list"),
        ({"maximum_age_seconds": 60}, "age: the document is older than 60 s"),
    ],
)
def test_a_policy_may_demand_more(
    site: Site, vm: AwsGuest, refused: Refused, demand: dict[str, Any], reason: str
) -> None:
    made = int(site.now.timestamp() * 1000) - 61_000
    guest = dataclasses.replace(vm, document={"timestamp": made})
    assert guest.attest(replica(site)).status_code == 200
    site.change_policy(nitro=demand)
    refused(guest.attest(replica(site)), 401, reason)


def test_who_demands_both_takes_neither_alone(
    site: Site, vm: AwsGuest, instance: NitroGuest, guest: Guest, refused: Refused
) -> None:
    site.change_policy(tee=["aws-snp-nitrotpm"])
    client = replica(site)
    refused(instance.attest(client), 401, "tee: aws-nitro, the policy accepts aws-snp-nitrotpm")
    refused(guest.attest(client), 401, "tee: snp, the policy accepts aws-snp-nitrotpm")
    assert vm.attest(client).status_code == 200


# What cannot be read


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"nitro_document": None}, "nitro_document is not base64"),
        ({"nitro_document": "!"}, "nitro_document is not base64"),
        ({"nitro_document": ""}, "evidence.malformed"),
        ({"attestation_report": None}, "attestation_report is not base64"),
        ({"cert_chain": []}, "cert_chain needs one VCEK or one VLEK"),
    ],
)
def test_evidence_that_is_none(
    client: Client, vm: AwsGuest, refused: Refused, change: dict[str, Any], reason: str
) -> None:
    refused(sent(client, vm, lambda primary: primary.update(change)), 401, reason)
