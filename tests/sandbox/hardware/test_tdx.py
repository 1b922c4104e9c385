"""The emulated TDX hardware's evidence: genuine in format, and accepted only where a configuration names its root."""

import base64
import hashlib
import os
import stat
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509

from sandbox.hardware import OLD_PLATFORM_TCB, IntelPki, Measured, PkiError, Platform, TdxModule, publish_collateral
from sandbox.hardware.intel_collateral import ADVISORY, files
from sandbox.hardware.platform import FMSPC
from verifier import tdx
from verifier.errors import VerificationFailed
from verifier.tdx import event_log
from verifier.trust import TrustStore

NOW = datetime.now(UTC)
HOST = Platform("host-1")
EVENTS = (Measured(0, 0x8000000B, b"shape"), Measured(1, 0x80000003, b"kernel"), Measured(2, 0x0D, b"application"))
MR_TD = bytes(range(48))


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    return IntelPki(tmp_path_factory.mktemp("intel"))


@pytest.fixture(scope="module")
def store(pki, tmp_path_factory):
    directory = tmp_path_factory.mktemp("collateral")
    publish_collateral(pki, directory)
    return tdx.CollateralStore(directory)


def quote(pki, platform=HOST, **launch):
    module = TdxModule(pki, platform)
    return module.quote(module.launch(MR_TD, EVENTS, **launch), b"\x07" * 64)


def verified(encoded, store, pki, at=NOW):
    parsed = tdx.parse(encoded)
    return tdx.verify(parsed, store.find(parsed), TrustStore.production().with_sandbox(pki.root.pem), at)


def test_a_quote_verifies_under_the_sandbox_root_with_the_published_collateral(pki, store):
    found = verified(quote(pki, mr_config_id=b"\x05" * 48), store, pki)
    assert found.tcb.status is tdx.TcbStatus.UP_TO_DATE
    assert found.endorsement.chain.anchor.name == "sandbox"
    assert found.endorsement.chain.platform.ppid == HOST.ppid
    report = found.quote.report
    assert (report.mr_td, report.mr_config_id, report.report_data) == (MR_TD, b"\x05" * 48, b"\x07" * 64)


def test_a_quote_states_the_td_at_the_offsets_of_the_specification(pki):
    encoded = quote(pki, attributes=1 << 28 | 1)
    assert encoded[:8] == bytes([4, 0, 2, 0, 0x81, 0, 0, 0])
    body = encoded[48:]
    assert body[:4] == bytes([6, 1, 3, 0])
    assert int.from_bytes(body[120:128], "little") == 1 << 28 | 1
    assert body[136:184] == MR_TD
    kernel = hashlib.sha384(bytes(48) + hashlib.sha384(b"kernel").digest()).digest()
    assert body[376:424] == kernel
    assert body[472:520] == bytes(48)
    assert body[520:584] == b"\x07" * 64


def test_the_event_log_replays_to_the_registers(pki):
    module = TdxModule(pki, HOST)
    td = module.launch(MR_TD, EVENTS)
    log = event_log.parse(td.event_log)
    assert event_log.replay(log) == td.rtmrs
    event_log.verify(log, tdx.parse(module.quote(td, bytes(64))).report)
    assert [event.data for event in log.of(2)] == [b"application"]
    assert log.padding > 0


def test_an_old_platform_is_out_of_date_and_its_advisory_is_named(pki, store):
    found = verified(quote(pki, Platform("host-1", OLD_PLATFORM_TCB)), store, pki)
    assert found.tcb.status is tdx.TcbStatus.OUT_OF_DATE
    assert found.tcb.advisories == (ADVISORY,)


def test_production_trust_and_another_projects_root_refuse_it(pki, store, tmp_path):
    parsed = tdx.parse(quote(pki))
    foreign = TrustStore.production().with_sandbox(IntelPki(tmp_path).root.pem)
    for trust in (TrustStore.production(), foreign):
        with pytest.raises(VerificationFailed, match=r"chain\.root"):
            tdx.verify(parsed, store.find(parsed), trust, NOW)


def test_collateral_expires(pki, store):
    with pytest.raises(VerificationFailed, match=r"tcb-info\.validity"):
        verified(quote(pki), store, pki, NOW + timedelta(days=31))


def test_every_certificate_says_that_it_is_not_intels(pki):
    certificates = TdxModule(pki, HOST).certificates
    assert set(certificates) == {"pck", "platform_ca", "root"}
    for encoded in (*certificates.values(), pki.tcb_signing.der):
        assert "NOT INTEL" in x509.load_der_x509_certificate(encoded).subject.rfc4514_string()


def test_keys_are_made_once_and_only_their_owner_reads_them(tmp_path):
    first, second = (TdxModule(IntelPki(tmp_path), Platform("h")).certificates for _ in range(2))
    assert first == second
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {path.name for path in kept} >= {"root.pem", "platform-ca.pem"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in kept} == {0o600}


def test_a_damaged_key_file_is_named(tmp_path):
    (tmp_path / "root.pem").write_text("-----BEGIN nothing")
    with pytest.raises(PkiError, match=r"root\.pem.*delete the directory"):
        _ = IntelPki(tmp_path).root


def test_collateral_is_published_anew_when_it_is_a_day_old(pki, tmp_path):
    publish_collateral(pki, tmp_path)
    (folder,) = tmp_path.iterdir()
    assert folder.name == FMSPC.hex()
    assert {path.name for path in folder.iterdir()} == set(files(pki, NOW))
    signature = (folder / "tcb_info.sig").read_bytes()
    publish_collateral(pki, tmp_path)
    assert (folder / "tcb_info.sig").read_bytes() == signature
    yesterday = (NOW - timedelta(days=1, hours=1)).timestamp()
    os.utime(folder / "tcb_info.json", (yesterday, yesterday))
    publish_collateral(pki, tmp_path)
    assert (folder / "tcb_info.sig").read_bytes() != signature
    assert [path.name for path in tmp_path.iterdir()] == [FMSPC.hex()]


def test_a_verifier_without_collateral_for_a_platform_says_which(pki, tmp_path):
    parsed = tdx.parse(quote(pki))
    for directory, reason in ((None, "has no collateral store"), (tmp_path, "is not there")):
        with pytest.raises(VerificationFailed, match=rf"collateral\.missing.*{FMSPC.hex()}.*{reason}"):
            tdx.CollateralStore(directory).find(parsed)
    (tmp_path / FMSPC.hex()).mkdir()
    with pytest.raises(VerificationFailed, match=r"collateral\.missing.*tcb_info\.json"):
        tdx.CollateralStore(tmp_path).find(parsed)


def test_collateral_as_members_is_the_same_collateral(pki, store):
    collateral = store.find(tdx.parse(quote(pki)))
    members = collateral.members()
    assert base64.b64decode(members["tcb_info"]) == collateral.tcb_info
    assert tdx.Collateral.from_members(members) == collateral
    with pytest.raises(KeyError):
        tdx.Collateral.from_members({})


def test_report_data_has_one_length(pki):
    module = TdxModule(pki, HOST)
    with pytest.raises(ValueError, match="64 bytes, not 48"):
        module.quote(module.launch(MR_TD, ()), bytes(48))
