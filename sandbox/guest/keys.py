"""The guest's ephemeral key pair: made at boot, in memory only, and named by the attestation report."""

from typing import Any, Final, cast

from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

ALGORITHM: Final = "ECDH-ES+A256KW"


class UnwrapError(Exception):
    """A JWE does not open with this guest's key."""


class TeeKey:
    """An EC P-256 key to which the broker wraps what it releases (KBS attestation protocol, `tee-pubkey`)."""

    def __init__(self) -> None:
        self._key = ECKey.generate_key("P-256", {"alg": ALGORITHM}, private=True)

    @property
    def public_jwk(self) -> dict[str, str]:
        """The public half as the protocol's JWK: kty, crv, alg, x, y."""
        public = self._key.as_dict(private=False)
        return {"alg": ALGORITHM} | {name: str(public[name]) for name in ("kty", "crv", "x", "y")}

    @property
    def public_der(self) -> bytes:
        """The same as a SubjectPublicKeyInfo in DER."""
        return self._key.as_der(private=False)

    def unwrap(self, response: dict[str, Any]) -> bytes:
        """The plaintext of a flattened JWE (RFC 7516 section 7.2.2) that was wrapped to this key."""
        try:
            flattened = cast("jwe.FlattenedJSONSerialization", response)
            opened = jwe.decrypt_json(flattened, self._key, algorithms=[ALGORITHM, "A256GCM"])
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise UnwrapError(f"the released key was not wrapped to this guest ({type(error).__name__})") from None
        if opened.plaintext is None:
            raise UnwrapError("the released key is empty")
        return opened.plaintext
