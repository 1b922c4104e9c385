"""Bringing a store up to date: what is missing or about to end is fetched, verified, and only then stored."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Literal

from verifier.aws import AwsEvidence
from verifier.azure import AzureEvidence
from verifier.collateral import amd, pem
from verifier.collateral.facts import inspect
from verifier.collateral.fetch.http import Client
from verifier.collateral.fetch.origins import Origins
from verifier.collateral.fetch.requests import fetch
from verifier.collateral.needs import Need, products_of_chip, vlek_subject
from verifier.collateral.record import CollateralError, Kind, Record
from verifier.collateral.store import Store
from verifier.pki import files
from verifier.snp import Endorsements, SigningKey, SnpReport
from verifier.trust import TrustStore
from verifier.verdict import Evidence

CLOCK_SKEW: Final = timedelta(minutes=5)
"""How far a vendor's clock may be ahead of ours."""

Clock = Callable[[], datetime]
State = Literal["fetched", "kept", "failed"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a need. record: None when there is still no object; reason: why it failed, one line."""

    need: Need
    state: State
    record: Record | None = None
    reason: str = ""


@dataclass(frozen=True)
class Fetcher:
    """Fetches into `store` from `origins`; what it stores is genuine under `trust` and valid by `clock`."""

    store: Store
    origins: Origins
    client: Client
    trust: TrustStore
    clock: Clock

    def fetch(self, needs: Iterable[Need], *, again: bool = False) -> Iterator[Outcome]:
        """Bring each need up to date once. again: also those that are not due.

        `needs` may read the store as it goes: each object is stored before the next need is asked for.
        """
        done: set[str] = set()
        for need in needs:
            if need.name not in done:
                done.add(need.name)
                yield self._bring(need, again=again)

    def refresh(self) -> Iterator[Outcome]:
        """Fetch what is in the store and is due; a VLEK cannot be fetched, so that it is only reported."""
        now = self.clock()
        due = [record for record in self.store.records() if record.is_due(now)]
        return self.fetch([self._need(record) for record in due])

    def add(self, kind: Kind, subject: str, content: bytes, source: str) -> Record:
        """Verify an object and store it; CollateralError unless it is genuine, current, and as new as the stored one.

        source: where it came from, a URL or a file.
        """
        now, facts = self.clock(), inspect(kind, subject, content, self.trust)
        name = f"{kind}/{subject}"
        if facts.not_before > now + CLOCK_SKEW:
            raise CollateralError(
                f"{name}: {source} gives one that is valid from {facts.not_before:%Y-%m-%d %H:%M} UTC"
            )
        if facts.next_update is not None and facts.next_update < now:
            raise CollateralError(
                f"{name}: {source} gives one that ended on {facts.next_update:%Y-%m-%d %H:%M} UTC; it is stale"
            )
        known = self.store.find(kind, subject)
        if known is not None and kind.is_reissued and facts.not_before < known.not_before:
            raise CollateralError(
                f"{name}: {source} gives one of {facts.not_before:%Y-%m-%d %H:%M} UTC, older than the stored one"
            )
        record = Record(
            kind=kind,
            subject=subject,
            sha256=hashlib.sha256(content).hexdigest(),
            size=len(content),
            source=source,
            fetched_at=now.replace(microsecond=0),
            not_before=facts.not_before,
            next_update=facts.next_update,
        )
        self.store.put(record, content)
        return record

    def add_given(self, evidence: Evidence, directory: Path) -> Record | None:
        """Store what evidence brings along because nobody but its cloud can have it: the VLEK that signed a report.

        directory: beside the evidence; the file is called `vlek` with a certificate's suffix, DER or PEM. None: the
        report needs none, or none is there.
        """
        report: object = evidence
        if isinstance(evidence, AzureEvidence):
            report = evidence.hcl.snp_report
        elif isinstance(evidence, AwsEvidence):
            report = evidence.report
        path = files.find(directory, "vlek")
        if not isinstance(report, SnpReport) or report.signing_key is not SigningKey.VLEK or path is None:
            return None
        content = amd.with_chain(Endorsements.from_directory(directory, SigningKey.VLEK), self.trust)
        leaf = pem.only(content, *[pem.CERTIFICATE] * 3)[0]
        return self.add(Kind.VLEK, vlek_subject(report.reported_tcb, leaf), content, path.name)

    def _bring(self, need: Need, *, again: bool) -> Outcome:
        known = self.store.find(need.kind, need.subject)
        if known is not None and not again and not known.is_due(self.clock()):
            return Outcome(need, "kept", known)
        try:
            content, source = fetch(need, self.origins, self.client)
            return Outcome(need, "fetched", self.add(need.kind, need.subject, content, source))
        except CollateralError as error:
            return Outcome(need, "failed", known, str(error))

    def _need(self, record: Record) -> Need:
        """What would fetch a stored object again."""
        chain = b""
        if record.kind is Kind.OCSP:
            content = self.store.content(record)
            chain = content[: content.index(f"-----BEGIN {pem.OCSP_RESPONSE}".encode())]
        products = products_of_chip(record.subject) if record.kind is Kind.VCEK else ()
        return Need(record.kind, record.subject, products, chain)
