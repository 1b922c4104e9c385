"""The region's cache of collateral: filled from the emulated vendors, and read by verifiers as any other object."""

from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from sandbox.hardware import SandboxPki
from sandbox.hardware.gpu import Gpu
from sandbox.region.blobs import BlobStore
from sandbox.region.collateral import CollateralPublisher
from verifier.collateral.cached import Cache
from verifier.collateral.record import Kind
from verifier.errors import VerificationFailed
from verifier.keystore import FileKeyStore

URL = "https://account.blob.test/collateral"


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> SandboxPki:
    return SandboxPki(tmp_path_factory.mktemp("hardware"))


@pytest.fixture
def blobs(tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path / "blobs")


@pytest.fixture
def publisher(pki: SandboxPki, blobs: BlobStore, tmp_path: Path) -> CollateralPublisher:
    keystore = FileKeyStore(tmp_path / "keys", "passphrase")
    return CollateralPublisher(pki, lambda: keystore, blobs, tmp_path / "store")


def kinds(blobs: BlobStore) -> list[Kind]:
    """What a verifier finds in the cache."""

    def answer(request: httpx.Request) -> httpx.Response:
        path = blobs.path(str(request.url))
        return httpx.Response(200, content=path.read_bytes()) if path.is_file() else httpx.Response(404)

    with httpx.Client(transport=httpx.MockTransport(answer)) as http:
        cache = Cache(URL, http, lambda: datetime.now(UTC))
        return [kind for kind in Kind for _ in cache.records(kind)]


def test_a_verifier_finds_what_every_vendor_publishes(publisher: CollateralPublisher, blobs: BlobStore) -> None:
    publisher.publish(URL)
    intel = [Kind.TCB_INFO, Kind.QE_IDENTITY, Kind.PCK_CRL, Kind.ROOT_CRL]
    assert kinds(blobs) == [Kind.AMD_CRL, *intel, *[Kind.RIM] * 2, *[Kind.OCSP] * 3]


def test_a_gpu_that_was_asked_is_known_to_its_vendor_afterwards(
    publisher: CollateralPublisher, blobs: BlobStore, pki: SandboxPki
) -> None:
    publisher.publish(URL)
    before = kinds(blobs).count(Kind.OCSP)
    Gpu(pki.nvidia, "a host of its own")
    publisher.publish(URL)
    assert kinds(blobs).count(Kind.OCSP) > before


def test_nothing_is_written_while_nothing_is_due(publisher: CollateralPublisher, blobs: BlobStore) -> None:
    publisher.publish(URL)
    path = blobs.path(f"{URL}/collateral.bundle")
    first = path.read_bytes()
    publisher.publish(URL)
    assert path.read_bytes() == first
    path.unlink()
    publisher.publish(URL)
    assert kinds(blobs)


def test_an_empty_cache_fails(blobs: BlobStore) -> None:
    with pytest.raises(VerificationFailed, match="HTTP 404"):
        kinds(blobs)
