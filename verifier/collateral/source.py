"""Where verification takes collateral from: a folder that a person made for one piece of evidence, or a store.

Nothing that a source gives is trusted before it is verified. A store also says which of its entries were used, so that
their age can be judged.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from verifier import snp, tdx
from verifier.collateral import amd, needs
from verifier.collateral.needs import Need
from verifier.collateral.record import Kind, Record
from verifier.collateral.store import Store, is_store
from verifier.errors import VerificationFailed
from verifier.pki.files import read_bytes
from verifier.snp import SigningKey, SnpReport
from verifier.snp.product import Product
from verifier.tdx import TdxQuote
from verifier.trust import TrustStore

if TYPE_CHECKING:
    from verifier import nvidia

LAUNCH_ENDORSEMENT: Final = "launch_endorsement.binarypb"
"""File of a folder with Google's endorsement of the firmware."""

Entry = tuple[Record, bytes]
"""An entry of a store, with its object."""

Used = tuple[Entry, ...] | None
"""What was used of a store; None where collateral has no entries, as in a folder."""


@dataclass(frozen=True, slots=True)
class SnpCollateral:
    """What endorses a report, and AMD's CRLs (DER). firmware: Google's launch endorsement; None: there is none."""

    endorsements: snp.Endorsements
    crls: Sequence[bytes]
    used: Used = None
    firmware: bytes | None = None


@dataclass(frozen=True, slots=True)
class TdxCollateral:
    """What a quote is judged with. firmware: Google's launch endorsement; None: there is none."""

    collateral: tdx.Collateral
    used: Used = None
    firmware: bytes | None = None


@dataclass(frozen=True, slots=True)
class DeviceCollateral:
    """RIMs and OCSP responses for devices."""

    collateral: nvidia.Collateral
    used: Used = None


class Source(Protocol):
    """Finds what evidence is to be judged with; VerificationFailed `collateral.missing` when it is not there."""

    def snp(self, report: SnpReport, given: snp.Endorsements | None = None) -> SnpCollateral:
        """For an SNP report. given: what came with it, which goes before what the source has."""

    def tdx(self, quote: TdxQuote) -> TdxCollateral:
        """For a TDX quote."""

    def devices(self, devices: Sequence[nvidia.DeviceEvidence], trust: TrustStore) -> DeviceCollateral:
        """For NVIDIA devices."""


class Reader(Protocol):
    """What finds objects by kind and subject: a store, or the region's cache of one."""

    def find(self, kind: Kind, subject: str) -> Record | None:
        """The entry, or None."""

    def content(self, record: Record) -> bytes:
        """The object of an entry."""

    def records(self, kind: Kind) -> Iterable[Record]:
        """The entries of a kind that are at hand."""


@dataclass(frozen=True)
class Folder:
    """The files for one piece of evidence: `Endorsements.from_directory` and its like say what they are called."""

    directory: Path

    def snp(self, report: SnpReport, given: snp.Endorsements | None = None) -> SnpCollateral:
        """The leaf of the kind that signed the report, its chain, and any CRL."""
        kind = report.signing_key
        if kind is None:
            raise VerificationFailed("signing-key", "neither a VCEK nor a VLEK signed the report")
        return SnpCollateral(
            given or snp.Endorsements.from_directory(self.directory, kind),
            snp.revocation_lists(self.directory),
            firmware=self._firmware(),
        )

    def tdx(self, quote: TdxQuote) -> TdxCollateral:  # noqa: ARG002 - whether it fits is verified later
        """Intel's documents and CRLs."""
        return TdxCollateral(tdx.Collateral.from_directory(self.directory), firmware=self._firmware())

    def devices(
        self,
        devices: Sequence[nvidia.DeviceEvidence],  # noqa: ARG002 - whether it fits is verified later
        trust: TrustStore,  # noqa: ARG002
    ) -> DeviceCollateral:
        """Every RIM and every OCSP response of the folder."""
        from verifier.nvidia import Collateral

        return DeviceCollateral(Collateral.from_directory(self.directory))

    def _firmware(self) -> bytes | None:
        path = self.directory / LAUNCH_ENDORSEMENT
        return read_bytes(path) if path.exists() else None


@dataclass(frozen=True)
class Stored:
    """A store's objects.

    at: for which time; an object that ended before it is `collateral.expired`, whatever else holds.
    """

    reader: Reader
    at: datetime

    def snp(self, report: SnpReport, given: snp.Endorsements | None = None) -> SnpCollateral:
        """VCEK by chip and TCB, or VLEK by TCB, with the CRLs of the product lines that it may be of."""
        kind = report.signing_key
        if kind is None:
            raise VerificationFailed("signing-key", "neither a VCEK nor a VLEK signed the report")
        leaf: Entry | None = None
        if given is None:
            leaf = self._required(needs.vcek(report)) if kind is SigningKey.VCEK else self._vlek(report)
            given = amd.endorsements(leaf[1], kind)
        crls = self.crls(report)
        firmware = self._optional(needs.launch_endorsement("snp", report.measurement))
        used = (*_entries(leaf), *crls, *_entries(firmware))
        crl_contents = tuple(crl for _, crl in crls)
        return SnpCollateral(given, crl_contents, used, _content(firmware))

    def crls(self, report: SnpReport) -> list[Entry]:
        """AMD's CRLs (DER) of the product lines that the report may be of, as far as they are at hand."""
        unknown = report.signing_key is SigningKey.VLEK and not report.has_cpuid
        products = Product if unknown else needs.products_of(report)
        return [found for product in products if (found := self._optional(needs.amd_crl(product))) is not None]

    def tdx(self, quote: TdxQuote) -> TdxCollateral:
        """TCB info for the FMSPC that the quote's PCK certificate names, QE identity, and both CRLs.

        Of each document the standard issue, else the early one, else the one of the latest TCB recovery at hand.
        """
        from verifier.collateral import intel

        pairs = zip(needs.tdx(quote), needs.tdx(quote, needs.EARLY), strict=True)
        found = [self._optional(first) or self._optional(second) or self._numbered(first) for first, second in pairs]
        tcb_info, qe_identity, root_crl, pck_crl = (content for _, content in found)
        collateral = intel.collateral(tcb_info, qe_identity, root_crl, pck_crl)
        firmware = self._optional(needs.launch_endorsement("tdx", quote.report.mr_td))
        return TdxCollateral(collateral, (*found, *_entries(firmware)), _content(firmware))

    def devices(self, devices: Sequence[nvidia.DeviceEvidence], trust: TrustStore) -> DeviceCollateral:
        """The RIMs that genuine devices need, and what the responder says of their chains; what is missing is left out.

        A device that is not genuine is skipped: verification says what is wrong with it.
        """
        from verifier.collateral import nvidia as objects
        from verifier.nvidia import Collateral, OcspResponses

        used: dict[str, Entry] = {}
        rims: dict[str, bytes] = {}
        responses: dict[str, bytes] = {}
        for need in objects.needs_of(devices, trust, self._known_rim):
            found = self._optional(need)
            if found is None:
                continue
            used[need.name] = found
            if need.kind is Kind.RIM:
                rims[need.subject] = found[1]
            else:
                responses[need.subject] = objects.response(found[1])
        return DeviceCollateral(Collateral(rims, OcspResponses(responses.values())), tuple(used.values()))

    def _vlek(self, report: SnpReport) -> Entry:
        """The VLEK that signed the report, of those for its TCB: nothing else in a report says which one it was."""
        tcb = report.reported_tcb.hex()
        found = [it for it in self.reader.records(Kind.VLEK) if it.subject.startswith(f"{tcb}-")]
        for record in found:
            content = self._current(record)
            if amd.signed(report, content):
                return record, content
        raise VerificationFailed(
            "collateral.missing", f"none of the {len(found)} VLEKs at hand for TCB {tcb} signed the report"
        )

    def _numbered(self, need: Need) -> Entry:
        issues = [it for it in self.reader.records(need.kind) if it.subject.startswith(f"{need.subject}-")]
        latest = max(issues, key=lambda it: int(needs.read_update(it.subject)[1]), default=None)
        return self._required(need) if latest is None else (latest, self._current(latest))

    def _known_rim(self, identifier: str) -> bytes | None:
        found = self._optional(needs.rim(identifier))
        return None if found is None else found[1]

    def _required(self, need: Need) -> Entry:
        found = self._optional(need)
        if found is None:
            raise VerificationFailed("collateral.missing", f"{need.name} is not at hand; fetch it for this evidence")
        return found

    def _optional(self, need: Need) -> Entry | None:
        record = self.reader.find(need.kind, need.subject)
        return None if record is None else (record, self._current(record))

    def _current(self, record: Record) -> bytes:
        if record.is_expired(self.at):
            raise VerificationFailed(
                "collateral.expired",
                f"{record.name} (object {record.sha256[:16]}…) was valid until {record.next_update:%Y-%m-%d %H:%M:%S} "
                "UTC; fetch it again",
            )
        return self.reader.content(record)


def _entries(found: Entry | None) -> tuple[Entry, ...]:
    return () if found is None else (found,)


def _content(found: Entry | None) -> bytes | None:
    return None if found is None else found[1]


def source_in(directory: Path, at: datetime) -> Source:
    """What a folder is: a collateral store, or the files for one piece of evidence."""
    return Stored(Store(directory), at) if is_store(directory) else Folder(directory)
