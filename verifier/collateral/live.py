"""A store, or the region's cache of one, as the broker takes collateral: what is there now, each time it is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import overload

from verifier import nvidia, tdx
from verifier.collateral import nvidia as nvidia_objects
from verifier.collateral.cached import Cache
from verifier.collateral.record import CollateralError, Kind
from verifier.collateral.source import Reader, Stored
from verifier.errors import VerificationFailed
from verifier.nvidia import OcspResponses

Clock = Callable[[], datetime]


def snapshot(reader: Reader) -> Reader:
    """One state of a cache, so that what is read together fits together."""
    return reader.snapshot() if isinstance(reader, Cache) else reader


def is_at_hand(reader: Reader) -> bool:
    """Whether `snapshot` neither waits for the region's network nor reads files."""
    return isinstance(reader, Cache) and reader.is_fresh


class RevocationLists(Sequence[bytes]):
    """AMD's CRLs (DER); VerificationFailed when they cannot be read."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def __len__(self) -> int:
        return len(self._now())

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._now())

    @overload
    def __getitem__(self, index: int) -> bytes: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[bytes]: ...

    def __getitem__(self, index: int | slice) -> bytes | Sequence[bytes]:
        return self._now()[index]

    def _now(self) -> tuple[bytes, ...]:
        with _readable():
            now = snapshot(self._reader)
            return tuple(now.content(record) for record in now.records(Kind.AMD_CRL))


@dataclass(frozen=True)
class QuoteCollateral:
    """Intel's collateral (`verifier.tdx.CollateralSource`). clock: an object that ended before its time is refused."""

    reader: Reader
    clock: Clock

    def find(self, quote: tdx.TdxQuote) -> tdx.Collateral:
        """The collateral for the quote's platform; VerificationFailed when it is not there or cannot be read."""
        with _readable():
            return Stored(snapshot(self.reader), self.clock()).tdx(quote).collateral


@dataclass(frozen=True)
class DeviceCollateral:
    """NVIDIA's RIMs and OCSP responses (`verifier.nvidia.CollateralSource`)."""

    reader: Reader

    def __call__(self) -> nvidia.Collateral:
        """All that is there; VerificationFailed when it cannot be read, MalformedEvidence when something is none."""
        with _readable():
            now = snapshot(self.reader)
            rims = {record.subject: now.content(record) for record in now.records(Kind.RIM)}
            responses = [nvidia_objects.response(now.content(record)) for record in now.records(Kind.OCSP)]
        return nvidia.Collateral(rims, OcspResponses(responses))


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except CollateralError as error:
        raise VerificationFailed("collateral.store", str(error)) from None
