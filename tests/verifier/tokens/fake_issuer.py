"""Issuers of our own: keys, a JWKS, and tokens of every kind, whose every part a test can set."""

import hashlib
import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from verifier import jwk, tokens
from verifier.appraisal import AppraisalPolicy
from verifier.appraisal.tokens import appraise
from verifier.errors import VerificationFailed

AT = datetime(2026, 6, 1, 12, tzinfo=UTC)
NOW = int(AT.timestamp())
NONCE = bytes(range(32))
EVIDENCE = Path(__file__).parents[2] / "evidence" / "tokens"
MR_TD = "ab" * 48
IMAGE = "sha256:" + "cd" * 32

CLAIMS: dict[str, dict[str, Any]] = {
    "azure-attestation-germanywestcentral": json.loads((EVIDENCE / "azure-claims.json").read_text())
    | {"x-ms-runtime": {"client-payload": {"nonce": NONCE.hex()}}},
    "google-confidential-space": {
        "aud": "https://verifier.example",
        "eat_nonce": ["another-nonce", NONCE.hex()],
        "hwmodel": "GCP_INTEL_TDX",
        "swname": "CONFIDENTIAL_SPACE",
        "dbgstat": "disabled-since-boot",
        "secboot": True,
        "submods": {
            "confidential_space": {"support_attributes": ["LATEST", "STABLE", "USABLE"]},
            "container": {"image_digest": IMAGE},
        },
    },
    "intel-trust-authority-eu": {
        "tdx": {
            "attester_type": "TDX",
            "attester_tcb_status": "UpToDate",
            "attester_held_data": NONCE.hex(),
            "tdx_is_debuggable": False,
            "tdx_mrtd": MR_TD,
        },
        "policy_ids_unmatched": [],
    },
}
"""Issuer → what its token says of a good guest."""

AZURE, GOOGLE, INTEL = CLAIMS
NVIDIA = "nvidia-nras"
GENUINE_BUNDLE = (EVIDENCE / "nvidia-bundle.json").read_bytes()
DEVICE = json.loads(jwk.decode(json.loads(GENUINE_BUNDLE)[1]["GPU-0"].split(".")[1])) | {"eat_nonce": NONCE.hex()}
MEASUREMENTS = frozenset({MR_TD, IMAGE, CLAIMS[AZURE]["x-ms-isolation-tee"]["x-ms-sevsnpvm-launchmeasurement"]})


@cache
def key(name: str) -> rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey:
    """A key of its own for each name; RSA, but for NVIDIA."""
    if name.startswith(NVIDIA):
        return ec.generate_private_key(ec.SECP384R1())
    return rsa.generate_private_key(65537, 2048)


def sign(name: str, algorithm: str, data: bytes) -> bytes:
    """A signature of the named key."""
    digest = hashes.SHA384() if algorithm.endswith("384") else hashes.SHA256()
    signer = key(name)
    if isinstance(signer, ec.EllipticCurvePrivateKey):
        r, s = decode_dss_signature(signer.sign(data, ec.ECDSA(digest)))
        return r.to_bytes(48, "big") + s.to_bytes(48, "big")
    pss = padding.PSS(padding.MGF1(digest), digest.digest_size)
    return signer.sign(data, pss if algorithm.startswith("PS") else padding.PKCS1v15(), digest)


def jwks(*names: str, **members: Any) -> bytes:
    """The named keys as an issuer publishes them."""
    entries = [{"kid": name, **jwk.from_public_key(key(name).public_key()), **members} for name in names]
    return json.dumps({"keys": entries}).encode()


@dataclass(frozen=True)
class Jwt:
    """A JWT before it is signed. A test replaces the part it is about; None leaves a claim or a parameter out."""

    name: str
    claims: dict[str, Any]
    header: dict[str, Any] = field(default_factory=dict)
    signer: str = ""

    def encode(self) -> str:
        """The compact form."""
        issuer = tokens.find(self.name)
        header = {"alg": issuer.algorithms[0], "kid": self.name, "typ": "JWT"} | self.header
        times = {"iss": issuer.issuer, "iat": NOW - 60, "nbf": NOW - 60, "exp": NOW + 600}
        parts = [
            jwk.encode(json.dumps({name: value for name, value in part.items() if value is not None}).encode())
            for part in (header, {**self.claims, **{k: v for k, v in times.items() if k not in self.claims}})
        ]
        signed = ".".join(parts)
        return f"{signed}.{jwk.encode(sign(self.signer or self.name, header['alg'] or '', signed.encode()))}"


def jwt(name: str, **changes: Any) -> Jwt:
    """A good token of an issuer, with other claims, `_` for `-`."""
    content = {member: value for member, value in CLAIMS[name].items() if member not in {"iss", "iat", "nbf", "exp"}}
    return Jwt(name, content | {member.replace("_", "-"): value for member, value in changes.items()})


def bundle(overall: dict[str, Any] | None = None, device: dict[str, Any] | None = None) -> bytes:
    """A good bundle of NVIDIA's, with other claims of its one device or of the whole."""
    one = {name: value for name, value in DEVICE.items() if name not in {"iss", "iat", "nbf", "exp"}}
    token = Jwt(NVIDIA, one | (device or {})).encode()
    digest = hashlib.sha256(token.encode()).hexdigest()
    whole = {"x-nvidia-overall-att-result": True, "eat_nonce": NONCE.hex()}
    whole["submods"] = {"GPU-0": ["DIGEST", ["SHA-256", digest]]}
    return json.dumps([["JWT", Jwt(NVIDIA, whole | (overall or {})).encode()], {"GPU-0": token}]).encode()


def good(name: str) -> bytes:
    """A good token of any issuer."""
    return bundle() if name == NVIDIA else jwt(name).encode().encode()


def verified(data: bytes, name: str, keys: bytes | None = None, at: datetime = AT) -> tokens.VerifiedToken:
    """The outcome of verification."""
    key_set = tokens.KeySet.parse(keys or jwks(name))
    return tokens.verify(tokens.parse(data), tokens.find(name), key_set, at)


POLICY = AppraisalPolicy.model_validate(
    {"tokens": {"issuers": [AZURE, GOOGLE, INTEL, NVIDIA], "measurements": MEASUREMENTS}}
)


def against(data: bytes, name: str, nonce: bytes | None = NONCE, policy: AppraisalPolicy = POLICY, **parts: Any):
    """The claims that keep a token from being affirmed. parts: of the policy's `tokens`."""
    policy = policy.model_copy(update={"tokens": policy.tokens.model_copy(update=parts)})
    result = appraise(verified(data, name), policy, nonce=nonce)
    return [claim.name for submod in result.submods.values() for claim in submod.claims if claim.tier > 2]


def with_claims(token: Jwt, **claims: Any) -> Jwt:
    """The same with other claims, under their own names."""
    return replace(token, claims=token.claims | claims)


def failed_check(data: bytes | str, name: str = AZURE, keys: bytes | None = None, at: datetime = AT) -> str:
    """The check that fails when a token of the named issuer is verified, as one must."""
    with pytest.raises(VerificationFailed) as failure:
        verified(data.encode() if isinstance(data, str) else data, name, keys, at)
    return failure.value.check
