"""The emulated hardware's evidence, checked with `cryptography` alone and with the verifier."""

import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from sandbox.hardware import Chip, LaunchPolicy, PkiError, SandboxPki, SnpFirmware, Tcb

POLICY = LaunchPolicy(abi=(1, 51), smt=True, migrate_ma=False, debug=False, single_socket=False)
MEASUREMENT = bytes(range(48))


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    return SandboxPki(tmp_path_factory.mktemp("hardware"))


@pytest.fixture(scope="module")
def firmware(pki):
    return SnpFirmware(pki, Chip("host-1"))


def raw_signature(report: bytes) -> bytes:
    r, s = (int.from_bytes(report[start : start + 72], "little") for start in (0x2A0, 0x2A0 + 72))
    return encode_dss_signature(r, s)


def test_report_verifies_with_the_key_in_the_vcek_certificate(firmware):
    report = firmware.report(firmware.launch(MEASUREMENT, POLICY), b"\x07" * 64)
    key = x509.load_der_x509_certificate(firmware.certificates.leaf).public_key()
    key.verify(raw_signature(report), report[:0x2A0], ec.ECDSA(hashes.SHA384()))
    with pytest.raises(InvalidSignature):
        key.verify(raw_signature(report), report[:0x29F] + b"\x01", ec.ECDSA(hashes.SHA384()))


def test_report_states_the_guest_at_the_offsets_of_the_specification(firmware):
    guest = firmware.launch(MEASUREMENT, POLICY, host_data=b"\x05" * 32, vmpl=2)
    report = firmware.report(guest, b"\x07" * 64)
    assert len(report) == 1184
    assert int.from_bytes(report[:4], "little") == 3
    assert int.from_bytes(report[8:16], "little") == 1 << 17 | 1 << 16 | 1 << 8 | 51
    assert report[0x30] == 2
    assert report[0x50:0x90] == b"\x07" * 64
    assert report[0x90:0xC0] == MEASUREMENT
    assert report[0xC0:0xE0] == b"\x05" * 32
    assert report[0x140:0x160] == guest.report_id
    assert report[0x188:0x18B] == bytes([0x19, 1, 1])
    assert report[0x1A0:0x1E0] == Chip("host-1").chip_id
    for tcb_offset in (0x38, 0x180, 0x1E0, 0x1F0):
        assert report[tcb_offset : tcb_offset + 8] == bytes([4, 0, 0, 0, 0, 0, 24, 219])


@pytest.mark.parametrize(
    ("change", "bit"), [({"debug": True}, 19), ({"migrate_ma": True}, 18), ({"single_socket": True}, 20)]
)
def test_policy_bits(change, bit):
    assert replace(POLICY, **change).bits() == POLICY.bits() | 1 << bit


def test_report_data_has_one_length(firmware):
    with pytest.raises(ValueError, match="64 bytes, not 63"):
        firmware.report(firmware.launch(MEASUREMENT, POLICY), bytes(63))


def test_chain_is_pss_signed_and_says_that_it_is_not_amd(firmware):
    chain = firmware.certificates
    ark, ask, vcek = (x509.load_der_x509_certificate(der) for der in (chain.ark, chain.intermediate, chain.leaf))
    pss = padding.PSS(mgf=padding.MGF1(hashes.SHA384()), salt_length=48)
    for child, parent in ((ark, ark), (ask, ark), (vcek, ask)):
        parent.public_key().verify(child.signature, child.tbs_certificate_bytes, pss, hashes.SHA384())
    assert all("NOT AMD" in certificate.subject.rfc4514_string() for certificate in (ark, ask, vcek))
    assert ark.public_key().key_size == ask.public_key().key_size == 4096


def test_vcek_names_its_chip_and_tcb(pki):
    chip = Chip("host-2", Tcb(bootloader=3, tee=1, snp=127, microcode=128))
    certificate = x509.load_der_x509_certificate(SnpFirmware(pki, chip).certificates.leaf)
    values = {
        extension.oid.dotted_string.removeprefix("1.3.6.1.4.1.3704.1."): extension.value.value
        for extension in certificate.extensions
    }
    assert values["1"] == b"\x02\x01\x00"
    assert values["2"] == b"\x16\x08Milan-B0"
    assert [values[f"3.{number}"] for number in (1, 2, 3, 8)] == [
        b"\x02\x01\x03",
        b"\x02\x01\x01",
        b"\x02\x01\x7f",
        b"\x02\x02\x00\x80",
    ]
    assert values["4"] == chip.chip_id


def test_keys_are_made_once_and_only_their_owner_reads_them(tmp_path):
    with ThreadPoolExecutor(3) as pool:
        chains = list(pool.map(lambda _: SnpFirmware(SandboxPki(tmp_path), Chip("h")).certificates, range(3)))
    assert len(set(chains)) == 1
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {path.name for path in files} >= {"ark.pem", "ask.pem"}
    assert len(files) == 3
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


def test_a_damaged_key_file_is_named(tmp_path):
    path: Path = tmp_path / "ark.pem"
    path.write_text("-----BEGIN nothing")
    with pytest.raises(PkiError, match=r"ark\.pem.*delete the directory"):
        _ = SandboxPki(tmp_path).ark
