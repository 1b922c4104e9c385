"""A Google machine of our own: the messages of go-sev-guest and go-tdx-guest, made from a report's or a quote's bytes.

Numbers and offsets are written here a second time (proto/sevsnp.proto, proto/tdx.proto and what their `abi` says).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.verifier import fake_amd
from tests.verifier.collateral.test_google import field as member
from tests.verifier.google import test_endorsement as fake_endorsement
from tests.verifier.google import test_vtpm as fake_vtpm
from tests.verifier.tdx import fake_intel
from verifier.appraisal import AppraisalPolicy
from verifier.collateral.source import Source
from verifier.library import verify
from verifier.trust import TrustStore
from verifier.verdict import Verdict

AT = fake_amd.AT
NONCE = fake_vtpm.NONCE
REPORT_DATA = NONCE.ljust(64, b"\0")
GUID = b"9f4116cd-c503-4f5a-8f6f-fb68882f4ce2"

_SNP_NUMBERS = {
    1: (0x000, 4),
    2: (0x004, 4),
    3: (0x008, 8),
    6: (0x030, 4),
    7: (0x034, 4),
    8: (0x038, 8),
    9: (0x040, 8),
    10: (0x048, 4),
    18: (0x180, 8),
    20: (0x1E0, 8),
    21: (0x1E8, 1),
    22: (0x1E9, 1),
    23: (0x1EA, 1),
    24: (0x1EC, 1),
    25: (0x1ED, 1),
    26: (0x1EE, 1),
    27: (0x1F0, 8),
    30: (0x1F8, 8),
    31: (0x200, 8),
}
_SNP_OCTETS = {
    4: (0x010, 16),
    5: (0x020, 16),
    11: (0x050, 64),
    12: (0x090, 48),
    13: (0x0C0, 32),
    14: (0x0E0, 48),
    15: (0x110, 48),
    16: (0x140, 32),
    17: (0x160, 32),
    19: (0x1A0, 64),
    28: (0x2A0, 512),
}
_HEADER_NUMBERS, _HEADER_OCTETS = {1: (0, 2), 2: (2, 2), 3: (4, 4)}, {5: (8, 2), 4: (10, 2), 6: (12, 16), 7: (28, 20)}
_BODY_OCTETS = {
    1: (48, 16),
    2: (64, 48),
    3: (112, 48),
    4: (160, 8),
    5: (168, 8),
    6: (176, 8),
    7: (184, 48),
    8: (232, 48),
    9: (280, 48),
    10: (328, 48),
    12: (568, 64),
}
_QE_NUMBERS = {2: (16, 4), 9: (256, 2), 10: (258, 2)}
_QE_OCTETS = {
    1: (0, 16),
    3: (20, 28),
    4: (48, 16),
    5: (64, 32),
    6: (96, 32),
    7: (128, 32),
    8: (160, 96),
    11: (260, 60),
    12: (320, 64),
}
Fields = dict[int, bytes | int | list[bytes]]


def encoded(fields: Mapping[int, bytes | int | list[bytes]]) -> bytes:
    """A message; as in proto3, an integer that is 0 is left out."""
    return b"".join(member(number, value) for number, values in fields.items() for value in _values(values))


def _values(value: bytes | int | list[bytes]) -> Iterator[bytes | int]:
    if isinstance(value, list):
        yield from value
    elif value or isinstance(value, bytes):
        yield value


def _at(data: bytes, numbers: dict[int, tuple[int, int]], octets: dict[int, tuple[int, int]]) -> Fields:
    found: Fields = {number: data[start : start + size] for number, (start, size) in octets.items()}
    return found | {number: little(data, start, size) for number, (start, size) in numbers.items()}


def little(data: bytes, start: int, size: int) -> int:
    return int.from_bytes(data[start : start + size], "little")


def report_fields(report: bytes) -> Fields:
    """The fields of a Report message."""
    family, model, stepping = report[0x188:0x18B]
    base = min(family, 0xF)
    eax = (family - base) << 20 | (model >> 4) << 16 | base << 8 | (model & 0xF) << 4 | stepping
    return _at(report, _SNP_NUMBERS, _SNP_OCTETS) | {29: eax}


def quote_fields(quote: bytes) -> dict[str, Fields]:
    """The fields of each message in a QuoteV4 message; `qe_part` is what the certification data holds."""
    size = little(quote, 632, 4)
    data, extra = quote[636 : 636 + size], quote[636 + size :]
    qe = data[134:]
    auth = little(qe, 448, 2)
    pck = qe[450 + auth :]
    body = _at(quote, {}, _BODY_OCTETS) | {11: [quote[376 + 48 * index :][:48] for index in range(4)]}
    return {
        "header": _at(quote, _HEADER_NUMBERS, _HEADER_OCTETS),
        "body": body,
        "data": {1: data[:64], 2: data[64:128]},
        "certification": {1: little(data, 128, 2), 2: little(data, 130, 4)},
        "qe_part": {2: qe[384:448]},
        "qe": _at(qe, _QE_NUMBERS, _QE_OCTETS),
        "auth": {1: auth, 2: qe[450 : 450 + auth]},
        "pck": {1: little(pck, 0, 2), 2: little(pck, 2, 4), 3: pck[6:]},
        "quote": {3: size} | ({5: extra} if extra else {}),
    }


def quote_message(fields: dict[str, Fields]) -> bytes:
    """A QuoteV4 message."""
    parts = {name: encoded(members) for name, members in fields.items()}
    parts["qe_part"] += member(1, parts["qe"]) + member(3, parts["auth"]) + member(4, parts["pck"])
    parts["data"] += member(3, parts["certification"] + member(3, parts["qe_part"]))
    return member(1, parts["header"]) + member(2, parts["body"]) + parts["quote"] + member(4, parts["data"])


def extra(guid: bytes, value: bytes) -> bytes:
    """An entry of a certificate chain's map."""
    return member(7, member(1, guid) + member(2, value))


def snp_attestation(report: bytes, chain: bytes = b"", more: bytes = b"") -> bytes:
    """go-sev-guest's Attestation message."""
    return member(1, encoded(report_fields(report))) + (member(2, chain) if chain else b"") + more


@dataclass(frozen=True)
class Machine:
    """A confidential VM. A test replaces the part it is about.

    cpu: the fake AMD or Intel with its report. chain: what an SNP report's host adds, None: its VCEK and ASK.
    vtpm: the rest of the message.
    """

    cpu: fake_amd.World | fake_intel.World
    chain: bytes | None = None
    vtpm: fake_vtpm.Attestation = fake_vtpm.GOOD
    more: bytes = b""
    anchors: tuple[Any, ...] = field(default_factory=lambda: (*fake_vtpm.trust().anchors, fake_endorsement.anchor()))

    def message(self) -> bytes:
        """The whole Attestation message."""
        if isinstance(self.cpu, fake_intel.World):
            return self.vtpm.encoded + member(9, quote_message(quote_fields(self.cpu.quote()))) + self.more
        return self.vtpm.encoded + member(8, snp_attestation(self.cpu.report(), self.certificates())) + self.more

    def certificates(self) -> bytes:
        """The CertificateChain message of an SNP report."""
        assert isinstance(self.cpu, fake_amd.World)
        if self.chain is not None:
            return self.chain
        return member(1, self.cpu.leaf.encode()) + member(2, self.cpu.intermediate.encode())

    def trust(self) -> TrustStore:
        """The roots of all who vouch for it."""
        return TrustStore([*self.cpu.trust().anchors, *self.anchors], fake_vtpm.trust().intermediates)

    def verdict(
        self, policy: AppraisalPolicy, source: Source | None = None, nonce: bytes | None = NONCE, **options: Any
    ) -> Verdict:
        return verify(self.message(), policy, source, AT, nonce=nonce, trust=self.trust(), **options)


def snp(**fields: Any) -> Machine:
    """A machine on SEV-SNP whose report has the quote's nonce."""
    return Machine(fake_amd.milan().with_fields(**{"report_data": REPORT_DATA, **fields}))


def tdx(**fields: Any) -> Machine:
    """A machine on TDX whose quote has the quote's nonce."""
    return Machine(fake_intel.world().with_td(**{"report_data": REPORT_DATA, **fields}))
