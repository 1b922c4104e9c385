"""What the stand-in for Intel publishes: TCB info, the quoting enclave's identity and the CRLs of its CAs.

Documents as Intel's PCS API v4 serves them (TCB info version 3 for TDX, enclave identity version 2), in the folder
that a verifier keeps of one FMSPC.
"""

import hashlib
import json
import secrets
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from sandbox.hardware.identity import BACKDATED
from sandbox.hardware.intel_pki import IntelPki, sign_raw
from sandbox.hardware.platform import (
    COMPONENTS,
    CURRENT_PLATFORM_TCB,
    FMSPC,
    OLD_PLATFORM_TCB,
    PCE_ID,
    PlatformTcb,
)

QE_SIGNER: Final = hashlib.sha256(b"bailiwick sandbox quoting enclave signer").digest()
QE_PRODUCT: Final = 2
QE_SVN: Final = 4
QE_ATTRIBUTES: Final = bytes.fromhex("15000000000000000000000000000000")
"""INIT, MODE64BIT, PROVISION_KEY."""
MODULE_SIGNER: Final = bytes(48)
"""MRSIGNERSEAM of a module by the processor's own vendor is zero."""

ADVISORY: Final = "SANDBOX-SA-00001"
"""The advisory that applies to what is out of date."""

_LIFETIME: Final = timedelta(days=30)
_STALE_AFTER: Final = timedelta(days=1)
_EVALUATION_NUMBER: Final = 20
_ATTRIBUTES_MASK: Final = "FBFFFFFFFFFFFFFF0000000000000000"
"""All attributes but MODE64BIT, and none of XFRM."""


def publish(pki: IntelPki, directory: Path) -> None:
    """Put the collateral for all emulated platforms into `directory/<FMSPC>`, unless what is there is of today."""
    folder = directory / FMSPC.hex()
    if _is_fresh(folder / "tcb_info.json"):
        return
    draft = directory / f".{folder.name}.{secrets.token_hex(8)}"
    draft.mkdir(parents=True, mode=0o700)
    for name, content in files(pki, datetime.now(UTC)).items():
        (draft / name).write_bytes(content)
    shutil.rmtree(folder, ignore_errors=True)
    draft.rename(folder)


def files(pki: IntelPki, at: datetime) -> dict[str, bytes]:
    """File name → content of one set of collateral, issued an hour before `at`."""
    info, identity = _compact(_tcb_info(at)), _compact(_qe_identity(at))
    return {
        "tcb_info.json": info,
        "tcb_info.sig": sign_raw(pki.tcb_signing, info),
        "qe_identity.json": identity,
        "qe_identity.sig": sign_raw(pki.tcb_signing, identity),
        "tcb_signing_chain.pem": pki.tcb_signing.pem + pki.root.pem,
        "root_ca_crl.der": pki.revocation_list(pki.root),
        "pck_crl.der": pki.revocation_list(pki.platform_ca),
    }


def _is_fresh(tcb_info: Path) -> bool:
    try:
        return datetime.now(UTC) - datetime.fromtimestamp(tcb_info.stat().st_mtime, UTC) < _STALE_AFTER
    except FileNotFoundError:
        return False


def _tcb_info(at: datetime) -> dict[str, Any]:
    """Two levels of the platform and of the TDX module: up to date, and out of date."""
    module = {"mrsigner": MODULE_SIGNER.hex(), "attributes": "00" * 8, "attributesMask": "ff" * 8}
    current, old = CURRENT_PLATFORM_TCB, OLD_PLATFORM_TCB
    return {
        "id": "TDX",
        "version": 3,
        **_validity(at),
        "fmspc": FMSPC.hex().upper(),
        "pceId": PCE_ID.hex(),
        "tcbType": 0,
        "tdxModule": module,
        "tdxModuleIdentities": [
            {
                "id": f"TDX_{current.module[1]:02X}",
                **module,
                "tcbLevels": [
                    _current({"isvsvn": current.module[0]}, at),
                    _out_of_date({"isvsvn": old.module[0]}, at),
                ],
            }
        ],
        "tcbLevels": [_current(_versions(current), at), _out_of_date(_versions(old), at)],
    }


def _qe_identity(at: datetime) -> dict[str, Any]:
    return {
        "id": "TD_QE",
        "version": 2,
        **_validity(at),
        "miscselect": "00000000",
        "miscselectMask": "FFFFFFFF",
        "attributes": "11000000000000000000000000000000",
        "attributesMask": _ATTRIBUTES_MASK,
        "mrsigner": QE_SIGNER.hex().upper(),
        "isvprodid": QE_PRODUCT,
        "tcbLevels": [_current({"isvsvn": QE_SVN}, at)],
    }


def _validity(at: datetime) -> dict[str, Any]:
    issued = at - BACKDATED
    return {
        "issueDate": _time(issued),
        "nextUpdate": _time(issued + _LIFETIME),
        "tcbEvaluationDataNumber": _EVALUATION_NUMBER,
    }


def _versions(tcb: PlatformTcb) -> dict[str, Any]:
    """The module's versions, first of the TDX components, are rated by its own identity."""
    tdx = [0, 0, tcb.tdx, *bytes(COMPONENTS - 3)]
    return {
        "sgxtcbcomponents": [{"svn": svn} for svn in tcb.components],
        "pcesvn": tcb.pcesvn,
        "tdxtcbcomponents": [{"svn": svn} for svn in tdx],
    }


def _current(tcb: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    return {"tcb": tcb, "tcbDate": _time(at - _LIFETIME), "tcbStatus": "UpToDate"}


def _out_of_date(tcb: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    return {"tcb": tcb, "tcbDate": _time(at - 12 * _LIFETIME), "tcbStatus": "OutOfDate", "advisoryIDs": [ADVISORY]}


def _time(value: datetime) -> str:
    return f"{value:%Y-%m-%dT%H:%M:%SZ}"


def _compact(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()
