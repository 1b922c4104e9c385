"""A TDX quote in fields of a protobuf message, put together again to the bytes that the quoting enclave signed.

Source: google/go-tdx-guest, proto/tdx.proto (numbers of the fields) and abi (how they map to Intel's structure).

    QuoteV4                      1 header, 2 td_quote_body, 3 signed_data_size, 4 signed_data, 5 extra_bytes
    Ecdsa256BitQuoteV4AuthData   1 signature, 2 attestation key, 3 CertificationData {1 type, 2 size, 3 QE's part}
    QEReportCertificationData    1 qe_report, 2 its signature, 3 QeAuthData {1 size, 2 data},
                                 4 PCKCertificateChainData {1 type, 2 size, 3 chain}

Whether the bytes are the right ones the signatures say.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from verifier import tdx
from verifier.errors import MalformedEvidence
from verifier.google.protobuf import Message
from verifier.tdx import layout
from verifier.tpm import CarriedReport


class _Part(NamedTuple):
    """A field of so many bytes, in the order of the quote. is_number: the message has it as an integer."""

    number: int
    size: int
    is_number: bool = False


_HEADER: Final = (
    _Part(1, 2, is_number=True),
    _Part(2, 2, is_number=True),
    _Part(3, 4, is_number=True),
    _Part(5, 2),
    _Part(4, 2),
    _Part(6, 16),
    _Part(7, 20),
)
"""Version, key type, TEE type, PCE_SVN before QE_SVN, vendor, user data (A.3.1)."""

_REGISTER_BYTES: Final = 48
_RTMRS: Final = 11
_BODY: Final = (
    _Part(1, 16),
    _Part(2, 48),
    _Part(3, 48),
    _Part(4, 8),
    _Part(5, 8),
    _Part(6, 8),
    *(_Part(number, _REGISTER_BYTES) for number in range(7, _RTMRS)),
)
"""TEE_TCB_SVN to MROWNERCONFIG (A.3.2); RTMRs and REPORTDATA follow."""
_REPORT_DATA: Final = _Part(12, 64)

_QE_REPORT: Final = (
    _Part(1, 16),
    _Part(2, 4, is_number=True),
    _Part(3, 28),
    _Part(4, 16),
    _Part(5, 32),
    _Part(6, 32),
    _Part(7, 32),
    _Part(8, 96),
    _Part(9, 2, is_number=True),
    _Part(10, 2, is_number=True),
    _Part(11, 60),
    _Part(12, 64),
)
"""CPUSVN to REPORTDATA of an SGX report, with what is reserved in it."""


def read(message: Message) -> CarriedReport:
    """The quote of a QuoteV4 message; MalformedEvidence for anything but a whole one."""
    return CarriedReport(tdx.parse(signed_bytes(message)))


def signed_bytes(message: Message) -> bytes:
    """The quote: header, body and signature data, with the zeros that may follow them."""
    message.require_only(1, 2, 3, 4, 5)
    header = message.required_message(1, "quote header")
    header.require_only(*(part.number for part in _HEADER))
    data = _signature_data(message.required_message(4, "signature data"))
    body = _body(message.required_message(2, "TD report"))
    return _joined(header, _HEADER) + body + _after_size(message, 3, layout.LENGTH.size, data) + message.octets(5)


def _body(message: Message) -> bytes:
    registers = message.repeated(_RTMRS)
    message.require_only(*(part.number for part in _BODY), _RTMRS, _REPORT_DATA.number)
    if [len(register) for register in registers] != [_REGISTER_BYTES] * layout.RTMR_COUNT:
        raise MalformedEvidence(0, f"TD report: {layout.RTMR_COUNT} RTMRs of {_REGISTER_BYTES} bytes expected")
    return _joined(message, _BODY) + b"".join(registers) + _joined(message, (_REPORT_DATA,))


def _signature_data(message: Message) -> bytes:
    message.require_only(1, 2, 3)
    outer = message.required_message(3, "certification data")
    outer.require_only(1, 2, 3)
    inner = _qe_certification(outer.required_message(3, "QE report certification data"))
    signature_and_key = _joined(message, (_Part(1, layout.SIGNATURE_BYTES), _Part(2, layout.SIGNATURE_BYTES)))
    return signature_and_key + outer.little_endian(1, 2) + _after_size(outer, 2, 4, inner)


def _qe_certification(message: Message) -> bytes:
    message.require_only(1, 2, 3, 4)
    report = message.required_message(1, "QE report")
    report.require_only(*(part.number for part in _QE_REPORT))
    authentication = message.required_message(3, "QE authentication data")
    authentication.require_only(1, 2)
    pck = message.required_message(4, "PCK certification data")
    pck.require_only(1, 2, 3)
    return (
        _joined(report, _QE_REPORT)
        + message.sized(2, layout.SIGNATURE_BYTES)
        + _after_size(authentication, 1, layout.AUTH_LENGTH.size, authentication.octets(2))
        + pck.little_endian(1, 2)
        + _after_size(pck, 2, 4, pck.octets(3))
    )


def _joined(message: Message, parts: tuple[_Part, ...]) -> bytes:
    return b"".join(
        message.little_endian(part.number, part.size) if part.is_number else message.sized(part.number, part.size)
        for part in parts
    )


def _after_size(message: Message, number: int, width: int, content: bytes) -> bytes:
    """Contents after their size in `width` bytes, which the message must state rightly in the field `number`."""
    size = message.little_endian(number, width)
    if int.from_bytes(size, "little") != len(content):
        stated = int.from_bytes(size, "little")
        raise MalformedEvidence(0, f"TDX quote: {stated} bytes stated, {len(content)} are there")
    return size + content
