"""What an instance sends: its processor's report, and the Nitro document that names the report."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from verifier import nitro, snp
from verifier.errors import MalformedEvidence, UnreadableInput
from verifier.pki.files import read_bytes

DOCUMENT: Final = "nitro_document.cbor"
"""Name of the document's file beside that of a report."""


@dataclass(frozen=True, slots=True)
class AwsEvidence:
    """report: of the processor, which measures AWS's firmware. document: of NitroTPM, which measures what it booted."""

    report: snp.SnpReport
    document: nitro.NitroDocument


def from_directory(report: snp.SnpReport, directory: Path) -> AwsEvidence | snp.SnpReport:
    """A report with the document that lies in a folder, `nitro_document.cbor`; the report alone where there is none."""
    path = directory / DOCUMENT
    if not path.exists():
        return report
    try:
        return AwsEvidence(report, nitro.parse(read_bytes(path)))
    except MalformedEvidence as error:
        raise UnreadableInput(f"{path}: {error}") from None
