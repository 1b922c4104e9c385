"""What given evidence needs, worked out from the evidence and from what the store has by then."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from verifier import aws, azure, nitro, snp, tdx, tpm
from verifier.collateral import amd, needs
from verifier.collateral.needs import Need
from verifier.collateral.record import Kind
from verifier.collateral.store import Store
from verifier.errors import VerificationFailed
from verifier.snp import SigningKey
from verifier.snp.chain import verified_chain
from verifier.trust import TrustStore
from verifier.verdict import Evidence


def needs_of(
    evidence: Evidence, store: Store, trust: TrustStore, *, update: str = needs.STANDARD, google: bool = False
) -> Iterator[Need]:
    """Each object that verification asks for; those that only another object names come after it was stored.

    update: which TCB info and QE identity, as `needs.tdx` takes it. google: also the firmware's launch endorsement.
    VerificationFailed when the evidence does not say what it needs.
    """
    if isinstance(evidence, tuple):
        from verifier.collateral import nvidia

        yield from nvidia.needs_of(evidence, trust, rims_in(store))
        return
    if isinstance(evidence, tpm.VtpmAttestation) and evidence.report is not None:
        evidence = evidence.report.evidence
    if isinstance(evidence, nitro.NitroDocument | tpm.VtpmAttestation):
        return
    if isinstance(evidence, aws.AwsEvidence):
        evidence = evidence.report
    if isinstance(evidence, azure.AzureEvidence):
        evidence = evidence.hcl.snp_report or azure.required_quote(evidence)
    if isinstance(evidence, tdx.TdxQuote):
        yield from needs.tdx(evidence, update)
        if google:
            yield needs.launch_endorsement("tdx", evidence.report.mr_td)
        return
    yield from _snp(evidence, store, trust)
    if google:
        yield needs.launch_endorsement("snp", evidence.measurement)


def rims_in(store: Store) -> Callable[[str], bytes | None]:
    """Finds a RIM's content by its id."""

    def find(identifier: str) -> bytes | None:
        record = store.find(Kind.RIM, identifier)
        return None if record is None else store.content(record)

    return find


def _snp(report: snp.SnpReport, store: Store, trust: TrustStore) -> Iterator[Need]:
    """The VCEK, and the CRL of its root. A VLEK's certificate is the cloud's to give: nothing can be asked for it."""
    if report.signing_key is None:
        raise VerificationFailed("signing-key", "neither a VCEK nor a VLEK signed the report")
    products = tuple(snp.Product)
    if report.signing_key is SigningKey.VCEK:
        need = needs.vcek(report)
        yield need
        record = store.find(need.kind, need.subject)
        if record is None:
            return
        endorsements = amd.endorsements(store.content(record), SigningKey.VCEK)
        products = (verified_chain(endorsements, trust).product,)
    elif report.has_cpuid:
        products = needs.products_of(report)
    for product in products:
        yield needs.amd_crl(product)
