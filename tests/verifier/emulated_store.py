"""A collateral store at the emulated site, with what the stand-ins for AMD, Intel and NVIDIA publish."""

import hashlib
from datetime import timedelta
from typing import Final

from sandbox.hardware import Chip, SnpFirmware, publish_collateral
from sandbox.hardware.platform import FMSPC
from tests.verifier.emulated_site import Client, Site
from verifier import snp
from verifier.broker import create_app
from verifier.collateral import needs, pem
from verifier.collateral.live import DeviceCollateral, QuoteCollateral, RevocationLists
from verifier.collateral.record import Kind, Record
from verifier.collateral.source import Reader
from verifier.collateral.store import Store
from verifier.tdx import Collateral
from verifier.trust import TrustStore

DAY: Final = timedelta(days=1)


def put(site: Site, kind: Kind, subject: str, content: bytes, age: timedelta, ends_in: timedelta = 60 * DAY) -> Store:
    """The site's store, with one more object: issued and fetched so long ago, good for so long."""
    store, issued = Store(site.directory / "store"), site.now - age
    record = Record(
        kind=kind,
        subject=subject,
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        source="https://vendor.test",
        fetched_at=issued,
        not_before=issued,
        next_update=site.now + ends_in,
    )
    store.put(record, content)
    return store


def put_revocation_list(site: Site, age: timedelta, ends_in: timedelta = 60 * DAY) -> Store:
    """AMD's list."""
    return put(site, Kind.AMD_CRL, "milan", site.pki.revocation_list(), age, ends_in)


def put_endorsement(site: Site, report: bytes, age: timedelta) -> Store:
    """The VCEK of a report's chip, with its chain."""
    chain = SnpFirmware(site.pki, Chip("host-a")).certificates
    content = pem.certificates(chain.leaf, chain.intermediate, chain.ark)
    return put(site, Kind.VCEK, needs.vcek_subject(snp.parse(report)), content, age)


def put_quote_collateral(site: Site, age: timedelta) -> None:
    """Intel's documents and lists for the emulated platforms."""
    publish_collateral(site.pki.intel, site.collateral)
    found = Collateral.from_directory(site.collateral / FMSPC.hex())
    objects = {
        (Kind.TCB_INFO, FMSPC.hex()): _answer("tcbInfo", found.tcb_info, found.tcb_info_signature),
        (Kind.QE_IDENTITY, "td"): _answer("enclaveIdentity", found.qe_identity, found.qe_identity_signature),
        (Kind.PCK_CRL, "platform"): pem.armour(pem.CRL, found.pck_crl),
    }
    for (kind, subject), content in objects.items():
        put(site, kind, subject, found.tcb_signing_chain + content, age)
    put(site, Kind.ROOT_CRL, "root", found.root_crl, age)


def put_rims(site: Site, age: timedelta) -> None:
    """NVIDIA's RIMs for the emulated GPUs."""
    for path in (site.device_collateral / "rims").iterdir():
        put(site, Kind.RIM, path.stem, path.read_bytes(), age)


def replica(site: Site, reader: Reader, trust: TrustStore | None = None) -> Client:
    """A replica that has its collateral from a store, or from a cache of one."""
    roots = trust or TrustStore.production().with_sandbox(site.pki.roots)
    sources = RevocationLists(reader), QuoteCollateral(reader, lambda: site.now), DeviceCollateral(reader), reader
    return Client(create_app(site.config, site.keystore, roots, site.log, site.wrapped, lambda: site.now, *sources))


def _answer(member: str, signed: bytes, signature: bytes) -> bytes:
    return b'{"%s":%s,"signature":"%s"}' % (member.encode(), signed, signature.hex().encode())
