"""X.509 certificates and CRLs, read strictly and without judging more than they must be judged for."""

from verifier.pki.certificate import Certificate, Extension
from verifier.pki.revocation import RevocationList

__all__ = ["Certificate", "Extension", "RevocationList"]
