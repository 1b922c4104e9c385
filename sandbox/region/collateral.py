"""Fills the region's collateral cache, as whoever carries the vendors' files into a region does.

The emulated vendors are asked over HTTP, what they answer is verified and stored, and the store goes into the region's
object storage as one signed bundle, where the verifier reads it.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Final

from sandbox.hardware import SandboxPki
from sandbox.hardware.nvidia_collateral import published_rims
from sandbox.hardware.platform import FMSPC
from sandbox.region.blobs import BlobStore
from sandbox.region.loopback import LoopbackServer
from sandbox.vendors import VendorServices
from verifier.collateral import bundle, needs
from verifier.collateral import nvidia as nvidia_objects
from verifier.collateral.fetch.fetcher import Fetcher
from verifier.collateral.fetch.http import Client
from verifier.collateral.fetch.origins import Origins, Vendor
from verifier.collateral.gathering import rims_in
from verifier.collateral.needs import Need
from verifier.collateral.record import CollateralError
from verifier.collateral.store import Store
from verifier.keystore import KeyStore, open_signer
from verifier.snp import Product
from verifier.trust import TrustStore

SIGNING_KEY: Final = "collateral-bundle"
"""Name, in the region's HSM, of the key that signs bundles."""


class CollateralPublisher:
    """Keeps a store in `directory` up to date, and the bundles that are made of it in the region's storage."""

    def __init__(self, pki: SandboxPki, keystore: Callable[[], KeyStore], blobs: BlobStore, directory: Path) -> None:
        self._pki = pki
        self._keystore = keystore
        self._blobs = blobs
        self._directory = directory
        self._lock = Lock()

    def publish(self, url: str) -> None:
        """Fetch what is missing or due; the bundle goes into the cache at `url` if something is new or it is gone."""
        with self._lock:
            store = Store(self._directory)
            target = f"{url.rstrip('/')}/{bundle.FILE_NAME}"
            if self._fetch(store) or not self._blobs.path(target).is_file():
                signer = open_signer(self._keystore(), SIGNING_KEY)
                self._blobs.put(target, bundle.export(store, signer, datetime.now(UTC)))

    def _fetch(self, store: Store) -> bool:
        """Whether anything was fetched; CollateralError when something could not be."""
        server, client = LoopbackServer(VendorServices(self._pki).app(), "vendors"), Client()
        try:
            base = f"http://127.0.0.1:{server.port}"
            origins = Origins({vendor: f"{base}/{vendor}" for vendor in Vendor})
            trust = TrustStore.production().with_sandbox(self._pki.roots)
            outcomes = list(
                Fetcher(store, origins, client, trust, lambda: datetime.now(UTC)).fetch(self._needs(store, trust))
            )
        finally:
            client.close()
            server.stop()
        for outcome in outcomes:
            if outcome.state == "failed":
                raise CollateralError(f"collateral cache: {outcome.reason}")
        return any(outcome.state == "fetched" for outcome in outcomes)

    def _needs(self, store: Store, trust: TrustStore) -> Iterator[Need]:
        """What the emulated hardware's vendors publish by now; NVIDIA's knows a GPU once that was asked."""
        yield needs.amd_crl(Product.MILAN)
        yield from needs.intel(FMSPC.hex())
        yield needs.pck_crls()[0]
        for name in published_rims(self._pki.nvidia):
            yield from nvidia_objects.needs_of_rim(name, trust, rims_in(store))
        for chain in self._pki.nvidia.chains():
            yield from nvidia_objects.needs_of_chain(chain, trust)
