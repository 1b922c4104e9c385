"""`POST /v1/verify` and `bailiwick verify` on AWS: a report with the Nitro document that names it, a document alone."""

import base64
import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from sandbox.hardware import SandboxPki
from tests.verifier.broker.test_verification import answered, problem
from tests.verifier.emulated_aws import AwsGuest, admit_aws, reference_values, replica, trust, values_on_ec2
from tests.verifier.emulated_site import RESOURCE, Client, Site, text
from tests.verifier.emulated_site import reference_values as snp_reference_values
from verifier.aws import AwsEvidence
from verifier.command import Verdict, read_evidence, verify_files
from verifier.signer import SoftwareSigner

NONCE = b"asked with this nonce"


@pytest.fixture
def vm(site: Site, pki: SandboxPki) -> AwsGuest:
    admit_aws(site)
    return AwsGuest(pki, ec.generate_private_key(ec.SECP256R1()), at=site.now)


@pytest.fixture
def client(site: Site, vm: AwsGuest) -> Client:
    return replica(site)


def request(vm: AwsGuest, **changes: Any) -> dict[str, Any]:
    report, chain = vm.report(NONCE.ljust(64, b"\0")), vm.firmware.certificates.named()
    document = vm.nitro_document(NONCE, hashlib.sha384(report).digest())
    return {
        "evidence": text(report),
        "endorsements": {name.lower(): text(der) for name, der in chain.items()},
        "nitro_document": text(document),
        "nonce": NONCE.hex(),
        "policy": RESOURCE,
        "kind": "aws",
        **changes,
    }


def alone(vm: AwsGuest) -> dict[str, Any]:
    return {"evidence": request(vm)["nitro_document"], "nonce": NONCE.hex(), "policy": RESOURCE, "kind": "nitro"}


def test_report_and_document_are_one_verdict(client: Client, vm: AwsGuest) -> None:
    answer = answered(client, request(vm))
    assert (answer["acceptable"], answer["submods"].keys()) == (True, {"cpu", "nitro"})


def test_a_document_alone(client: Client, vm: AwsGuest) -> None:
    answer = answered(client, alone(vm))
    assert (answer["acceptable"], answer["submods"].keys()) == (True, {"nitro"})


@pytest.mark.parametrize("claim", ["report-data", "nonce"])
def test_another_nonce(client: Client, vm: AwsGuest, claim: str) -> None:
    answer = answered(client, request(vm, nonce="00"))
    submodule = {"report-data": "cpu", "nonce": "nitro"}[claim]
    found = answer["submods"][submodule]["ear.veraison.policy-claims"][claim]
    assert (answer["acceptable"], found["tier"]) == (False, "contraindicated")


def test_what_fails_is_said_of_the_part_that_it_is_about(client: Client, vm: AwsGuest) -> None:
    other = dataclasses.replace(vm, document={"user_data": None})
    answer = answered(client, request(other))
    assert (answer["failed_check"], answer["submods"].keys()) == ("nitro.report", {"nitro"})
    forged = bytearray(base64.b64decode(request(vm)["evidence"]))
    forged[0x90] ^= 1
    answer = answered(client, request(vm, evidence=text(bytes(forged))))
    assert (answer["failed_check"], answer["submods"].keys()) == ("signature", {"cpu"})


@pytest.mark.parametrize(
    ("changes", "kind", "detail"),
    [
        ({"kind": "snp"}, "malformed-evidence", "this is aws, kind says snp"),
        ({"nitro_document": "%"}, "malformed-request", "nitro_document: not base64"),
        ({"nitro_document": "AAAA"}, "malformed-evidence", "evidence: "),
    ],
)
def test_a_member_that_is_wrong(client: Client, vm: AwsGuest, changes: dict[str, Any], kind: str, detail: str) -> None:
    assert detail in problem(client.post("/v1/verify", json=request(vm, **changes)), 400, kind)


def test_a_document_beside_a_document(client: Client, vm: AwsGuest) -> None:
    body = alone(vm) | {"nitro_document": request(vm)["nitro_document"]}
    assert "only an SNP report comes with one" in problem(
        client.post("/v1/verify", json=body), 400, "malformed-request"
    )


@dataclasses.dataclass
class Files:
    """A folder with an instance's evidence, and what the build signed."""

    folder: Path
    site: Site
    build: SoftwareSigner = dataclasses.field(default_factory=SoftwareSigner.generate)

    def write(self, vm: AwsGuest) -> None:
        body = request(vm)
        (self.folder / "policy.yaml").write_text("reference_values: required\n")
        for name, content in {"report.bin": body["evidence"], "nitro_document.cbor": body["nitro_document"]}.items():
            (self.folder / name).write_bytes(base64.b64decode(content))
        for name, content in body["endorsements"].items():
            (self.folder / f"{name}.der").write_bytes(base64.b64decode(content))
        values = {
            "snp": snp_reference_values(self.build),
            "nitro": reference_values(self.build),
            "ec2": values_on_ec2(self.build, vm.measurement),
        }
        for name, value in values.items():
            (self.folder / f"{name}.json").write_text(json.dumps(value))

    def verdict(self, evidence: str, *values: str) -> Verdict:
        return verify_files(
            self.folder / evidence,
            self.folder,
            at=self.site.now,
            policy=self.folder / "policy.yaml",
            nonce=NONCE,
            reference_values=[self.folder / f"{name}.json" for name in values],
            build_keys=[self.build.public_key],
            trust=trust(self.site),
        )


def test_the_command_finds_the_document_beside_the_report(site: Site, vm: AwsGuest, tmp_path: Path) -> None:
    files = Files(tmp_path, site)
    files.write(vm)
    both = files.verdict("report.bin", "snp", "nitro")
    assert both.result is not None
    assert (both.acceptable, both.result.submods.keys()) == (True, {"cpu", "nitro"})
    assert "what booted is not known" in files.verdict("report.bin", "snp").summary
    assert "measurement" in files.verdict("report.bin", "nitro").summary
    (tmp_path / "policy.yaml").write_text("reference_values: if-given\n")
    assert "no reference value for this product" in files.verdict("report.bin", "nitro").summary
    assert "pcrs: reference values with these PCRs" in files.verdict("report.bin", "snp").summary
    assert files.verdict("report.bin").acceptable
    (tmp_path / "policy.yaml").write_text("images: [other-1.0.0]\n")
    assert {it.name for it in files.verdict("report.bin", "ec2").claims if it.score > 31} == {"measurement", "pcrs"}
    (tmp_path / "policy.yaml").write_text("reference_values: required\n")
    assert files.verdict("nitro_document.cbor", "nitro").acceptable
    assert "predicate.tee" in files.verdict("nitro_document.cbor", "snp").summary
    assert files.verdict("report.bin", "ec2").acceptable
    assert files.verdict("nitro_document.cbor", "ec2").acceptable
    store = tmp_path / "store"
    store.mkdir()
    (store / "collateral.json").write_text('{"layout": "bailiwick-collateral", "version": 1}')
    for collateral in (None, store):
        assert isinstance(read_evidence(tmp_path / "report.bin", collateral), AwsEvidence)
    (tmp_path / "nitro_document.cbor").write_bytes(b"none")
    assert "nitro_document.cbor: " in files.verdict("report.bin", "snp", "nitro").summary
    (tmp_path / "nitro_document.cbor").unlink()
    alone = files.verdict("report.bin", "snp")
    assert alone.result is not None
    assert (alone.acceptable, alone.result.submods.keys()) == (True, {"cpu"})
