"""TPM 2.0 quotes: parse (bytes → fields), verify (did this key sign these PCRs), and the event log behind them."""

from verifier.tpm import layout
from verifier.tpm.attestation import CarriedReport, VtpmAttestation
from verifier.tpm.pcr import PcrValues, digest_of
from verifier.tpm.quote import PcrSelection, TpmQuote, parse
from verifier.tpm.signature import AttestationKey, TpmSignature, parse_signature, rsassa_sha256
from verifier.tpm.verification import VerifiedTpmQuote, verify

__all__ = [
    "AttestationKey",
    "CarriedReport",
    "PcrSelection",
    "PcrValues",
    "TpmQuote",
    "TpmSignature",
    "VerifiedTpmQuote",
    "VtpmAttestation",
    "digest_of",
    "layout",
    "parse",
    "parse_signature",
    "rsassa_sha256",
    "verify",
]
