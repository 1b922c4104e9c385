"""AWS Nitro attestation documents, of enclaves and of NitroTPM: parse (bytes → fields) and verify (is it AWS's?)."""

from verifier.nitro.document import DocumentKind, NitroDocument, is_document, parse
from verifier.nitro.verification import VerifiedDocument, verify

__all__ = ["DocumentKind", "NitroDocument", "VerifiedDocument", "is_document", "parse", "verify"]
