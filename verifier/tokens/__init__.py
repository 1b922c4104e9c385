"""Attestation tokens that others issued: a third party's word, checked offline and mapped onto our trust vector."""

from verifier.tokens.issuers import Issuer, find
from verifier.tokens.keys import KeySet
from verifier.tokens.token import Token, VerifiedToken, is_token, parse, verify

__all__ = ["Issuer", "KeySet", "Token", "VerifiedToken", "find", "is_token", "parse", "verify"]
