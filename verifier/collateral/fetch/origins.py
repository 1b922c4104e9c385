"""Where each vendor's service is asked: at a mirror inside the jurisdiction, or, if that is said, at its own host."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Self
from urllib.parse import urlsplit

from verifier.collateral.record import CollateralError

_SCHEMES: Final = ("https", "http")


class Vendor(StrEnum):
    """A service of a vendor. The value names it on the command line."""

    AMD = "amd"
    INTEL = "intel"
    INTEL_ROOT = "intel-root"
    NVIDIA_RIM = "nvidia-rim"
    NVIDIA_OCSP = "nvidia-ocsp"
    GOOGLE = "google"


@dataclass(frozen=True)
class Service:
    """What is known of a vendor's service: its host, and how many seconds apart it may be asked; 0: no limit known."""

    host: str
    seconds_apart: float = 0.0


@dataclass(frozen=True)
class Origins:
    """Base URL of each service that may be asked; one that is not there is not asked. seconds_apart: at what pace.

    An Intel mirror that is given alone is a PCCS, which serves the root's CRL too (`/sgx/certification/v4/rootcacrl`).
    """

    urls: Mapping[Vendor, str] = field(default_factory=dict)
    seconds_apart: Mapping[Vendor, float] = field(default_factory=dict)

    @classmethod
    def vendors(cls, services: Mapping[Vendor, Service]) -> Self:
        """The vendors' own hosts, wherever they are."""
        return cls(
            {vendor: f"https://{service.host}" for vendor, service in services.items()},
            {vendor: service.seconds_apart for vendor, service in services.items()},
        )

    @classmethod
    def mirror(cls, url: str, services: Mapping[Vendor, Service]) -> Self:
        """A mirror that answers at `<url>/<vendor's host>/<vendor's path>`; its own limits are its to state (429)."""
        base = _base(url)
        return cls({vendor: f"{base}/{service.host}" for vendor, service in services.items()})

    def overridden(self, vendor: Vendor, url: str) -> Origins:
        """The same, with a mirror of one service that answers at `<url>/<vendor's path>`."""
        urls = {**self.urls, vendor: _base(url)}
        if vendor is Vendor.INTEL:
            urls.pop(Vendor.INTEL_ROOT, None)
        return Origins(urls, {key: value for key, value in self.seconds_apart.items() if key is not vendor})

    def url(self, vendor: Vendor) -> str:
        """Base URL of a service; CollateralError when none is configured."""
        found = self.urls.get(vendor)
        if found is None:
            raise CollateralError(
                f"no mirror of {vendor} is configured: name one inside the jurisdiction with --mirror URL or "
                f"--mirror {vendor}=URL"
            )
        return found


def _base(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in _SCHEMES or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise CollateralError(f"mirror {url!r:.120}: a URL like https://mirror.example/collateral expected")
    return url.rstrip("/")
