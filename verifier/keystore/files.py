"""Keys in encrypted files: the fallback where no HSM can be had. This is not an HSM, and says so wherever it is shown.

One file a key: JSON with the scrypt parameters (RFC 7914), a salt, an IV and the key's PKCS#8 or raw bytes sealed with
AES-256-GCM under a key from the passphrase; the key's name and kind are authenticated with it. Whoever has the
files and the passphrase has the keys, and while the process runs they are in its memory.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import secrets
import threading
from pathlib import Path
from typing import Any, Literal

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from verifier import canonical
from verifier.keystore.base import (
    IV_BYTES,
    KEK_BYTES,
    KeyStoreError,
    associated_data,
    check_name,
    join_blob,
    split_blob,
)
from verifier.signer import ES384, Algorithm, SoftwareSigner

Kind = Literal["kek", "signing"]

_SUFFIX = ".key.json"
_SCRYPT = {"n": 2**15, "r": 8, "p": 1}  # 32 MiB: OWASP password storage guidance, scrypt


class FileKeyStore:
    """Encrypted key files in `directory`, opened with `passphrase`."""

    is_hsm = False

    def __init__(self, directory: Path, passphrase: str) -> None:
        if not passphrase:
            raise KeyStoreError("the encrypted key files need a passphrase that is not empty")
        self._directory = directory
        self._passphrase = passphrase
        self._keys: dict[str, tuple[Kind, bytes]] = {}
        self._signers: dict[bytes, SoftwareSigner] = {}
        self._lock = threading.RLock()
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise KeyStoreError(f"cannot use {directory}: {error.strerror}") from None
        for name in self.names():
            self._load(name)

    def create_kek(self, name: str) -> None:
        """Make an AES-256 key."""
        self._store(name, "kek", secrets.token_bytes(KEK_BYTES))

    def wrap(self, name: str, dek: bytes) -> bytes:
        """Encrypt `dek` under the KEK with AES-256-GCM."""
        if not dek:
            raise KeyStoreError("an empty data key is not wrapped")
        iv = secrets.token_bytes(IV_BYTES)
        return join_blob(iv, AESGCM(self._secret(name, "kek")).encrypt(iv, dek, associated_data(name)))

    def unwrap(self, name: str, blob: bytes) -> bytes:
        """Decrypt a wrapped data key."""
        iv, sealed = split_blob(blob)
        try:
            return AESGCM(self._secret(name, "kek")).decrypt(iv, sealed, associated_data(name))
        except InvalidTag:
            raise KeyStoreError(
                f"the wrapped key was changed, or was not wrapped under {name!r}: restore it from a copy"
            ) from None

    def create_signing_key(self, name: str, algorithm: Algorithm = ES384) -> None:
        """Make a key pair on the algorithm's curve."""
        private_key = ec.generate_private_key(algorithm.curve)
        self._store(
            name,
            "signing",
            private_key.private_bytes(
                serialization.Encoding.DER,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            ),
        )

    def sign(self, name: str, data: bytes) -> bytes:
        """The signature r‖s of `data`."""
        return self._signer(name).sign(data)

    def public_key(self, name: str) -> ec.EllipticCurvePublicKey:
        """The public half of a signing key."""
        return self._signer(name).public_key

    def destroy(self, name: str) -> None:
        """Delete the key's file."""
        with self._lock:
            self._load(check_name(name))
            self._path(name).unlink(missing_ok=True)
            del self._keys[name]
            self._signers.clear()

    def names(self) -> tuple[str, ...]:
        """Names of the key files in the directory."""
        return tuple(sorted(path.name.removesuffix(_SUFFIX) for path in self._directory.glob("*" + _SUFFIX)))

    def describe(self) -> str:
        """Says plainly that no HSM protects these keys."""
        return (
            f"encrypted files in {self._directory}: THIS IS NOT AN HSM; whoever has the files and the passphrase "
            "has the keys (install softhsm2, or configure a PKCS#11 module)"
        )

    def close(self) -> None:
        """Drop the decrypted keys from memory; the next use reads the files again."""
        with self._lock:
            self._keys.clear()
            self._signers.clear()

    def _signer(self, name: str) -> SoftwareSigner:
        """The signer, read once: what it costs to load a key is most of what it costs to sign."""
        secret = self._secret(name, "signing")
        with self._lock:
            known = self._signers.get(secret)
            if known is None:
                key = serialization.load_der_private_key(secret, None)
                if not isinstance(key, ec.EllipticCurvePrivateKey):
                    raise KeyStoreError(f"key {name!r} is not an elliptic-curve key: restore its file from a copy")
                known = self._signers[secret] = SoftwareSigner(key)
            return known

    def _secret(self, name: str, kind: Kind) -> bytes:
        with self._lock:
            found, secret = self._load(check_name(name))
        if found != kind:
            raise KeyStoreError(f"key {name!r} is a {found} key, not a {kind} key")
        return secret

    def _load(self, name: str) -> tuple[Kind, bytes]:
        """Kind and bytes of a key, decrypted on first use."""
        if name in self._keys:
            return self._keys[name]
        path = self._path(name)
        try:
            record = canonical.parse_object(path.read_bytes())
            kind: Kind = record["kind"]
            secret = AESGCM(self._derive(_bytes(record["salt"]))).decrypt(
                _bytes(record["iv"]), _bytes(record["sealed"]), _context(name, kind)
            )
        except FileNotFoundError:
            raise KeyStoreError(
                f"no key named {name!r} is in {self._directory}: create it, or check the name"
            ) from None
        except InvalidTag:
            raise KeyStoreError(
                f"wrong passphrase for {path.name}, or the file was changed: give the passphrase it was made with"
            ) from None
        except (KeyError, TypeError, ValueError, OSError):
            raise KeyStoreError(f"{path} is not a key file: restore it from a copy") from None
        self._keys[name] = (kind, secret)
        return kind, secret

    def _store(self, name: str, kind: Kind, secret: bytes) -> None:
        salt, iv = secrets.token_bytes(16), secrets.token_bytes(IV_BYTES)
        sealed = AESGCM(self._derive(salt)).encrypt(iv, secret, _context(check_name(name), kind))
        record = {"kind": kind, "scrypt": _SCRYPT, "salt": _text(salt), "iv": _text(iv), "sealed": _text(sealed)}
        path, temporary = self._path(name), self._path(name).with_suffix(f".{os.getpid()}.{threading.get_ident()}")
        with self._lock:
            try:
                _write_durably(temporary, json.dumps(record, indent=1))
                # A hard link, unlike a rename, fails when another process made the key first.
                os.link(temporary, path)
            except FileExistsError:
                raise KeyStoreError(
                    f"a key named {name!r} exists already: destroy it first, or choose another name"
                ) from None
            except OSError as error:
                raise KeyStoreError(f"cannot write {path}: {error.strerror}; free space or fix permissions") from None
            finally:
                with contextlib.suppress(OSError):
                    temporary.unlink(missing_ok=True)
            self._keys[name] = (kind, secret)

    def _derive(self, salt: bytes) -> bytes:
        return Scrypt(salt=salt, length=32, **_SCRYPT).derive(self._passphrase.encode("utf-8"))

    def _path(self, name: str) -> Path:
        return self._directory / (check_name(name) + _SUFFIX)


def _write_durably(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())


def _context(name: str, kind: Any) -> bytes:
    return f"bailiwick key file v1\x00{kind}\x00{name}".encode()


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)
