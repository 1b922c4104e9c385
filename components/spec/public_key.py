"""Public keys in a stack file. What is none is not shown: it may be the private one, given by mistake."""

import re
from typing import Final

from pydantic_core import PydanticCustomError

PUBLIC_KEY: Final = r"^-----BEGIN PUBLIC KEY-----\n([A-Za-z0-9+/=]{1,64}\n)+-----END PUBLIC KEY-----\n?$"
"""SubjectPublicKeyInfo in PEM (RFC 7468, 13)."""


def public_key(text: str) -> str:
    """The text, if it is a public key in PEM."""
    if not re.fullmatch(PUBLIC_KEY, text):
        raise PydanticCustomError("public_key", "is no public key in PEM (-----BEGIN PUBLIC KEY-----)")
    return text
