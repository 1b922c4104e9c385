"""Launch endorsements: each check fails alone, parsing is total, and what an endorsement adds to a verdict."""

from datetime import UTC, datetime, timedelta
from functools import cache

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.verifier import fake_amd
from tests.verifier.collateral.test_google import GENUINE, GENUINE_MR_TD, field
from tests.verifier.fake_x509 import tlv
from tests.verifier.tdx import fake_intel
from verifier import google, verify
from verifier.appraisal import AppraisalPolicy
from verifier.errors import MalformedEvidence, VerificationFailed
from verifier.google.endorsement import MAX_ENDORSEMENT_BYTES
from verifier.pki import Certificate
from verifier.snp import parse as parse_report
from verifier.tdx import parse as parse_quote
from verifier.trust import TrustAnchor, TrustStore

AT = datetime(2026, 6, 1, 12, tzinfo=UTC)
MADE = datetime(2026, 3, 1, tzinfo=UTC)
REPORT = fake_amd.milan().report()
MEASUREMENT = parse_report(REPORT).measurement
MR_TD = parse_quote(fake_intel.world().quote()).report.mr_td
LAUNCH_POLICY = parse_report(REPORT).policy


@cache
def key(name: str) -> rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey:
    if name == "elliptic":
        return ec.generate_private_key(ec.SECP384R1())
    return rsa.generate_private_key(65537, 2048)


@cache
def certificate(subject: str, issuer: str, *, days: int = 365, pss: bool = True) -> bytes:
    names = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in (subject, issuer)]
    builder = (
        x509.CertificateBuilder(names[1], names[0], key(subject).public_key(), x509.random_serial_number())
        .not_valid_before(AT - timedelta(days=days))
        .not_valid_after(AT + timedelta(days=days))
        .add_extension(x509.BasicConstraints(subject == issuer, None), critical=True)
    )
    scheme = padding.PSS(padding.MGF1(hashes.SHA256()), 32) if pss else None
    return builder.sign(key(issuer), hashes.SHA256(), rsa_padding=scheme).public_bytes(Encoding.DER)


def snp_part(measurement: bytes = MEASUREMENT, policy: int = LAUNCH_POLICY) -> bytes:
    return field(7, field(1, 4) + field(2, field(1, 8) + field(2, measurement)) + field(5, policy))


def tdx_part(measurement: bytes = MR_TD) -> bytes:
    return field(8, field(1, 2) + field(2, field(1, 16) + field(2, 1) + field(3, measurement)))


def endorsement(
    parts: bytes | None = None, signer: bytes | None = None, by: str = "signer", seconds: int | None = None
) -> bytes:
    made = int(MADE.timestamp()) if seconds is None else seconds
    golden = field(1, field(1, made)) + field(4, signer or certificate("signer", "root"))
    golden += field(5, bytes(48)) + (snp_part() + tdx_part() if parts is None else parts)
    scheme = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    return field(1, golden) + field(2, key(by).sign(golden, scheme, hashes.SHA256()))


def anchor() -> TrustAnchor:
    return TrustAnchor("google", frozenset({"google-tcb"}), Certificate.parse(certificate("root", "root", days=3650)))


def failed_check(content: bytes, at: datetime = AT) -> str:
    with pytest.raises(VerificationFailed) as failure:
        google.verify(google.parse(content), TrustStore([anchor()]), at)
    return failure.value.check


class TestVerify:
    def test_a_genuine_endorsement(self):
        genuine = google.verify(google.parse(endorsement()), TrustStore([anchor()]), AT).endorsement
        assert genuine.made_at == MADE
        assert genuine.endorses("snp", MEASUREMENT).measurements == {MEASUREMENT: "8 vCPUs"}
        assert genuine.endorses("tdx", MR_TD).measurements == {MR_TD: "16 GiB, memory accepted early"}
        assert genuine.endorses("snp", bytes(48)) is None

    def test_the_signature(self):
        assert failed_check(endorsement(by="other")) == "endorsement.signature"

    def test_the_signer_s_issuer(self):
        assert failed_check(endorsement(signer=certificate("signer", "other"))) == "endorsement.chain.leaf.signature"

    def test_the_algorithm_of_the_signer_s_certificate(self):
        plain = certificate("signer", "root", pss=False)
        assert failed_check(endorsement(signer=plain)) == "endorsement.chain.leaf.algorithm"

    def test_the_signer_s_key(self):
        signer = certificate("elliptic", "root")
        assert failed_check(endorsement(signer=signer)) == "endorsement.chain.leaf.key"

    def test_a_signer_s_key_that_cannot_be_read(self):
        made = Certificate.parse(certificate("elliptic", "root"))
        p384, no_curve = bytes.fromhex("2b81040022"), bytes.fromhex("2b8104007f")
        signed = made.signed.replace(p384, no_curve)
        signature = key("root").sign(signed, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())
        signer = tlv(0x30, signed, made.algorithm, tlv(0x03, b"\0", signature))
        with pytest.raises(MalformedEvidence, match="a key that cannot be read"):
            google.verify(google.parse(endorsement(signer=signer)), TrustStore([anchor()]), AT)

    @pytest.mark.parametrize("days", [-366, 366])
    def test_the_signer_s_validity(self, days):
        assert failed_check(endorsement(), AT + timedelta(days=days)) == "endorsement.chain.leaf.validity"

    def test_the_root_s_validity(self):
        signer = certificate("signer", "root", days=9000)
        assert failed_check(endorsement(signer=signer), AT + timedelta(days=4000)) == "endorsement.chain.root.validity"

    def test_a_root_must_be_pinned(self):
        with pytest.raises(VerificationFailed, match="no root for Google"):
            google.verify(google.parse(endorsement()), TrustStore([]), AT)

    def test_no_other_root_is_google_s(self):
        with pytest.raises(VerificationFailed, match="no pinned root issued"):
            google.verify(google.parse(endorsement()), TrustStore.production(), AT)


class TestGenuine:
    """What Google published on 2026-05-21 for the firmware of its machines."""

    CONTENT = GENUINE.read_bytes()

    def test_it_verifies_under_the_pinned_root(self):
        verified = google.verify(google.parse(self.CONTENT), TrustStore.production(), AT)
        assert verified.anchor.certificate.common_name == "GCE-cc-tcb-root"
        firmware = verified.endorsement.endorses("tdx", GENUINE_MR_TD)
        assert (firmware.svn, firmware.measurements) == (2, {GENUINE_MR_TD: "any size of memory"})
        vcpus = {
            int(machine.removesuffix(" vCPUs"))
            for machine in verified.endorsement.firmware["snp"].measurements.values()
        }
        assert vcpus == {1, 2, 4, 8, 16, 24, 32, 48, 64, 80, 96, 112, 128, 224, 240}

    @pytest.mark.parametrize("year", [2026, 2032])
    def test_neither_before_its_signer_s_time_nor_after(self, year):
        at = datetime(year, 5, 5, 20, 1, 4, tzinfo=UTC)
        with pytest.raises(VerificationFailed) as failure:
            google.verify(google.parse(self.CONTENT), TrustStore.production(), at)
        assert failure.value.check == "endorsement.chain.leaf.validity"

    def test_not_with_one_bit_changed(self):
        changed = self.CONTENT.replace(GENUINE_MR_TD, GENUINE_MR_TD[:-1] + b"\xa4")
        assert changed != self.CONTENT
        with pytest.raises(VerificationFailed, match="did not sign this"):
            google.verify(google.parse(changed), TrustStore.production(), AT)


class TestParse:
    @pytest.mark.parametrize(
        ("content", "reason"),
        [
            (b"", "field 1 is missing"),
            (field(1, b"x"), "field 2 is missing"),
            (field(1, b"") + field(1, b"") + field(2, b""), "occurs 2 times"),
            (field(1, 5) + field(2, b""), "field 1 is missing"),
            (endorsement(seconds=253_402_300_800), "no time"),
            (endorsement(parts=field(7, 5)), "another kind"),
            (endorsement(parts=field(7, field(1, b"svn"))), "another kind"),
            (endorsement(parts=field(7, field(2, 5))), "another kind"),
            (endorsement(parts=snp_part(bytes(47))), "47 bytes"),
            (endorsement(parts=tdx_part(bytes(49))), "49 bytes"),
            (field(1, field(4, b"signer")) + field(2, b""), "timestamp, is missing"),
            (b"\x0b", "wire type 3"),
            (b"\x0a\x05abc", "cut off"),
            (b"\x0a" + b"\xff" * 9 + b"\x02", "64 bits"),
            (b"\xff" * 11, "64 bits"),
            (b"\xff", "cut off"),
            (b"\x09\x00", "cut off"),
            (bytes(MAX_ENDORSEMENT_BYTES + 1), "at most"),
        ],
    )
    def test_what_is_refused(self, content, reason):
        with pytest.raises(MalformedEvidence, match=reason):
            google.parse(content)

    def test_what_is_left_out_has_its_default(self):
        parsed = google.parse(endorsement(parts=field(7, field(2, field(2, MEASUREMENT)))))
        firmware = parsed.endorses("snp", MEASUREMENT)
        assert (firmware.svn, firmware.measurements) == (0, {MEASUREMENT: "0 vCPUs"})
        made = field(1, field(1, 1))
        assert google.parse(field(1, made + field(4, b"signer")) + field(2, b"signature")).digest == b""

    def test_fields_that_nobody_knows_are_skipped(self):
        added = field(99, b"later") + b"\x99\x06" + bytes(8) + b"\x9d\x06" + bytes(4)
        assert google.parse(endorsement(parts=snp_part() + added)).endorses("snp", MEASUREMENT)

    @settings(max_examples=300, deadline=None)
    @given(st.data())
    def test_any_change_of_any_byte_is_refused_or_read(self, data):
        content = bytearray(GENUINE)
        for _ in range(data.draw(st.integers(1, 3))):
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
        if bytes(content) != GENUINE:
            with pytest.raises((MalformedEvidence, VerificationFailed)):
                google.verify(google.parse(bytes(content)), TrustStore([anchor()]), AT)


GENUINE = endorsement()


class TestVerdict:
    """An endorsement in the folder of an SNP report, or of a TDX quote."""

    def against(self, tmp_path, content=None, at=fake_amd.AT, tee="snp", **policy) -> list[str]:
        world = fake_amd.milan() if tee == "snp" else fake_intel.world()
        if content is not None:
            (tmp_path / "launch_endorsement.binarypb").write_bytes(content)
        if tee == "snp":
            (tmp_path / "vcek.der").write_bytes(world.leaf.encode())
            (tmp_path / "ask.der").write_bytes(world.intermediate.encode())
        trust = TrustStore((*world.trust().anchors, anchor()))
        demands = AppraisalPolicy(freshness="if-given", reference_values="if-given", google=policy)
        verdict = verify(world.report() if tee == "snp" else world.quote(), demands, tmp_path, at, trust=trust)
        assert verdict.genuine
        self.names = [claim.name for claim in verdict.claims]
        return [claim.name for claim in verdict.claims if claim.tier > 2]

    def test_google_s_firmware_is_named(self, tmp_path):
        assert self.against(tmp_path, GENUINE, launch_endorsement="required", minimum_svn=4) == []
        assert {"launch-endorsement", "launch-endorsement.svn", "launch-endorsement.policy"} <= set(self.names)

    def test_without_one_nothing_is_said_unless_it_is_demanded(self, tmp_path):
        assert self.against(tmp_path) == []
        assert "launch-endorsement" not in self.names
        assert self.against(tmp_path, launch_endorsement="required") == ["launch-endorsement"]

    def test_one_of_other_firmware(self, tmp_path):
        assert self.against(tmp_path, endorsement(parts=snp_part(bytes(48)))) == ["launch-endorsement"]

    def test_one_for_tdx_says_nothing_about_snp(self, tmp_path):
        assert self.against(tmp_path, endorsement(parts=tdx_part())) == ["launch-endorsement"]

    @pytest.mark.parametrize("content", [endorsement(by="other"), b"\xff"])
    def test_one_that_is_not_genuine(self, tmp_path, content):
        assert self.against(tmp_path, content) == ["launch-endorsement"]

    def test_firmware_that_is_too_old(self, tmp_path):
        assert self.against(tmp_path, GENUINE, minimum_svn=5) == ["launch-endorsement.svn"]

    def test_an_endorsement_may_leave_the_policy_open(self, tmp_path):
        assert self.against(tmp_path, endorsement(parts=snp_part(policy=0))) == []
        assert "launch-endorsement.policy" not in self.names

    def test_a_guest_launched_with_another_policy(self, tmp_path):
        content = endorsement(parts=snp_part(policy=LAUNCH_POLICY ^ 1 << 16))
        assert self.against(tmp_path, content) == ["launch-endorsement.policy"]
