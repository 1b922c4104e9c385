"""Secrets at rest, in the format of Pulumi's passphrase provider, and secrets in text.

The key is PBKDF2-HMAC-SHA256 of the passphrase (1,000,000 iterations, 8-byte salt, 32-byte key); a value is sealed with
AES-256-GCM under a random 12-byte nonce and written `v1:<nonce>:<ciphertext and tag>`, both base64. State keeps
`v1:<salt>:<sealed "pulumi">`, which tells a wrong passphrase from a right one
(sdk/go/common/resource/config/crypt.go, pkg/secrets/passphrase/manager.go).
"""

import base64
import binascii
import functools
import hashlib
import json
import secrets
import threading
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sandbox.engine.errors import StateError
from sandbox.engine.events import SECRET_SHOWN
from sandbox.values import Secret, Value

ITERATIONS: Final = 1_000_000
SALT_BYTES: Final = 8
NONCE_BYTES: Final = 12
KEY_BYTES: Final = 32
KNOWN_PLAINTEXT: Final = "pulumi"
SHORTEST_REDACTED: Final = 4  # characters; a shorter secret would blank out ordinary words


@functools.lru_cache(maxsize=16)
def _derive_key(passphrase: str, salt: bytes, iterations: int) -> bytes:
    return hashlib.pbkdf2_hmac("sha256", passphrase.encode(), salt, iterations, KEY_BYTES)


class SecretBox:
    """Seals and unseals values under one passphrase.

    The key, half a second of work, is derived when something is first sealed: a preview of a new stack seals nothing.
    """

    def __init__(self, passphrase: str, salt: bytes) -> None:
        self._passphrase = passphrase
        self._salt = salt

    @functools.cached_property
    def _aead(self) -> AESGCM:
        return AESGCM(_derive_key(self._passphrase, self._salt, ITERATIONS))

    @functools.cached_property
    def salt(self) -> str:
        """What state records: `v1:<salt>:v1:<nonce>:<ciphertext>`."""
        return f"v1:{base64.b64encode(self._salt).decode()}:{self.seal_text(KNOWN_PLAINTEXT)}"

    @classmethod
    def new(cls, passphrase: str) -> "SecretBox":
        return cls(passphrase, secrets.token_bytes(SALT_BYTES))

    @classmethod
    def open(cls, passphrase: str, salt: str) -> "SecretBox":
        """Raises `StateError` when `salt` is malformed or the passphrase is another one."""
        version, _, rest = salt.partition(":")
        encoded, _, proof = rest.partition(":")
        try:
            raw = base64.b64decode(encoded, validate=True)
        except binascii.Error as error:
            raise StateError("encryption salt is not base64") from error
        if version != "v1" or not proof:
            raise StateError("encryption salt is not of the form v1:<salt>:v1:<nonce>:<ciphertext>")
        box = cls(passphrase, raw)
        box.salt = salt
        try:
            box.unseal_text(proof)
        except StateError as error:
            raise StateError(
                "wrong passphrase: set PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE to the one"
                " with which the state was written"
            ) from error
        return box

    def seal_text(self, plaintext: str) -> str:
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = self._aead.encrypt(nonce, plaintext.encode(), None)
        return f"v1:{base64.b64encode(nonce).decode()}:{base64.b64encode(sealed).decode()}"

    def unseal_text(self, ciphertext: str) -> str:
        try:
            version, nonce, sealed = ciphertext.split(":")
            if version != "v1":
                raise StateError(f"secret value of unknown version {version}")
            plaintext = self._aead.decrypt(base64.b64decode(nonce), base64.b64decode(sealed), None)
        except (ValueError, binascii.Error, InvalidTag) as error:
            raise StateError("a secret value cannot be decrypted with this passphrase") from error
        return plaintext.decode()

    def seal(self, value: Any) -> str:
        """The ciphertext of a JSON value."""
        return self.seal_text(json.dumps(value, separators=(",", ":")))

    def unseal(self, ciphertext: str) -> Any:
        return json.loads(self.unseal_text(ciphertext))


def plaintexts_of(value: Value) -> set[str]:
    """Every text that lies inside a `Secret` of `value`."""
    match value:
        case Secret():
            return _texts(value.value)
        case dict():
            return set().union(*map(plaintexts_of, value.values()))
        case list() | tuple():
            return set().union(*map(plaintexts_of, value))
        case _:
            return set()


def texts_in_clear(value: Value) -> set[str]:
    """Every text of `value` that lies outside a `Secret`."""
    match value:
        case str():
            return {value}
        case dict():
            return set().union(*map(texts_in_clear, value.values()))
        case list() | tuple():
            return set().union(*map(texts_in_clear, value))
        case _:
            return set()


def _texts(value: Value) -> set[str]:
    match value:
        case str():
            return {value} if value else set()
        case Secret():
            return _texts(value.value)
        case dict():
            return set().union(*map(_texts, value.values()))
        case list() | tuple():
            return set().union(*map(_texts, value))
        case _:
            return set()


def mark_secrets(value: Value, like: Value, plaintexts: set[str]) -> Value:
    """`value` with a `Secret` wherever `like` has one, and around every text that gives one of `plaintexts` away.

    Providers see plaintext and answer in plaintext; a copied secret often comes back under another name.
    """
    if isinstance(value, Secret):
        return value
    if isinstance(like, Secret):
        return Secret(value) if value is not None else None
    match value:
        case dict():
            same_shape = like if isinstance(like, dict) else {}
            return {key: mark_secrets(item, same_shape.get(key), plaintexts) for key, item in value.items()}
        case list() | tuple():
            items = like if isinstance(like, list) else []
            paired = [*items, *[None] * (len(value) - len(items))]
            return [mark_secrets(item, other, plaintexts) for item, other in zip(value, paired, strict=False)]
        case str() if any(_gives_away(value, text) for text in plaintexts):
            return Secret(value)
        case _:
            return value


def _gives_away(text: str, plaintext: str) -> bool:
    return text == plaintext or (len(plaintext) >= 2 * SHORTEST_REDACTED and plaintext in text)


class Redactor:
    """Takes every secret that the run has seen out of a text. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._plaintexts: set[str] = set()

    def learn(self, value: Value, *, stated: Value = None) -> None:
        """Take the secrets of `value` from now on out of every text; not what `stated` says in clear, such as a label
        that a provider gives back as a secret."""
        known = plaintexts_of(value) - texts_in_clear(stated)
        found = {text for text in known if len(text) >= SHORTEST_REDACTED}
        with self._lock:
            self._plaintexts |= found

    def clean(self, text: str) -> str:
        with self._lock:
            known = sorted((secret for secret in self._plaintexts if secret in text), key=len, reverse=True)
        for secret in known:
            text = text.replace(secret, SECRET_SHOWN)
        return text
