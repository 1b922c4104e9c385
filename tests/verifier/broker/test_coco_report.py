"""Evidence as the guest components of Confidential Containers send it: the report's fields instead of its bytes."""

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.verifier.emulated_site import RESOURCE, Client, Guest, Refused
from verifier import snp
from verifier.broker.coco_report import report_from_fields


def tcb(raw: bytes, *, turin: bool = False) -> dict[str, int | None]:
    if turin:
        return {"fmc": raw[0], "bootloader": raw[1], "tee": raw[2], "snp": raw[3], "microcode": raw[7]}
    return {"fmc": None, "bootloader": raw[0], "tee": raw[1], "snp": raw[6], "microcode": raw[7]}


def fields(raw: bytes) -> dict[str, Any]:
    """The members that the crate virtee/sev serialises, from the report's bytes."""
    report = snp.parse(raw)
    turin = report.cpuid_family == 0x1A
    names = ("family_id", "image_id", "report_data", "measurement", "host_data", "id_key_digest", "author_key_digest")
    return {
        **{name: list(getattr(report, name)) for name in (*names, "report_id", "report_id_ma", "chip_id")},
        **{name: getattr(report, name) for name in ("version", "guest_svn", "policy", "vmpl", "key_info")},
        **{f"{name}_tcb": tcb(getattr(report, f"{name}_tcb"), turin=turin) for name in ("current", "reported")},
        **{f"{name}_tcb": tcb(getattr(report, f"{name}_tcb"), turin=turin) for name in ("committed", "launch")},
        "sig_algo": report.signature_algo,
        "plat_info": report.platform_info,
        "cpuid_fam_id": report.cpuid_family,
        "cpuid_mod_id": report.cpuid_model,
        "cpuid_step": report.cpuid_stepping,
        "current": {"major": report.current_major, "minor": report.current_minor, "build": report.current_build},
        "committed": {
            "major": report.committed_major,
            "minor": report.committed_minor,
            "build": report.committed_build,
        },
        "launch_mit_vector": report.launch_mitigations or None,
        "current_mit_vector": report.current_mitigations or None,
        "signature": {"r": list(raw[0x2A0:0x2E8]), "s": list(raw[0x2E8:0x330])},
    }


def test_a_guest_that_sends_fields_and_byte_lists_is_served(client: Client, guest: Guest) -> None:
    nonce = guest.auth(client)
    message = guest.message(nonce)
    primary = message["tee-evidence"]["primary_evidence"]
    primary["attestation_report"] = fields(base64.b64decode(primary["attestation_report"]))
    for entry in primary["cert_chain"]:
        entry["data"] = list(base64.b64decode(entry["data"]))
    response = client.post("/kbs/v0/attest", json=message)
    assert response.status_code == 200, response.text
    assert client.get(f"/kbs/v0/resource/{RESOURCE}").status_code == 200


@given(st.binary(min_size=8, max_size=8), st.booleans())
def test_a_tcb_has_its_bytes_where_the_product_has_them(raw: bytes, turin: bool) -> None:
    bare = dict.fromkeys(("family_id", "image_id"), [0] * 16)
    report = bytearray(1184)
    head, tail = (raw[:4], raw[7:]) if turin else (raw[:2], raw[6:])
    expected = head + bytes(8 - len(head) - len(tail)) + tail
    value = fields(_minimal(report, turin=turin)) | bare | {"reported_tcb": tcb(raw, turin=turin)}
    assert report_from_fields(value)[0x180:0x188] == expected


def _minimal(report: bytearray, *, turin: bool) -> bytes:
    report[0] = 3
    report[10] = 2  # POLICY bit 17
    report[0x188:0x18B] = bytes((0x1A if turin else 0x19, 1, 1))
    report[0x2A0] = report[0x2E8] = 1
    return bytes(report)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"report_data": [0] * 63}, "report_data"),
        ({"report_data": "AAAA"}, "report_data"),
        ({"vmpl": -1}, "vmpl"),
        ({"policy": 1 << 64}, "policy"),
        ({"chip_id": [256] * 64}, "range"),
        ({"sig_algo": None}, "sig_algo"),
        ({"signature": {"r": [0] * 72, "s": [0] * 71}}, "signature.s"),
        ({"launch_tcb": tcb(bytes(8)) | {"snp": None}}, "integer"),
    ],
)
def test_a_field_that_does_not_fit_is_named(
    client: Client, guest: Guest, refused: Refused, change: dict[str, Any], reason: str
) -> None:
    message = guest.message(guest.auth(client))
    primary = message["tee-evidence"]["primary_evidence"]
    primary["attestation_report"] = fields(base64.b64decode(primary["attestation_report"])) | change
    refused(client.post("/kbs/v0/attest", json=message), 401, reason)
