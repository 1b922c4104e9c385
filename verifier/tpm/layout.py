"""Numbers of the TPM 2.0 structures that attest (TCG, "TPM 2.0 Library", part 2: Structures). All are big-endian."""

from __future__ import annotations

from typing import Final

GENERATED: Final = 0xFF544347
"""TPM_GENERATED_VALUE (6.2): only the TPM itself starts what it signs with a restricted key like this."""

ATTEST_QUOTE: Final = 0x8018
"""TPM_ST_ATTEST_QUOTE (6.9)."""

SHA1: Final = 0x0004
SHA256: Final = 0x000B
SHA384: Final = 0x000C
SHA512: Final = 0x000D
RSASSA: Final = 0x0014
ECDSA: Final = 0x0018
"""TPM_ALG_ID (6.3)."""

HASH_NAMES: Final = {SHA1: "sha1", SHA256: "sha256", SHA384: "sha384", SHA512: "sha512"}
"""Hash algorithm → its name in hashlib."""
HASH_BYTES: Final = {SHA1: 20, SHA256: 32, SHA384: 48, SHA512: 64}
STRONG_HASHES: Final = frozenset({SHA256, SHA384, SHA512})
"""Hashes that a quote may rest on; SHA-1 is read, and refused when verified."""

MAX_QUOTE_BYTES: Final = 1024
"""Far above the longest TPMS_ATTEST that the limits below allow."""
MAX_NAME_BYTES: Final = 66
"""TPM2B_NAME (10.5.3): an algorithm and the longest digest; TPM2B_DATA (10.4.4) has the same limit."""
MAX_DIGEST_BYTES: Final = 64
MAX_BANKS: Final = 16
"""TPML_PCR_SELECTION (10.9.7): HASH_COUNT of the reference implementation."""
MAX_SELECT_BYTES: Final = 4
PCR_COUNT: Final = 24
"""PCRs of a PC client platform (TCG, "PC Client Platform TPM Profile", 4.6)."""
MAX_SIGNATURE_BYTES: Final = 1024
"""RSA of 8192 bits."""
MIN_RSA_BITS: Final = 2048
