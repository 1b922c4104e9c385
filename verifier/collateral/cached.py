"""The region's cache of collateral, as the verifier reads it: one bundle, kept by the region's own object storage.

The bundle is asked for again as time passes, and only if it changed. Nothing in it is believed because of where it is:
each object is verified when evidence is judged with it, so that who fills the cache can make verification fail, never
pass; where the configuration names who may fill it, that signature is demanded besides. While the cache does not
answer, what was read before counts until it ends.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Final

import httpx
from cryptography.hazmat.primitives.asymmetric import ec

from verifier.collateral import bundle
from verifier.collateral.record import CollateralError, Kind, Record
from verifier.errors import VerificationFailed

REFRESH: Final = timedelta(minutes=10)
RETRY: Final = timedelta(seconds=15)
"""After which time a cache that did not answer is asked again."""
_AT_ONCE: Final = timedelta(seconds=1)

Clock = Callable[[], datetime]


@dataclass(frozen=True)
class Snapshot:
    """One state of a bundle (a `Reader`)."""

    objects: Mapping[tuple[Kind, str], tuple[Record, bytes]]

    def find(self, kind: Kind, subject: str) -> Record | None:
        """The entry, or None."""
        found = self.objects.get((kind, subject))
        return None if found is None else found[0]

    def content(self, record: Record) -> bytes:
        """The object of an entry; VerificationFailed when that is another one by now."""
        found = self.objects.get((record.kind, record.subject))
        if found is None or found[0].sha256 != record.sha256:
            raise VerificationFailed("collateral.missing", f"{record.name} was exchanged meanwhile; verify again")
        return found[1]

    def records(self, kind: Kind) -> Iterator[Record]:
        """The entries of a kind."""
        return (record for record, _ in self.objects.values() if record.kind is kind)


class Cache:
    """A `Reader` of the bundle at `<url>/collateral.bundle`. Thread-safe.

    http: makes requests inside the region; the caller closes it. clock: the current time, aware. refresh: after which
    time the bundle is asked for again. signers: whoever may have signed the bundle; empty: anybody.
    """

    def __init__(
        self,
        url: str,
        http: httpx.Client,
        clock: Clock,
        refresh: timedelta = REFRESH,
        signers: Collection[ec.EllipticCurvePublicKey] = (),
    ) -> None:
        self._url = f"{url.rstrip('/')}/{bundle.FILE_NAME}"
        self._http = http
        self._clock = clock
        self._period = refresh
        self._signers = signers
        self._requests = 0
        self._lock = Lock()
        self._snapshot: Snapshot | None = None
        self._tag = ""
        self._next: datetime | None = None
        self._reason = ""

    def find(self, kind: Kind, subject: str) -> Record | None:
        """The entry, or None; VerificationFailed `collateral.cache` when nothing could be read yet."""
        return self.snapshot().find(kind, subject)

    def content(self, record: Record) -> bytes:
        """The object of an entry."""
        return self.snapshot().content(record)

    def records(self, kind: Kind) -> Iterator[Record]:
        """The entries of a kind."""
        return self.snapshot().records(kind)

    @property
    def is_fresh(self) -> bool:
        """Whether `snapshot` will not ask for the bundle in the next second, and so returns at once."""
        return self._next is not None and self._clock() + _AT_ONCE < self._next

    def snapshot(self) -> Snapshot:
        """The bundle as it is now, for several reads; VerificationFailed as in `find`.

        Who comes while the bundle is asked for shares the next request with all who wait.
        """
        seen = self._requests
        with self._lock:
            now = self._clock()
            if self._requests == seen and (self._next is None or now >= self._next):
                self._requests += 1
                self._reason = self._refresh()
                self._next = now + (min(RETRY, self._period) if self._reason else self._period)
            if self._snapshot is None:
                raise VerificationFailed("collateral.cache", f"the region's collateral cache: {self._reason}")
            return self._snapshot

    def _refresh(self) -> str:
        """Ask for the bundle; why it could not be had, "" when it could."""
        known = {"if-none-match": self._tag} if self._tag else {}
        try:
            with self._http.stream("GET", self._url, headers=known) as answer:
                return self._read(answer)
        except httpx.HTTPError as error:
            return f"{self._url}: {str(error) or type(error).__name__}"
        except CollateralError as error:
            return f"{self._url}: {error}"

    def _read(self, answer: httpx.Response) -> str:
        """Take an answer in; why it is none, "" when it is."""
        if answer.status_code == httpx.codes.NOT_MODIFIED:
            return ""
        if answer.status_code != httpx.codes.OK:
            return f"{self._url}: HTTP {answer.status_code}, a bundle of `bailiwick collateral export` expected there"
        content = bytearray()
        for part in answer.iter_bytes():
            content += part
            if len(content) > bundle.MAX_BUNDLE_BYTES:
                return f"{self._url}: larger than {bundle.MAX_BUNDLE_BYTES} bytes"
        objects = bundle.contents(bytes(content), self._signers)
        self._snapshot = Snapshot({(entry[0].kind, entry[0].subject): entry for entry in objects})
        self._tag = answer.headers.get("etag", "")
        return ""
