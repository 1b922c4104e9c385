"""The guest agent: from an attestation challenge to a decrypted model, as a confidential VM does it at boot."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import httpx

from sandbox.guest.artefact import Artefact, ArtefactError, decrypt
from sandbox.guest.config import WorkloadConfig
from sandbox.guest.device import Device
from sandbox.guest.kbs import KbsClient, Receipt, RuntimeData
from sandbox.guest.keys import TeeKey


class BlobError(Exception):
    """The encrypted model could not be fetched; the message names its address."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing the guest did, and how long it took."""

    name: str
    seconds: float


@dataclass(slots=True)
class Journal:
    """What a guest can show afterwards, filled in as it goes: public data only, never a key.

    report: the raw attestation report, or quote; under a paravisor the vTPM's quote. receipts: what the broker logged
    about this guest, oldest first.
    """

    nonce: str | None = None
    report: bytes | None = None
    token: str | None = None
    receipts: list[Receipt] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)

    def keep(self, receipt: Receipt | None) -> None:
        """Keep a receipt, if there is one."""
        if receipt is not None:
            self.receipts.append(receipt)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time a step; it is written down whether it succeeds or not."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.steps.append(Step(name, round(time.perf_counter() - start, 6)))


class GuestAgent:
    """One boot of one guest. The TEE key lives as long as this object, and only in memory.

    artefact_url: where the guest's cloud has the encrypted model.
    """

    def __init__(self, device: Device, config: WorkloadConfig, http: httpx.Client, artefact_url: str) -> None:
        self._device = device
        self._config = config
        self._http = http
        self._artefact_url = artefact_url
        self._kbs = KbsClient(http, config.verifier)
        self._key = TeeKey()

    def run(self, journal: Journal) -> Artefact:
        """Attest, obtain the data key, decrypt the model; `journal` holds what there is when that fails.

        Raises `RefusedError`, `UnreachableError`, `UnwrapError`, `BlobError` or `ArtefactError`.
        """
        with journal.step("challenge"):
            journal.nonce = self._kbs.auth(self._device.tee)
        runtime_data = RuntimeData(journal.nonce, self._key.public_jwk)
        with journal.step("report"):
            devices = self._device.additional_evidence(runtime_data.device_nonce())
            runtime_data = replace(runtime_data, additional_evidence=devices)
            journal.report = self._device.report(runtime_data.report_data())
        with journal.step("attest"):
            attested = self._kbs.attest(runtime_data, self._device.evidence(journal.report, self._key.public_der))
        journal.keep(attested.receipt)
        journal.token = str(attested.body["token"])
        with journal.step("key"):
            released = self._kbs.resource(self._config.resource, journal.token)
            journal.keep(released.receipt)
            dek = self._key.unwrap(released.body)
        with journal.step("fetch"):
            sealed = fetch(self._http, self._artefact_url)
        with journal.step("decrypt"):
            artefact = decrypt(sealed, dek)
        if artefact.model != self._config.model:
            raise ArtefactError(f"the artefact holds model {artefact.model!r}, not {self._config.model!r}")
        return artefact


def fetch(http: httpx.Client, url: str) -> bytes:
    """The encrypted model at `url`."""
    try:
        response = http.get(url)
    except httpx.TransportError as error:
        raise BlobError(f"model unreachable at {url}: {error}") from None
    if not response.is_success:
        raise BlobError(f"model not available at {url}: {response.status_code} {response.reason_phrase}")
    return response.content
