"""A processor's report in a message of go-tpm-tools: the bytes that were signed come back, or it is refused."""

from typing import Any

import pytest

from tests.verifier import fake_amd, genuine
from tests.verifier.collateral.test_google import field
from tests.verifier.google.fake_machine import (
    GUID,
    Fields,
    encoded,
    extra,
    quote_fields,
    quote_message,
    report_fields,
    snp_attestation,
)
from tests.verifier.google.test_vtpm import GOOD
from tests.verifier.tdx import fake_intel
from tests.verifier.tdx.genuine import ONE_PER_QUOTE
from verifier import snp, tdx, tpm
from verifier.errors import MalformedEvidence, VerificationFailed
from verifier.google import snp_report, td_quote, vtpm
from verifier.google.protobuf import Message
from verifier.snp import SigningKey
from verifier.trust import TrustStore

REPORT = fake_amd.milan().report()
QUOTE = fake_intel.world().quote()
QUOTES_V4 = [case for case in ONE_PER_QUOTE if case.quote[0] == 4]


def read(attestation: bytes) -> tpm.CarriedReport:
    """What the whole message carries."""
    found = vtpm.parse(GOOD.encoded + attestation).report
    assert found is not None
    return found


def refused(attestation: bytes) -> str:
    with pytest.raises(MalformedEvidence) as error:
        vtpm.parse(GOOD.encoded + attestation)
    return error.value.reason


def report_message(changes: Fields | None = None, more: bytes = b"", report: bytes = REPORT) -> bytes:
    return field(8, field(1, encoded(report_fields(report) | (changes or {})) + more))


def without(number: int) -> bytes:
    return field(8, field(1, encoded({key: it for key, it in report_fields(REPORT).items() if key != number})))


class TestGenuine:
    @pytest.mark.parametrize("case", genuine.genuine(), ids=lambda case: case.id)
    def test_an_snp_report_comes_back_and_verifies(self, case: genuine.Genuine) -> None:
        leaf = 1 if case.endorsements.kind is SigningKey.VCEK else 6
        carried = read(field(8, snp_attestation(case.report, field(leaf, case.endorsements.leaf))))
        assert isinstance(carried.evidence, snp.SnpReport)
        assert carried.evidence.raw == case.report
        assert carried.endorsements == case.endorsements
        assert snp.verify(carried.evidence, case.endorsements, TrustStore.production(), case.at)

    @pytest.mark.parametrize("case", QUOTES_V4, ids=lambda case: case.id)
    def test_a_quote_comes_back_and_verifies(self, case: Any) -> None:
        message = quote_message(quote_fields(case.quote))
        assert td_quote.signed_bytes(Message(message, "quote")) == case.quote
        in_a_buffer = case.quote + bytes(100)
        assert td_quote.signed_bytes(Message(quote_message(quote_fields(in_a_buffer)), "quote")) == in_a_buffer
        quote = read(field(9, message)).evidence
        assert isinstance(quote, tdx.TdxQuote)
        assert quote == tdx.parse(case.quote)
        assert tdx.verify(quote, case.collateral, TrustStore.production(), case.at)

    def test_every_version_of_a_report_is_among_them(self) -> None:
        assert {case.report[0] for case in genuine.genuine()} == {2, 3, 5}
        assert len(QUOTES_V4) >= 5

    def test_a_changed_field_is_not_what_was_signed(self) -> None:
        world = fake_amd.milan()
        carried = read(report_message({2: 7}))
        assert isinstance(carried.evidence, snp.SnpReport)
        with pytest.raises(VerificationFailed, match="did not sign"):
            snp.verify(carried.evidence, world.endorsements(), world.trust(), world.at)


class TestSnp:
    @pytest.mark.parametrize("number", [*range(4, 6), *range(11, 18), 19, 28])
    def test_a_field_of_another_length_or_none(self, number: int) -> None:
        whole = report_fields(REPORT)[number]
        assert isinstance(whole, bytes)
        assert f"field {number} has {len(whole) - 1} bytes, {len(whole)} expected" in refused(
            report_message({number: whole[:-1]})
        )
        assert f"field {number} has {len(whole) + 1} bytes" in refused(report_message({number: whole + b"\0"}))
        assert f"field {number} is missing" in refused(without(number))

    @pytest.mark.parametrize(
        ("number", "size"),
        [*dict.fromkeys((1, 2, 6, 7, 10), 4).items(), *dict.fromkeys(range(21, 27), 1).items()],
    )
    def test_a_number_that_is_too_large(self, number: int, size: int) -> None:
        assert f"field {number} is {1 << 8 * size:#x}" in refused(report_message({number: 1 << 8 * size}))

    @pytest.mark.parametrize("eax", [0x1000_0F10, 0x0000_4F10, 0x0010_0110, 0x0FF0_0F10])
    def test_what_is_no_processor_s_cpuid(self, eax: int) -> None:
        assert "no processor's CPUID" in refused(report_message({29: eax}))

    @pytest.mark.parametrize(
        ("attestation", "reason"),
        [
            (report_message(more=field(32, 1)), "field 32 is not known"),
            (report_message(more=b"\x85\x02abcd"), "field 32 is not known"),
            (report_message(more=field(1, 3)), "field 1 occurs 2 times"),
            (report_message(more=field(12, bytes(48))), "field 12 occurs 2 times"),
            (report_message({1: b"3"}), "field 1 is of another kind"),
            (report_message({12: 5}), "field 12 is missing"),
            (report_message({3: 0}), "bit 17 must be one"),
            (field(8, b""), "field 1 is missing"),
            (field(8, snp_attestation(REPORT, more=field(4, 1))), "SNP attestation: field 4 is not known"),
            (field(8, snp_attestation(REPORT, more=field(3, b"") * 2)), "field 3 occurs 2 times"),
            (field(8, snp_attestation(REPORT, field(5, b"x"))), "certificate chain: field 5 is not known"),
            (field(8, snp_attestation(REPORT, field(1, b"x") * 2)), "field 1 occurs 2 times"),
            (field(8, snp_attestation(REPORT, field(6, b"x") * 2)), "field 6 occurs 2 times"),
            (field(8, snp_attestation(REPORT, field(4, b"x") * 2)), "field 4 occurs 2 times"),
            (field(8, snp_attestation(REPORT, extra(GUID, b"x") * 2)), "2 launch endorsements"),
            (field(8, snp_attestation(REPORT, field(1, b"-----BEGIN x"))), "PEM without a certificate"),
        ],
    )
    def test_what_is_not_a_report_and_its_chain(self, attestation: bytes, reason: str) -> None:
        assert reason in refused(attestation)

    def test_certificates_are_those_of_the_key_that_signed(self) -> None:
        assert read(field(8, snp_attestation(REPORT))).endorsements is None
        assert read(field(8, snp_attestation(REPORT, field(6, b"vlek") + field(2, b"asvk")))).endorsements is None
        whole = field(1, b"vcek") + field(2, b"ask") + field(3, b"ark") + field(6, b"vlek")
        found = read(field(8, snp_attestation(REPORT, whole))).endorsements
        assert found == snp.Endorsements(b"vcek", SigningKey.VCEK, b"ask", b"ark")
        found = read(field(8, snp_attestation(fake_amd.vlek().report(), whole))).endorsements
        assert found == snp.Endorsements(b"vlek", SigningKey.VLEK, b"ask", b"ark")
        unsigned = fake_amd.milan().with_fields(key_info=7 << 2).report()
        assert read(field(8, snp_attestation(unsigned, whole))).endorsements is None

    def test_of_the_rest_of_a_host_s_table_google_s_endorsement_is_read(self) -> None:
        chain = extra(b"92f81bc3-5811-4d3d-97ff-d19f88dc67ea", b"crl") + extra(GUID, b"endorsement")
        assert read(field(8, snp_attestation(REPORT, chain, more=field(3, field(1, 1))))).firmware == b"endorsement"

    def test_the_product_s_numbers(self) -> None:
        """Turin: family 1Ah, model 02h, as EAX has them."""
        report = fake_amd.turin().report()
        assert report_fields(report)[29] == 0x00B00F21
        assert snp_report.signed_bytes(Message(encoded(report_fields(report)), "report")) == report


def td_message(part: str, changes: Fields | None = None, more: bytes = b"", drop: int | None = None) -> bytes:
    """A quote's message with a change in one of its messages; more: fields at the end of that one's certification."""
    parts = quote_fields(QUOTE)
    parts[part] = {key: it for key, it in (parts[part] | (changes or {})).items() if key != drop}
    return field(9, quote_message(parts) + more)


class TestTdx:
    @pytest.mark.parametrize(
        ("part", "number"),
        [
            (part, number)
            for part, found in quote_fields(QUOTE).items()
            for number, it in found.items()
            if isinstance(it, bytes) and part not in {"pck", "auth"}
        ],
    )
    def test_a_field_of_another_length_or_none(self, part: str, number: int) -> None:
        whole = quote_fields(QUOTE)[part][number]
        assert isinstance(whole, bytes)
        assert f"field {number} has {len(whole) - 1} bytes" in refused(td_message(part, {number: whole[:-1]}))
        assert f"field {number} has {len(whole) + 1} bytes" in refused(td_message(part, {number: whole + b"x"}))
        assert f"field {number} is missing" in refused(td_message(part, drop=number))

    @pytest.mark.parametrize("part", list(quote_fields(QUOTE)))
    def test_a_field_that_is_not_known(self, part: str) -> None:
        assert "field 13 is not known" in refused(td_message(part, {13: b"tee_tcb_svn2"}))

    @pytest.mark.parametrize(
        ("part", "number", "size"),
        [
            ("header", 1, 2),
            ("header", 2, 2),
            ("header", 3, 4),
            ("certification", 1, 2),
            ("qe", 2, 4),
            ("qe", 9, 2),
            ("qe", 10, 2),
            ("auth", 1, 2),
            ("pck", 1, 2),
            ("pck", 2, 4),
            ("quote", 3, 4),
            ("certification", 2, 4),
        ],
    )
    def test_a_number_that_is_too_large(self, part: str, number: int, size: int) -> None:
        assert f"field {number} is {1 << 8 * size:#x}" in refused(td_message(part, {number: 1 << 8 * size}))

    @pytest.mark.parametrize(("part", "number"), [("quote", 3), ("certification", 2), ("auth", 1), ("pck", 2)])
    def test_a_size_that_is_not_what_is_there(self, part: str, number: int) -> None:
        assert "bytes stated" in refused(td_message(part, {number: 1}))

    @pytest.mark.parametrize("registers", [[], [bytes(48)] * 3, [bytes(48)] * 5, [bytes(48)] * 3 + [bytes(47)]])
    def test_four_registers(self, registers: list[bytes]) -> None:
        assert "4 RTMRs of 48 bytes expected" in refused(td_message("body", {11: registers}))

    @pytest.mark.parametrize(
        ("attestation", "reason"),
        [
            (td_message("header", {1: 3}), "quote version 3"),
            (td_message("header", {3: 0}), "TEE type 0x0 (SGX)"),
            (td_message("certification", {1: 5}), "type 6 (QE report) expected"),
            (td_message("quote", {5: b"\0\1"}), "only zeros may follow"),
            (td_message("quote", more=field(3, 1)), "field 3 occurs 2 times"),
            (td_message("quote", more=field(1, b"")), "field 1 occurs 2 times"),
            (field(9, b""), "field 1 is missing"),
        ],
    )
    def test_what_is_not_a_quote(self, attestation: bytes, reason: str) -> None:
        assert reason in refused(attestation)


@pytest.mark.parametrize(
    ("attestation", "reason"),
    [
        (report_message() + td_message("quote"), "fields 8, 9; one report is read"),
        (report_message() * 2, "field 8 occurs 2 times"),
        (field(8, 5), "field 8 is missing"),
        (field(10, report_message()), "fields 10; one report is read"),
        (b"\x45abcd", "field 8 is missing"),
    ],
)
def test_one_report_of_a_known_kind(attestation: bytes, reason: str) -> None:
    assert reason in refused(attestation)
