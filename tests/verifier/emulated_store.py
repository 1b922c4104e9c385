"""A collateral store at the emulated site, with what the stand-ins for AMD, Intel and NVIDIA publish."""

import hashlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from sandbox.hardware import Chip, SnpFirmware, publish_collateral
from sandbox.hardware.platform import FMSPC
from tests.verifier.emulated_site import Client, Site
from verifier import snp
from verifier.broker import create_app
from verifier.collateral import needs, pem
from verifier.collateral.facts import inspect
from verifier.collateral.live import DeviceCollateral, QuoteCollateral, RevocationLists
from verifier.collateral.record import Kind, Record
from verifier.collateral.source import Reader
from verifier.collateral.store import Store
from verifier.tdx import Collateral
from verifier.trust import TrustStore

DAY: Final = timedelta(days=1)


def put(site: Site, objects: Mapping[tuple[Kind, str], bytes], age: timedelta = timedelta()) -> Store:
    """The site's store with more objects, fetched now, and then so much time that the last of them is of this age."""
    store, trust = Store(site.directory / "store"), TrustStore.production().with_sandbox(site.pki.roots)
    for (kind, subject), content in objects.items():
        stated = inspect(kind, subject, content, trust)
        record = Record(
            kind=kind,
            subject=subject,
            sha256=hashlib.sha256(content).hexdigest(),
            size=len(content),
            source="https://vendor.test",
            fetched_at=site.now,
            not_before=stated.not_before,
            next_update=stated.next_update,
        )
        store.put(record, content)
    site.now += max(timedelta(), age - record.age(site.now))
    return store


def put_revocation_list(site: Site, age: timedelta = timedelta()) -> Store:
    """AMD's list."""
    return put(site, {(Kind.AMD_CRL, "milan"): site.pki.revocation_list()}, age)


def put_endorsement(site: Site, report: bytes) -> Store:
    """The VCEK of a report's chip, with its chain."""
    chain = SnpFirmware(site.pki, Chip("host-a")).certificates
    content = pem.certificates(chain.leaf, chain.intermediate, chain.ark)
    return put(site, {(Kind.VCEK, needs.vcek_subject(snp.parse(report))): content})


def put_quote_collateral(site: Site, age: timedelta) -> None:
    """Intel's documents and lists for the emulated platforms, of which the TCB info is of this age."""
    publish_collateral(site.pki.intel, site.collateral)
    found = Collateral.from_directory(site.collateral / FMSPC.hex())
    issuers = pem.certificates(site.pki.intel.platform_ca.der, site.pki.intel.root.der)
    tcb_info = _answer("tcbInfo", found.tcb_info, found.tcb_info_signature)
    qe_identity = _answer("enclaveIdentity", found.qe_identity, found.qe_identity_signature)
    objects = {
        (Kind.ROOT_CRL, "root"): found.root_crl,
        (Kind.PCK_CRL, "platform"): issuers + pem.armour(pem.CRL, found.pck_crl),
        (Kind.QE_IDENTITY, "td"): found.tcb_signing_chain + qe_identity,
        (Kind.TCB_INFO, FMSPC.hex()): found.tcb_signing_chain + tcb_info,
    }
    put(site, objects, age)


def put_rims(site: Site, age: timedelta) -> None:
    """NVIDIA's RIMs for the emulated GPUs."""
    rims = (site.device_collateral / "rims").iterdir()
    put(site, {(Kind.RIM, path.stem): path.read_bytes() for path in rims}, age)


def replica(site: Site, reader: Reader, trust: TrustStore | None = None) -> Client:
    """A replica that has its collateral from a store, or from a cache of one."""
    roots = trust or TrustStore.production().with_sandbox(site.pki.roots)
    sources = RevocationLists(reader), QuoteCollateral(reader, lambda: site.now), DeviceCollateral(reader), reader
    return Client(create_app(site.config, site.keystore, roots, site.log, site.wrapped, lambda: site.now, *sources))


def _answer(member: str, signed: bytes, signature: bytes) -> bytes:
    return b'{"%s":%s,"signature":"%s"}' % (member.encode(), signed, signature.hex().encode())
