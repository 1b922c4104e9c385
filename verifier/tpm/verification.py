"""Is a quote genuine: did a TPM that holds this attestation key sign these PCRs?

Steps follow TCG, "TPM 2.0 Library", part 1, 31 (Attestation). Whose key it is, the caller must know: on Azure the
CPU's report names it. No certificate is involved here, so the outcome does not depend on the time.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from verifier.errors import VerificationFailed
from verifier.tpm import layout
from verifier.tpm.pcr import PcrValues, digest_of, selected
from verifier.tpm.quote import TpmQuote
from verifier.tpm.signature import AttestationKey, TpmSignature, check_signature


@dataclass(frozen=True, slots=True)
class VerifiedTpmQuote:
    """A genuine quote. pcrs: bank → PCR → value, of the quoted PCRs and no others."""

    quote: TpmQuote
    pcrs: PcrValues

    def annotations(self) -> dict[str, str | int]:
        """The quote's fields and each quoted PCR in hex, for results and receipts."""
        values = {
            f"pcr{register}_{layout.HASH_NAMES[bank]}": value.hex()
            for bank, registers in self.pcrs.items()
            for register, value in registers.items()
        }
        return self.quote.annotations() | values


def verify(quote: TpmQuote, signature: TpmSignature, key: AttestationKey, pcrs: PcrValues) -> VerifiedTpmQuote:
    """Check `quote`; VerificationFailed names the first check that does not hold.

    key: the attestation key, restricted to what a TPM makes; that it is one must have been shown before.
    pcrs: values that came with the quote; those that it does not select are dropped.
    """
    check_signature(quote.signed, signature, key)
    if not any(registers for _, registers in quote.selection):
        raise VerificationFailed("tpm.pcr-selection", "the quote covers no PCR, so it says nothing about the boot")
    for bank, _registers in quote.selection:
        if bank not in layout.STRONG_HASHES:
            raise VerificationFailed(
                "tpm.pcr-bank", f"the quote covers the {layout.HASH_NAMES[bank]} bank, SHA-256 or stronger expected"
            )
    expected = digest_of(quote.selection, pcrs, signature.hash_algorithm)
    if not hmac.compare_digest(expected, quote.pcr_digest):
        raise VerificationFailed(
            "tpm.pcr-digest",
            f"the PCR values hash to {expected[:8].hex()}…, the quote has {quote.pcr_digest[:8].hex()}…",
        )
    quoted: dict[int, dict[int, bytes]] = {}
    for bank, register, value in selected(quote.selection, pcrs):
        quoted.setdefault(bank, {})[register] = value
    return VerifiedTpmQuote(quote, quoted)
