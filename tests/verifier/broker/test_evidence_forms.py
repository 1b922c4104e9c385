"""The members of a guest's evidence: what is read, what is archived of it, and what is wrong with the rest."""

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from sandbox.hardware import SandboxPki
from tests.verifier.emulated_azure import AzureGuest, AzureTdGuest
from tests.verifier.emulated_site import Guest
from tests.verifier.emulated_td import TdGuest
from verifier import jwk
from verifier.broker.azure_evidence import AzSnpEvidence, AzTdxEvidence
from verifier.broker.device_evidence import read_devices
from verifier.broker.problem import Refusal
from verifier.broker.protocol import Evidence, Hardware
from verifier.broker.snp_evidence import SnpEvidence
from verifier.broker.tdx_evidence import TdxEvidence

KEY = ec.generate_private_key(ec.SECP256R1())
REPORT = base64.b64encode(bytes(1184)).decode()


def certificates(*types: object) -> list[dict[str, Any]]:
    return [{"cert_type": it, "data": "AAAA"} for it in types]


@pytest.mark.parametrize(
    "chain", [("VCEK",), ("VCEK", "ASK"), ("VCEK", "ARK"), ("VCEK", "ASK", "ARK"), ("VLEK", "ASVK", "ARK")]
)
def test_a_report_is_archived_with_the_certificates_that_came(chain: tuple[str, ...]) -> None:
    primary = {"attestation_report": REPORT, "cert_chain": certificates(*chain)}
    evidence = SnpEvidence.read(primary)
    assert evidence.members() == primary
    assert SnpEvidence.read(evidence.members()) == evidence


@pytest.mark.parametrize(
    ("chain", "reason"),
    [
        (certificates(*[f"CRL{index}" for index in range(8)], "VCEK"), "a list of at most 8 certificates"),
        ({"VCEK": "AAAA"}, "a list of at most 8 certificates"),
        (3, "a list of at most 8 certificates"),
        (["VCEK"], r"cert_chain\[0\] needs cert_type and data"),
        ([*certificates("VCEK"), {"data": "AAAA"}], r"cert_chain\[1\] needs cert_type and data"),
        (certificates(["VCEK"]), r"cert_chain\[0\] needs cert_type and data"),
        (certificates("VCEK", "VCEK"), "two certificates 'VCEK'"),
        (certificates("VCEK", "VLEK"), "one VCEK or one VLEK"),
        (certificates("ASK", "ARK"), "one VCEK or one VLEK"),
        ([{"cert_type": "VCEK"}], r"cert_chain\[0\].data is not base64"),
        ([{"cert_type": "VCEK", "data": [256]}], r"cert_chain\[0\].data is not base64"),
    ],
)
def test_a_chain_of_certificates_that_is_none(chain: Any, reason: str) -> None:
    with pytest.raises(Refusal, match=reason):
        SnpEvidence.read({"attestation_report": REPORT, "cert_chain": chain})


@pytest.mark.parametrize("kind", [Guest, TdGuest, AzureGuest, AzureTdGuest])
def test_what_is_archived_is_read_back(pki: SandboxPki, kind: type[Guest]) -> None:
    readers: dict[type[Guest], type[Hardware]] = {
        Guest: SnpEvidence,
        TdGuest: TdxEvidence,
        AzureGuest: AzSnpEvidence,
        AzureTdGuest: AzTdxEvidence,
    }
    primary = kind(pki, KEY).evidence("a nonce")
    for members in (primary, {name: value for name, value in primary.items() if name != "cc_eventlog"}):
        evidence = readers[kind].read(members)
        assert evidence.members().keys() == members.keys()
        assert readers[kind].read(evidence.members()) == evidence


def test_an_event_log_that_is_none() -> None:
    with pytest.raises(Refusal, match=r"evidence\.event-log: cc_eventlog: "):
        TdxEvidence.read({"quote": "AAAA", "cc_eventlog": "AAAA"})


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"report": "AAAA"}, "hcl_report is not base64url"),
        ({"version": None}, "hcl_report is not base64url"),
        ({"hcl_report": "AAAA", "vcek": "AAAA"}, "tpm_quote is not there"),
        ({"hcl_report": "AAAA", "vcek": ["A"]}, "vcek is not base64"),
    ],
)
def test_members_of_one_version_are_not_anothers(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(Refusal, match=reason):
        AzSnpEvidence.read({"version": 1} | changes)


def test_most_guests_have_no_devices() -> None:
    for text in ("", " ", "{}", " {} "):
        assert read_devices(text) is None


def test_archived_evidence_of_a_tee_that_is_not_known() -> None:
    pubkey = jwk.from_public_key(KEY.public_key()) | {"alg": "ECDH-ES+A256KW"}
    archived = {
        "tee": "sgx",
        "runtime-data": {"nonce": "a nonce", "tee-pubkey": pubkey},
        "tee-evidence": {"primary_evidence": {}, "additional_evidence": ""},
    }
    with pytest.raises(Refusal, match="TEE 'sgx' is not supported, one of snp, tdx"):
        Evidence.from_json(json.dumps(archived).encode())
