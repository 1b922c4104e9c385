"""The key broker: the Key Broker Service protocol in front of the verifier, the key store and the log."""

from verifier.broker.app import RECEIPT_HEADER, create_app
from verifier.broker.protocol import Evidence, RuntimeData
from verifier.broker.service import TOKEN_KEY
from verifier.broker.wrapped import WrappedKey, WrappedKeys, WrappedKeysError

__all__ = [
    "RECEIPT_HEADER",
    "TOKEN_KEY",
    "Evidence",
    "RuntimeData",
    "WrappedKey",
    "WrappedKeys",
    "WrappedKeysError",
    "create_app",
]
