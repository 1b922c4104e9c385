"""What endorses devices and says what they should measure, as a folder of files keeps it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from verifier.errors import UnreadableInput
from verifier.nvidia.revocation import OcspResponses
from verifier.pki.files import read_bytes

CHAIN_FILE: Final = "chain.pem"
RIM_FOLDER: Final = "rims"
OCSP_FOLDER: Final = "ocsp"

_RIM_SUFFIXES: Final = (".xml", ".swidtag")


@dataclass(frozen=True)
class Collateral:
    """RIMs by id, and OCSP responses, from the verifier's own store. None of it is trusted before it is verified."""

    rims: Mapping[str, bytes] = field(default_factory=dict)
    ocsp: OcspResponses = field(default_factory=OcspResponses)

    @classmethod
    def from_directory(cls, directory: Path) -> Collateral:
        """Read `rims/<id>.xml` (or `.swidtag`) and `ocsp/*.der`; either folder may be missing.

        UnreadableInput for a folder or file that cannot be read, MalformedEvidence for an OCSP response that is none.
        """
        if not directory.is_dir():
            raise UnreadableInput(f"{directory}: no such folder; it should hold {RIM_FOLDER}/<RIM id>.xml")
        rims = {path.stem: read_bytes(path) for path in _files(directory / RIM_FOLDER, _RIM_SUFFIXES)}
        return cls(rims, OcspResponses(read_bytes(path) for path in _files(directory / OCSP_FOLDER, (".der",))))


def _files(folder: Path, suffixes: Iterable[str]) -> list[Path]:
    return sorted(path for path in folder.glob("*") if path.suffix in suffixes) if folder.is_dir() else []
