"""GPUs at the broker: each is bound to the CPU's evidence, and a key may demand them."""

import hashlib
import json
import shutil
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

import sandbox.hardware.gpu
from sandbox.hardware import ConfidentialMode, Gpu, SandboxPki
from sandbox.hardware.nvidia_collateral import DRIVER_RIM, VBIOS_RIM
from tests.verifier.emulated_devices import GpuGuest, demand_gpu, gpu
from tests.verifier.emulated_site import DEK, RESOURCE, Client, Guest, Refused, Site
from verifier import canonical, jwk, nvidia
from verifier.broker.protocol import Evidence
from verifier.trust import TrustStore

PATH = f"/kbs/v0/resource/{RESOURCE}"


@pytest.fixture
def client(site: Site) -> Client:
    demand_gpu(site)
    return site.replica()


@pytest.fixture
def machine(site: Site, pki: SandboxPki) -> GpuGuest:
    return GpuGuest(pki, ec.generate_private_key(ec.SECP256R1()), gpus=(gpu(pki.nvidia, site),))


def claims(token: str) -> dict[str, Any]:
    return canonical.parse_object(jwk.decode(token.split(".")[1]))


def test_a_guest_with_a_gpu_gets_the_key(client: Client, machine: GpuGuest) -> None:
    token = machine.token(client)
    assert machine.open(client.get(PATH).json()) == DEK
    submods = claims(token)["submods"]
    assert {name: part["ear.status"] for name, part in submods.items()} == {"cpu": "affirming", "gpu0": "affirming"}
    found = submods["gpu0"]["ear.veraison.policy-claims"]
    assert {found[name]["value"] for name in ("cc-mode", "revocation", "secure-boot")} == {"on", "checked"}


def test_receipts_count_devices_and_name_what_they_were_judged_with(
    site: Site, client: Client, machine: GpuGuest
) -> None:
    machine.token(client)
    assert client.get(PATH).status_code == 200
    attested, released = site.entries()
    assert (attested["devices"], released["devices"]) == (1, 1)
    (digest,) = site.log.archive.digests("collateral")
    assert digest == attested["device_collateral_digest"] == released["device_collateral_digest"]
    members = canonical.parse_object(site.log.archive.get("collateral", digest))
    assert members["rims"].keys() == {DRIVER_RIM, VBIOS_RIM}
    assert nvidia.Collateral.from_members(members).rims == site.devices().rims
    (digest,) = site.log.archive.digests("evidence")
    content = site.log.archive.get("evidence", digest)
    assert Evidence.from_json(content).to_json() == content


def test_what_is_archived_is_about_the_guests_own_devices(
    site: Site, client: Client, machine: GpuGuest, pki: SandboxPki
) -> None:
    gpu(pki.nvidia, site, "the host of somebody else")
    machine.token(client)
    (digest,) = site.log.archive.digests("collateral")
    archived = canonical.parse_object(site.log.archive.get("collateral", digest))
    assert len(archived["ocsp"]) == len(list((site.device_collateral / "ocsp").iterdir())) - 1


def test_a_key_that_demands_no_gpu_still_holds_one_to_its_evidence(
    site: Site, machine: GpuGuest, guest: Guest, refused: Refused
) -> None:
    assert guest.attest(site.replica()).status_code == 200
    assert machine.attest(site.replica()).status_code == 200
    refused(machine.but(changes={"cc_mode": "off"}).attest(site.replica()), 401, "cc-mode")


# The binding of GPU and CPU


def test_a_guest_without_a_gpu(client: Client, guest: Guest, refused: Refused) -> None:
    refused(guest.attest(client), 401, "devices: the policy demands evidence of GPUs, the guest sent none")


def test_devices_that_the_cpu_did_not_sign_for(client: Client, machine: GpuGuest, refused: Refused) -> None:
    message = machine.message(nonce := machine.auth(client))
    message["tee-evidence"]["additional_evidence"] = machine.additional(nonce)  # asked once more: another report
    refused(client.post("/kbs/v0/attest", json=message), 401, "REPORT_DATA is not the hash of this nonce and key")


def test_devices_that_are_left_out(client: Client, machine: GpuGuest, refused: Refused) -> None:
    message = machine.message(machine.auth(client))
    message["tee-evidence"]["additional_evidence"] = ""
    refused(client.post("/kbs/v0/attest", json=message), 401, "report-data")


def test_a_gpu_that_was_asked_by_another_guest(client: Client, machine: GpuGuest, refused: Refused) -> None:
    other = machine.but(private_key=ec.generate_private_key(ec.SECP256R1()))
    nonce = machine.auth(client)
    relayed = machine.but(asked_with=other.device_nonce(nonce))
    refused(client.post("/kbs/v0/attest", json=relayed.message(nonce)), 401, "asked with another nonce")


def test_one_gpu_twice(client: Client, machine: GpuGuest, refused: Refused) -> None:
    refused(machine.but(gpus=machine.gpus * 2).attest(client), 401, "the same device is there more than once")


# Whether the GPU is what it should be


@pytest.mark.parametrize("mode", [ConfidentialMode.OFF, ConfidentialMode.DEVTOOLS])
def test_a_mode_in_which_the_host_sees_what_the_gpu_does(
    client: Client, machine: GpuGuest, pki: SandboxPki, refused: Refused, mode: ConfidentialMode
) -> None:
    entry = refused(machine.but(gpus=(Gpu(pki.nvidia, "host-a", mode),)).attest(client), 401, "cc-mode")
    assert any("the host can see what a GPU does in this mode" in reason for reason in entry["reasons"])


def test_the_worst_mode_of_several_gpus_counts(
    site: Site, client: Client, machine: GpuGuest, pki: SandboxPki, refused: Refused
) -> None:
    gpu(pki.nvidia, site, "host-b")
    two = machine.but(gpus=(*machine.gpus, Gpu(pki.nvidia, "host-b", ConfidentialMode.DEVTOOLS)))
    refused(two.attest(client), 401, "cc-mode")


def test_a_guest_that_does_not_state_the_mode(site: Site, machine: GpuGuest, refused: Refused) -> None:
    silent = machine.but(changes={"cc_mode": None})
    demand_gpu(site)
    refused(
        silent.attest(site.replica()), 401, "the policy demands that the attested guest states the confidential mode"
    )
    demand_gpu(site, stated_mode="if-given")
    assert silent.attest(site.replica()).status_code == 200


def test_a_gpu_that_runs_something_else(
    client: Client, machine: GpuGuest, refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    golden = sandbox.hardware.gpu.measurement
    monkeypatch.setattr(sandbox.hardware.gpu, "measurement", lambda index: bytes(48) if index == 40 else golden(index))
    refused(machine.attest(client), 401, "measured something else than NVIDIA's RIMs say at RIM indexes 40")


def test_a_report_that_the_gpu_did_not_sign(
    client: Client, machine: GpuGuest, pki: SandboxPki, refused: Refused
) -> None:
    class Forged(Gpu):
        def report(self, nonce: bytes) -> bytes:
            genuine = super().report(nonce)
            return genuine.replace(b"580.95.05", b"580.95.06")

    refused(machine.but(gpus=(Forged(pki.nvidia, "host-a"),)).attest(client), 401, "report.signature")


def test_a_policy_may_say_how_many_gpus(site: Site, machine: GpuGuest, refused: Refused) -> None:
    demand_gpu(site, gpus=2)
    refused(machine.attest(site.replica()), 401, "count.gpus: the policy demands 2")


# What endorses the GPU


@pytest.mark.parametrize(("rim", "name"), [(DRIVER_RIM, "driver"), (VBIOS_RIM, "vbios")])
def test_a_rim_that_is_not_at_hand(
    site: Site, client: Client, machine: GpuGuest, refused: Refused, rim: str, name: str
) -> None:
    (site.device_collateral / "rims" / f"{rim}.xml").unlink()
    refused(machine.attest(client), 401, f"rim.{name}: the policy demands it; no RIM called {rim} is at hand")


def test_a_rim_that_was_changed(site: Site, client: Client, machine: GpuGuest, refused: Refused) -> None:
    path = site.device_collateral / "rims" / f"{DRIVER_RIM}.xml"
    path.write_bytes(path.read_bytes().replace(b"580.95.05", b"580.95.06", 1))
    refused(machine.attest(client), 401, "rim.driver.digest")


def test_without_ocsp_responses_the_policy_decides(site: Site, machine: GpuGuest, refused: Refused) -> None:
    demand_gpu(site)
    shutil.rmtree(site.device_collateral / "ocsp")
    found = claims(machine.token(site.replica()))["submods"]["gpu0"]["ear.veraison.policy-claims"]
    assert found["revocation"]["value"] == "not checked"
    site.change_policy(revocation="required")
    refused(machine.attest(site.replica()), 401, "the policy demands OCSP responses")


def test_an_ocsp_response_that_is_out_of_date(site: Site, client: Client, machine: GpuGuest, refused: Refused) -> None:
    site.pass_time(days=2)
    refused(machine.attest(client), 401, "ocsp.validity")


def test_a_gpu_that_nvidia_revoked(
    site: Site, client: Client, machine: GpuGuest, pki: SandboxPki, refused: Refused
) -> None:
    brom, provisioner = pki.nvidia.device("host-a")[1], pki.nvidia.provisioning[0]
    assert isinstance(provisioner.key, ec.EllipticCurvePrivateKey)
    answer = ocsp.OCSPResponseBuilder().add_response(
        cert=brom.certificate,
        issuer=provisioner.certificate,
        algorithm=hashes.SHA384(),
        cert_status=ocsp.OCSPCertStatus.REVOKED,
        this_update=site.now,
        next_update=site.now.replace(year=site.now.year + 1),
        revocation_time=site.now,
        revocation_reason=x509.ReasonFlags.key_compromise,
    )
    signed = answer.responder_id(ocsp.OCSPResponderEncoding.HASH, provisioner.certificate).sign(
        provisioner.key, hashes.SHA384()
    )
    path = site.device_collateral / "ocsp" / f"{brom.certificate.serial_number:x}.der"
    path.write_bytes(signed.public_bytes(Encoding.DER))
    refused(machine.attest(client), 401, "chain.brom.revoked")


def test_a_folder_that_cannot_be_used(site: Site, client: Client, machine: GpuGuest, refused: Refused) -> None:
    (site.device_collateral / "ocsp" / "broken.der").write_bytes(b"not DER")
    refused(machine.attest(client), 401, "OCSP response")


def test_the_stand_ins_root_counts_only_where_the_configuration_names_it(
    site: Site, machine: GpuGuest, pki: SandboxPki, refused: Refused
) -> None:
    demand_gpu(site)
    without = TrustStore.production().with_sandbox(pki.ark.pem + pki.ask.pem)
    refused(machine.attest(site.replica(trust=without)), 401, "is not a pinned root for nvidia-device")


def test_the_root_of_devices_vouches_for_no_rim(
    site: Site, machine: GpuGuest, pki: SandboxPki, refused: Refused
) -> None:
    demand_gpu(site)
    without = TrustStore.production().with_sandbox(pki.ark.pem + pki.ask.pem + pki.nvidia.root.pem)
    refused(machine.attest(site.replica(trust=without)), 401, "is not a pinned root for nvidia-gpu-rim")


# What cannot be read


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "additional_evidence is not JSON"),
        ('{"nvidia": {}, "tpm": {}}', "additional_evidence of 'tpm' is not supported"),
        ('{"nvidia": []}', "a list of 1 to 64 objects expected"),
        ('{"nvidia": {"device_evidence_list": []}}', "a list of 1 to 64 objects expected"),
        ('{"nvidia": {"device_evidence_list": [{"evidence": "!"}]}}', "device 0: evidence is not base64"),
    ],
)
def test_evidence_of_devices_that_is_none(
    client: Client, machine: GpuGuest, refused: Refused, text: str, reason: str
) -> None:
    message = machine.message(machine.auth(client))
    message["tee-evidence"]["additional_evidence"] = text
    refused(client.post("/kbs/v0/attest", json=message), 401, reason)


def test_a_mode_that_nobody_knows(client: Client, machine: GpuGuest, refused: Refused) -> None:
    refused(
        machine.but(changes={"cc_mode": "maybe"}).attest(client), 401, "cc_mode is 'maybe'; on, devtools, off are known"
    )


def test_an_empty_object_is_no_device(site: Site, guest: Guest) -> None:
    message = guest.message(nonce := guest.auth(client := site.replica()))
    bound = {"additional-evidence": "{}", "nonce": nonce, "tee-pubkey": guest.tee_pubkey}
    digest = hashlib.sha384(json.dumps(bound, sort_keys=True, separators=(",", ":")).encode()).digest() + bytes(16)
    message["tee-evidence"] = {"primary_evidence": guest.evidence(nonce, digest), "additional_evidence": "{}"}
    assert client.post("/kbs/v0/attest", json=message).status_code == 200
