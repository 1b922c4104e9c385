"""Keys in a hardware security module, through PKCS#11 v2.40 (SoftHSM 2 in the sandbox, any HSM in production).

The KEK is AES-256 and wraps with AES-GCM (CKM_AES_GCM) inside the HSM, with a random IV from the HSM's generator and
the KEK's name as associated data. The choice, against an RSA KEK with OAEP: SoftHSM 2.6 does OAEP with SHA-1 only;
and a public wrapping key authenticates nothing, so whoever can write the store of wrapped keys could plant a data
key of their own, which GCM refuses. NIST SP 800-38D, 8.3 allows 2^32 random IVs a key, far above what is wrapped.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass
from pkcs11.exceptions import EncryptedDataInvalid, FunctionFailed, GeneralError, NoSuchKey
from pkcs11.mechanisms import GCMParams
from pkcs11.util.ec import encode_ec_public_key, encode_named_curve_parameters

from verifier.keystore.base import (
    IV_BYTES,
    KEK_BYTES,
    TAG_BYTES,
    KeyStoreError,
    associated_data,
    check_name,
    join_blob,
    split_blob,
)
from verifier.keystore.module import HsmModule
from verifier.signer import ES256, ES384, Algorithm

_KEPT_INSIDE = {Attribute.TOKEN: True, Attribute.PRIVATE: True, Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False}

_HASHES = {encode_named_curve_parameters(it.curve.name): it.hash.name for it in (ES256, ES384)}
"""CKA_EC_PARAMS of a key → the hash that goes with its curve."""


class Pkcs11KeyStore:
    """A token of an HSM as a `KeyStore`; opening one logs in, so that a wrong PIN is known at once.

    module_path: the PKCS#11 library. token_label: the token's label. pin: the user PIN.
    configuration: the SoftHSM configuration file; None leaves SOFTHSM2_CONF, or another HSM's own, as it is.
    """

    is_hsm = True

    def __init__(self, module_path: Path, token_label: str, pin: str, configuration: Path | None = None) -> None:
        self._module = HsmModule.at(module_path)
        self._path = module_path
        self._label = token_label
        self._pin = pin
        self._configuration = configuration
        with self._session():
            pass

    def create_kek(self, name: str) -> None:
        """Make an AES-256 key that never leaves the HSM and only encrypts and decrypts."""
        with self._session() as session:
            self._refuse_taken(session, name)
            session.generate_key(
                KeyType.AES,
                KEK_BYTES * 8,
                id=_identifier(name),
                label=name,
                store=True,
                template={**_KEPT_INSIDE, Attribute.ENCRYPT: True, Attribute.DECRYPT: True}
                | dict.fromkeys((Attribute.WRAP, Attribute.UNWRAP, Attribute.SIGN, Attribute.VERIFY), False),
            )

    def wrap(self, name: str, dek: bytes) -> bytes:
        """Encrypt `dek` under the KEK inside the HSM."""
        if not dek:
            raise KeyStoreError("an empty data key is not wrapped")
        with self._session() as session:
            iv: bytes = session.generate_random(IV_BYTES * 8)
            kek = _find(session, name, ObjectClass.SECRET_KEY)
            sealed: bytes = kek.encrypt(dek, mechanism=Mechanism.AES_GCM, mechanism_param=_gcm(iv, name))
        return join_blob(iv, sealed)

    def unwrap(self, name: str, blob: bytes) -> bytes:
        """Decrypt a wrapped data key inside the HSM."""
        iv, sealed = split_blob(blob)
        with self._session() as session:
            kek = _find(session, name, ObjectClass.SECRET_KEY)
            try:
                dek: bytes = kek.decrypt(sealed, mechanism=Mechanism.AES_GCM, mechanism_param=_gcm(iv, name))
            except (EncryptedDataInvalid, FunctionFailed, GeneralError):
                raise KeyStoreError(
                    f"the wrapped key was changed, or was not wrapped under {name!r}: restore it from a copy"
                ) from None
        return dek

    def create_signing_key(self, name: str, algorithm: Algorithm = ES384) -> None:
        """Make a key pair whose private half never leaves the HSM and only signs."""
        with self._session() as session:
            self._refuse_taken(session, name)
            curve = session.create_domain_parameters(
                KeyType.EC, {Attribute.EC_PARAMS: encode_named_curve_parameters(algorithm.curve.name)}, local=True
            )
            curve.generate_keypair(
                id=_identifier(name),
                label=name,
                store=True,
                public_template={Attribute.TOKEN: True, Attribute.VERIFY: True, Attribute.WRAP: False},
                private_template={**_KEPT_INSIDE, Attribute.SIGN: True}
                | dict.fromkeys((Attribute.UNWRAP, Attribute.DECRYPT, Attribute.DERIVE), False),
            )

    def sign(self, name: str, data: bytes) -> bytes:
        """Sign inside the HSM; CKM_ECDSA takes the digest and returns r‖s."""
        with self._session() as session:
            key = _find(session, name, ObjectClass.PRIVATE_KEY)
            digest = hashlib.new(_HASHES[key[Attribute.EC_PARAMS]], data).digest()
            signature: bytes = key.sign(digest, mechanism=Mechanism.ECDSA)
        return signature

    def public_key(self, name: str) -> ec.EllipticCurvePublicKey:
        """The public half, from the HSM's public key object."""
        with self._session() as session:
            info = encode_ec_public_key(_find(session, name, ObjectClass.PUBLIC_KEY))
        key = serialization.load_der_public_key(info)
        if not isinstance(key, ec.EllipticCurvePublicKey):
            raise _unknown(name)
        return key

    def destroy(self, name: str) -> None:
        """Destroy every object that carries the name."""
        with self._session() as session:
            objects = list(session.get_objects({Attribute.LABEL: check_name(name)}))
            if not objects:
                raise _unknown(name)
            for item in objects:
                item.destroy()

    def names(self) -> tuple[str, ...]:
        """Labels of the secret and private keys on the token."""
        with self._session() as session:
            return tuple(
                sorted(
                    item[Attribute.LABEL]
                    for kind in (ObjectClass.SECRET_KEY, ObjectClass.PRIVATE_KEY)
                    for item in session.get_objects({Attribute.CLASS: kind})
                )
            )

    def describe(self) -> str:
        """The module and the token; SoftHSM is named for what it is."""
        if "softhsm" in self._path.name:
            return f"SoftHSM 2 token {self._label} (PKCS#11; an HSM emulated in software, for sandboxes and tests)"
        return f"HSM token {self._label} (PKCS#11 module {self._path.name})"

    def close(self) -> None:
        """Log out of the token; the next operation logs in again."""
        self._module.forget(self._configuration, self._label)

    @contextmanager
    def _session(self) -> Iterator[Any]:
        with self._module.session(self._configuration, self._label, self._pin) as session:
            yield session

    @staticmethod
    def _refuse_taken(session: Any, name: str) -> None:
        if any(True for _ in session.get_objects({Attribute.LABEL: check_name(name)})):
            raise KeyStoreError(f"a key named {name!r} exists already: destroy it first, or choose another name")


def _find(session: Any, name: str, kind: ObjectClass) -> Any:
    try:
        return session.get_key(object_class=kind, label=check_name(name))
    except NoSuchKey:
        raise _unknown(name) from None


def _unknown(name: str) -> KeyStoreError:
    return KeyStoreError(f"no key named {name!r} of that kind is in the key store: create it, or check the name")


def _gcm(iv: bytes, name: str) -> GCMParams:
    return GCMParams(iv, associated_data(name), TAG_BYTES * 8)


def _identifier(name: str) -> bytes:
    """CKA_ID, which pairs a private key with its public key: the first 20 bytes of SHA-256 of the name."""
    return hashlib.sha256(name.encode("utf-8")).digest()[:20]
