"""AMD SEV-SNP attestation reports: parse (bytes → fields) and verify (is it genuine)."""

from verifier.snp import layout
from verifier.snp.chain import VerifiedChain
from verifier.snp.endorsement import Endorsements, revocation_lists
from verifier.snp.product import Product, Tcb
from verifier.snp.report import SigningKey, SnpReport, parse
from verifier.snp.revocation import Revocation
from verifier.snp.verification import VerifiedReport, verify

__all__ = [
    "Endorsements",
    "Product",
    "Revocation",
    "SigningKey",
    "SnpReport",
    "Tcb",
    "VerifiedChain",
    "VerifiedReport",
    "layout",
    "parse",
    "revocation_lists",
    "verify",
]
