"""The collateral of TDX: what Intel publishes about certificates and TCBs, as a folder of files keeps it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from verifier.errors import UnreadableInput, VerificationFailed
from verifier.pki.files import read_bytes

_FILES: Final = {
    "tcb_info": "tcb_info.json",
    "tcb_info_signature": "tcb_info.sig",
    "qe_identity": "qe_identity.json",
    "qe_identity_signature": "qe_identity.sig",
    "tcb_signing_chain": "tcb_signing_chain.pem",
    "root_crl": "root_ca_crl.der",
    "pck_crl": "pck_crl.der",
}


@dataclass(frozen=True)
class Collateral:
    """One set of collateral. None of it is trusted before it is verified.

    tcb_info, qe_identity: the exact bytes of the `tcbInfo` and `enclaveIdentity` members that Intel's service
    answers with; the signatures are r ‖ s, 64 bytes. tcb_signing_chain: PEM, TCB signing certificate first.
    root_crl, pck_crl: DER; the list of the root, and that of the CA that issued the PCK certificate.
    """

    tcb_info: bytes
    tcb_info_signature: bytes
    qe_identity: bytes
    qe_identity_signature: bytes
    tcb_signing_chain: bytes
    root_crl: bytes
    pck_crl: bytes

    @cached_property
    def digest(self) -> bytes:
        """SHA-256 over all parts, each with its length."""
        whole = hashlib.sha256()
        for field in fields(self):
            part: bytes = getattr(self, field.name)
            whole.update(len(part).to_bytes(8, "big"))
            whole.update(part)
        return whole.digest()

    def members(self) -> dict[str, str]:
        """The parts in base64, as JSON members."""
        return {name: base64.b64encode(getattr(self, name)).decode("ascii") for name in _FILES}

    @classmethod
    def from_members(cls, members: Mapping[str, Any]) -> Collateral:
        """Read what `members` gives; KeyError, TypeError or ValueError when a part is missing or not base64."""
        return cls(**{name: base64.b64decode(members[name], validate=True) for name in _FILES})

    @classmethod
    def from_directory(cls, directory: Path) -> Collateral:
        """Read a folder that holds every file of the layout; `pck_crl_issuer_chain.pem` beside them is not needed.

        VerificationFailed `collateral.missing` names the files that are not there, UnreadableInput one that
        cannot be read.
        """
        if not directory.is_dir():
            raise UnreadableInput(f"{directory}: no such folder; it should hold {', '.join(_FILES.values())}")
        missing = [name for name in _FILES.values() if not (directory / name).is_file()]
        if missing:
            raise VerificationFailed("collateral.missing", f"{directory} has no {', '.join(missing)}")
        return cls(**{member: read_bytes(directory / name) for member, name in _FILES.items()})
