"""Client of the Key Broker Service protocol: request, challenge, attestation, response.

Follows `kbs_attestation_protocol.md` of Confidential Containers, which a guest's attestation agent speaks.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx

from verifier import canonical
from verifier.broker import RECEIPT_HEADER

PROTOCOL_VERSION: Final = "0.4.0"

Receipt = dict[str, Any]
"""An entry of the verifier's transparency log with its inclusion proof (`verifier.log.Receipt.to_dict`)."""

_TRY_AGAIN: Final = frozenset({502, 503, 504})

_REPORT_DATA_BYTES: Final = 64
_DEVICE_NONCE_BYTES: Final = 32


class RefusedError(Exception):
    """The broker answered no. `reason` is its own wording, `status` the HTTP status, `receipt` what it logged."""

    def __init__(self, status: int, reason: str, receipt: Receipt | None) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.receipt = receipt


class UnreachableError(Exception):
    """No broker answered, or none that can; the message says where it was asked and what happened there."""


@dataclass(frozen=True, slots=True)
class RuntimeData:
    """What the hardware is to vouch for besides the guest itself.

    nonce: the broker's, as it sent it. tee_pubkey: the guest's public key (JWK). additional_evidence: what its devices
    say; empty where the CPU is its only attester.
    """

    nonce: str
    tee_pubkey: Mapping[str, str]
    additional_evidence: str = ""

    def report_data(self) -> bytes:
        """REPORT_DATA: SHA-384 of what is bound, in RFC 8785 form, zero-padded to 64 bytes."""
        bound = {
            "additional-evidence": self.additional_evidence,
            "nonce": self.nonce,
            "tee-pubkey": self.tee_pubkey,
        }
        return hashlib.sha384(canonical.encode(bound)).digest().ljust(_REPORT_DATA_BYTES, b"\0")

    def device_nonce(self) -> bytes:
        """What devices are asked with: the first 32 bytes of SHA-384 of nonce and key."""
        bound = {"nonce": self.nonce, "tee-pubkey": self.tee_pubkey}
        return hashlib.sha384(canonical.encode(bound)).digest()[:_DEVICE_NONCE_BYTES]


@dataclass(frozen=True, slots=True)
class Answer:
    """A broker's yes: the message, and the receipt of the decision where there was one."""

    body: dict[str, Any]
    receipt: Receipt | None


class KbsClient:
    """One session with one broker: the cookie that `auth` sets goes back with `attest`."""

    def __init__(self, http: httpx.Client, base_url: str) -> None:
        self._http = http
        self._base_url = base_url

    def auth(self, tee: str) -> str:
        """Ask for a challenge and return its nonce."""
        request = {"version": PROTOCOL_VERSION, "tee": tee, "extra-params": {}}
        return str(self._call("POST", "/kbs/v0/auth", request).body["nonce"])

    def attest(self, runtime_data: RuntimeData, primary_evidence: Mapping[str, Any]) -> Answer:
        """Send evidence over `runtime_data`; the answer's `token` is the attestation result."""
        body = {
            "runtime-data": {"nonce": runtime_data.nonce, "tee-pubkey": runtime_data.tee_pubkey},
            "tee-evidence": {
                "primary_evidence": primary_evidence,
                "additional_evidence": runtime_data.additional_evidence,
            },
        }
        return self._call("POST", "/kbs/v0/attest", body)

    def resource(self, path: str, token: str) -> Answer:
        """The resource `<repository>/<type>/<tag>`; the answer is a JWE for the key that `token` names."""
        return self._call("GET", f"/kbs/v0/resource/{path}", token=token)

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None, token: str | None = None) -> Answer:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        response = self._request(method, path, body, headers)
        number = response.headers.get(RECEIPT_HEADER)
        receipt = _object(self._request("GET", f"/v1/log/entries/{number}", None, {})) if number else None
        if response.is_success:
            return Answer(_object(response), receipt)
        raise RefusedError(response.status_code, _detail(response), receipt)

    def _request(self, method: str, path: str, body: dict[str, Any] | None, headers: dict[str, str]) -> httpx.Response:
        try:
            response = self._http.request(method, self._base_url + path, json=body, headers=headers)
        except httpx.TransportError as error:
            raise UnreachableError(f"verifier unreachable at {self._base_url}: {error}") from None
        if response.status_code in _TRY_AGAIN:
            raise UnreachableError(f"verifier at {self._base_url} cannot answer: {_detail(response)}")
        return response


def _object(response: httpx.Response) -> dict[str, Any]:
    try:
        return canonical.parse_object(response.content)
    except canonical.JsonError as error:
        reason = f"{response.request.url.path} answered with something that is {error}"
        raise RefusedError(response.status_code, reason, None) from None


def _detail(response: httpx.Response) -> str:
    """The `detail` of a problem document (RFC 9457), else the status line."""
    try:
        detail = canonical.parse_object(response.content)["detail"]
    except (canonical.JsonError, KeyError):
        return f"{response.request.url.path} answered {response.status_code} {response.reason_phrase}"
    return str(detail)
