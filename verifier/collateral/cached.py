"""The region's cache of collateral, as the verifier reads it: one bundle, kept by the region's own object storage.

The bundle is asked for again as time passes, and only if it changed. Nothing in it is believed because of where it is:
each object is verified when evidence is judged with it, so that who fills the cache can make verification fail, never
pass. While the cache does not answer, what was read before counts until it ends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from threading import Lock
from typing import Final, overload

import httpx

from verifier import nvidia, tdx
from verifier.collateral import bundle
from verifier.collateral import nvidia as nvidia_objects
from verifier.collateral.record import CollateralError, Kind, Record
from verifier.collateral.source import Stored
from verifier.errors import VerificationFailed
from verifier.nvidia import OcspResponses

REFRESH: Final = timedelta(minutes=10)
RETRY: Final = timedelta(seconds=15)
"""After which time a cache that did not answer is asked again."""

Clock = Callable[[], datetime]
Objects = dict[tuple[Kind, str], tuple[Record, bytes]]


class Cache:
    """A `Reader` of the bundle at `<url>/collateral.bundle`. Thread-safe.

    http: makes requests inside the region; the caller closes it. clock: the current time, aware.
    """

    def __init__(self, url: str, http: httpx.Client, clock: Clock) -> None:
        self._url = f"{url.rstrip('/')}/{bundle.FILE_NAME}"
        self._http = http
        self._clock = clock
        self._lock = Lock()
        self._objects: Objects | None = None
        self._tag = ""
        self._next: datetime | None = None
        self._reason = ""

    def find(self, kind: Kind, subject: str) -> Record | None:
        """The entry, or None; VerificationFailed `collateral.cache` when nothing could be read yet."""
        found = self._current().get((kind, subject))
        return None if found is None else found[0]

    def content(self, record: Record) -> bytes:
        """The object of an entry."""
        found = self._current().get((record.kind, record.subject))
        if found is None or found[0].sha256 != record.sha256:
            raise VerificationFailed("collateral.missing", f"{record.name} was exchanged meanwhile; verify again")
        return found[1]

    def records(self, kind: Kind) -> Iterator[Record]:
        """The entries of a kind."""
        return (record for record, _ in self._current().values() if record.kind is kind)

    def _current(self) -> Objects:
        with self._lock:
            now = self._clock()
            if self._next is None or now >= self._next:
                self._reason = self._refresh()
                self._next = now + (RETRY if self._reason else REFRESH)
            if self._objects is None:
                raise VerificationFailed("collateral.cache", f"the region's collateral cache: {self._reason}")
            return self._objects

    def _refresh(self) -> str:
        """Ask for the bundle; why it could not be had, "" when it could."""
        try:
            answer = self._http.get(self._url, headers={"if-none-match": self._tag} if self._tag else {})
        except httpx.HTTPError as error:
            return f"{self._url}: {error or type(error).__name__}"
        if answer.status_code == httpx.codes.NOT_MODIFIED:
            return ""
        if answer.status_code != httpx.codes.OK:
            return f"{self._url}: HTTP {answer.status_code}, a bundle of `bailiwick collateral export` expected there"
        try:
            objects = bundle.contents(answer.content)
        except CollateralError as error:
            return f"{self._url}: {error}"
        self._objects = {(record.kind, record.subject): (record, content) for record, content in objects}
        self._tag = answer.headers.get("etag", "")
        return ""


class RevocationLists(Sequence[bytes]):
    """AMD's CRLs that a cache holds now."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache

    def __len__(self) -> int:
        return sum(1 for _ in self._cache.records(Kind.AMD_CRL))

    @overload
    def __getitem__(self, index: int) -> bytes: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[bytes]: ...

    def __getitem__(self, index: int | slice) -> bytes | Sequence[bytes]:
        return tuple(self._cache.content(record) for record in self._cache.records(Kind.AMD_CRL))[index]


class QuoteCollateral:
    """Intel's collateral that a cache holds now (`verifier.tdx.CollateralSource`)."""

    def __init__(self, cache: Cache, clock: Clock) -> None:
        self._cache = cache
        self._clock = clock

    def find(self, quote: tdx.TdxQuote) -> tdx.Collateral:
        """The collateral for the quote's platform."""
        return Stored(self._cache, self._clock()).tdx(quote).collateral


def device_collateral(cache: Cache) -> nvidia.Collateral:
    """NVIDIA's RIMs and OCSP responses that a cache holds now; MalformedEvidence when one is none."""
    rims = {record.subject: cache.content(record) for record in cache.records(Kind.RIM)}
    responses = (nvidia_objects.response(cache.content(record)) for record in cache.records(Kind.OCSP))
    return nvidia.Collateral(rims, OcspResponses(responses))
