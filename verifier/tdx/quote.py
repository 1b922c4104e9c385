"""Bytes → quote. Parsing is total: any bytes give a quote or MalformedEvidence, and nothing is judged here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

from verifier.errors import MalformedEvidence
from verifier.tdx import layout
from verifier.tdx.layout import TdAttributes


class TdReport(NamedTuple):
    """What the TDX module reported about a TD (A.3.2).

    seam_attributes, td_attributes, xfam: numbers. tee_tcb_svn_2, mr_service_td: TD 1.5 only, else None.
    """

    tee_tcb_svn: bytes
    mr_seam: bytes
    mr_signer_seam: bytes
    seam_attributes: int
    td_attributes: int
    xfam: int
    mr_td: bytes
    mr_config_id: bytes
    mr_owner: bytes
    mr_owner_config: bytes
    rtmr0: bytes
    rtmr1: bytes
    rtmr2: bytes
    rtmr3: bytes
    report_data: bytes
    tee_tcb_svn_2: bytes | None = None
    mr_service_td: bytes | None = None

    @property
    def rtmrs(self) -> tuple[bytes, bytes, bytes, bytes]:
        """The run-time measurement registers, 48 bytes each."""
        return self.rtmr0, self.rtmr1, self.rtmr2, self.rtmr3

    def has(self, bit: TdAttributes) -> bool:
        """Whether TDATTRIBUTES has `bit` set."""
        return bool(self.td_attributes & bit)


class QeReport(NamedTuple):
    """The SGX report of the quoting enclave that made the quote."""

    cpu_svn: bytes
    misc_select: int
    attributes: bytes
    mr_enclave: bytes
    mr_signer: bytes
    isv_prod_id: int
    isv_svn: int
    report_data: bytes


@dataclass(frozen=True, slots=True)
class TdxQuote:
    """A quote of version 4 or 5.

    signed: header and body, the bytes that the attestation key signs; signature: r ‖ s over them.
    attestation_key: x ‖ y. qe_report_signed: the 384 bytes of the QE report; qe_report_signature: r ‖ s over them.
    certification_type, certification: what comes with the PCK; a PEM chain if the type is 5.
    padding: number of zero bytes after the quote.
    """

    version: int
    qe_vendor: bytes
    user_data: bytes
    report: TdReport
    signed: bytes
    signature: bytes
    attestation_key: bytes
    qe_report: QeReport
    qe_report_signed: bytes
    qe_report_signature: bytes
    qe_auth_data: bytes
    certification_type: int
    certification: bytes
    padding: int

    def annotations(self) -> dict[str, str | int]:
        """The TD report's fields: numbers as they are, bytes in hex; what TD 1.0 lacks is left out."""
        values = ((name, value) for name, value in self.report._asdict().items() if value is not None)
        fields = {name: value.hex() if isinstance(value, bytes) else value for name, value in values}
        return {"quote_version": self.version, **fields}


def is_quote(data: bytes) -> bool:
    """Whether bytes start as quotes do, of TDX or SGX: for whoever must tell kinds of evidence apart.

    Bytes 2-3, the attestation key type, are zero in a report of AMD SEV-SNP.
    """
    return data[2:4] in _KEY_TYPES


def parse(data: bytes) -> TdxQuote:
    """Read one quote; zero bytes may follow it, as cloud providers' buffers have them.

    Raises MalformedEvidence with the offset: a version, key type, TEE or body that is not known, a body whose
    type and size disagree, a length that does not exactly fit the one around it, anything but zeros at the end.
    """
    data = bytes(data)
    if len(data) > layout.MAX_QUOTE_BYTES:
        raise MalformedEvidence(
            layout.MAX_QUOTE_BYTES, f"a TDX quote has at most {layout.MAX_QUOTE_BYTES} bytes, {len(data)} given"
        )
    _require(data, 0, layout.HEADER.size, len(data), "header")
    version, key_type, tee, _reserved, vendor, user_data = layout.HEADER.unpack_from(data)
    if version not in {layout.VERSION_WITHOUT_BODY_TYPE, layout.VERSION_WITH_BODY_TYPE}:
        raise MalformedEvidence(0, f"quote version {version}; versions 4 and 5 are known")
    if key_type != layout.ECDSA_P256:
        raise MalformedEvidence(2, f"attestation key type {key_type}, 2 (ECDSA P-256) expected")
    if tee != layout.TEE_TDX:
        found = layout.TEE_NAMES.get(tee, "not known")
        raise MalformedEvidence(4, f"TEE type {tee:#x} ({found}), 0x81 (TDX) expected")
    report, signed_end = _body(data, version)
    _require(data, signed_end, layout.LENGTH.size, len(data), "length of the signature data")
    (length,) = layout.LENGTH.unpack_from(data, signed_end)
    start = signed_end + layout.LENGTH.size
    _require(data, start, length, len(data), "signature data")
    end = start + length
    padding = len(data) - end
    if data.count(0, end) != padding:
        offset = next(i for i in range(end, len(data)) if data[i])
        raise MalformedEvidence(offset, "only zeros may follow a quote")
    return _signature_data(data, start, end, (version, vendor, user_data, report, data[:signed_end]), padding)


def _body(data: bytes, version: int) -> tuple[TdReport, int]:
    """The TD report, and where it ends."""
    start, kind = layout.HEADER.size, layout.BODY_TD_10
    if version == layout.VERSION_WITH_BODY_TYPE:
        _require(data, start, layout.BODY_DESCRIPTOR.size, len(data), "body descriptor")
        kind, size = layout.BODY_DESCRIPTOR.unpack_from(data, start)
        if kind not in layout.BODY_BYTES:
            found = "an SGX report" if kind == layout.BODY_SGX else "not known"
            raise MalformedEvidence(start, f"body type {kind} ({found}); 2 (TD 1.0) and 3 (TD 1.5) are known")
        if size != layout.BODY_BYTES[kind]:
            raise MalformedEvidence(
                start + 2, f"a body of type {kind} has {layout.BODY_BYTES[kind]} bytes, {size} stated"
            )
        start += layout.BODY_DESCRIPTOR.size
    end = start + layout.BODY_BYTES[kind]
    _require(data, start, end - start, len(data), "TD report")
    fields = layout.TD_10.unpack_from(data, start)
    if kind == layout.BODY_TD_15:
        fields += layout.TD_15_EXTRA.unpack_from(data, start + layout.TD_10.size)
    return TdReport(*fields), end


def _signature_data(
    data: bytes, start: int, end: int, head: tuple[int, bytes, bytes, TdReport, bytes], padding: int
) -> TdxQuote:
    """`data[start:end]`, which must be exactly filled (A.3.7 to A.3.11)."""
    key, certification = start + layout.SIGNATURE_BYTES, start + 2 * layout.SIGNATURE_BYTES
    _require(data, start, certification - start, end, "signature and attestation key")
    inner = _certification(data, certification, end, "QE report certification data")
    if data[certification] | data[certification + 1] << 8 != layout.QE_REPORT_CERTIFICATION:
        raise MalformedEvidence(certification, "certification data of type 6 (QE report) expected after the key")
    _require(data, inner, _FIXED_QE_BYTES, end, "QE report and its signature")
    report_end = inner + layout.QE_REPORT.size
    auth = report_end + layout.SIGNATURE_BYTES
    auth_start = auth + layout.AUTH_LENGTH.size
    (auth_length,) = layout.AUTH_LENGTH.unpack_from(data, auth)
    _require(data, auth_start, auth_length, end, "QE authentication data")
    pck = auth_start + auth_length
    pck_start = _certification(data, pck, end, "PCK certification data")
    return TdxQuote(
        *head,
        signature=data[start:key],
        attestation_key=data[key:certification],
        qe_report=QeReport(*layout.QE_REPORT.unpack_from(data, inner)),
        qe_report_signed=data[inner:report_end],
        qe_report_signature=data[report_end:auth],
        qe_auth_data=data[auth_start:pck],
        certification_type=data[pck] | data[pck + 1] << 8,
        certification=data[pck_start:end],
        padding=padding,
    )


def _certification(data: bytes, start: int, end: int, what: str) -> int:
    """Where certification data begins whose header is at `start` and that must reach to `end`."""
    _require(data, start, layout.CERTIFICATION_HEADER.size, end, f"header of the {what}")
    _kind, size = layout.CERTIFICATION_HEADER.unpack_from(data, start)
    inside = start + layout.CERTIFICATION_HEADER.size
    if inside + size != end:
        raise MalformedEvidence(start + 2, f"{what}: {size} bytes stated, {end - inside} are there")
    return inside


def _require(data: bytes, start: int, size: int, end: int, what: str) -> None:
    if start + size > end:
        raise MalformedEvidence(min(end, len(data)), f"{what}: {size} bytes expected, {end - start} left")


_KEY_TYPES: Final = frozenset({b"\x02\x00", b"\x03\x00"})
_FIXED_QE_BYTES: Final = layout.QE_REPORT.size + layout.SIGNATURE_BYTES + layout.AUTH_LENGTH.size
