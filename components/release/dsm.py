"""Release policies for Fortanix DSM: an app, the group of its key, and the quorum over both.

The app is who may decrypt with the key. It signs in with a JSON web token: DSM believes the issuers and the keys that
the app names, checks the token's expiry, and asks a Rego policy about its claims (DSM REST API 0.1.0-20260710,
`AppRequest`, `SignedJwtCredential`, `PolicyDefinitionRego`: the claims are `input.jwt_body`). The token is a verifier's
attestation result, so that the app is no more than the word of that verifier. DSM itself reads no evidence.

The key cannot be exported: it unwraps data keys inside DSM. The group's approval policy asks a quorum before anybody
changes, moves or copies it (`GroupApprovalPolicy`); a change of the approval policy is protected by the policy itself.
The documents are the bodies of POST /crypto/v1/keys, /sys/v1/groups and /sys/v1/apps, in plain JSON: the models of the
Python SDK (`sdkms` 5.6) are of the API of 2020, which had neither approval policies nor policies on claims.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from components.release import results
from components.release.policy import Compiled, ReleasePolicy, ReleasePolicyError, Tee, unexpressed

KEY_OPERATIONS = ("ENCRYPT", "DECRYPT")
"""What the key may be used for at all: wrapping data keys, and unwrapping them."""
RELEASE_PERMISSIONS = ("DECRYPT",)
PROTECTED = (
    "ROTATE_SOBJECTS",
    "REVOKE_SOBJECTS",
    "REVERT_SOBJECTS",
    "DELETE_KEY_MATERIAL",
    "DELETE_SOBJECTS",
    "DESTROY_SOBJECTS",
    "MOVE_SOBJECTS",
    "CREATE_SOBJECTS",
    "UPDATE_SOBJECTS_PROFILE",
    "UPDATE_SOBJECTS_ENABLED_STATE",
    "UPDATE_SOBJECT_POLICIES",
    "ACTIVATE_SOBJECTS",
    "UPDATE_KEY_OPS",
)
"""What needs the quorum: everything that `QuorumGroupPermissions` has but reading metadata."""
FEWEST_APPROVERS = 2

_CLAIMS = "input.jwt_body"
_HEAD = """package bailiwick

import rego.v1

default allow := false
"""
_INEXPRESSIBLE = results.INEXPRESSIBLE | {
    "data_class": "the app knows claims of the token only; the gateway and the policies hold it",
}
_INEXPRESSIBLE_FOR_TDX = {
    "launch_signers": "on tdx: a TD has no signer of its launch",
    "vmpl": "on tdx: a TD has no privilege levels",
    "hardware": "on tdx: a verifier's results do not name the processor",
}


@dataclass(frozen=True, slots=True)
class Quorum:
    """Who must agree before the key or its policy is changed."""

    approvers: Sequence[str]
    """UUIDs of users of the DSM account."""
    needed: int
    """How many of them must agree; at least two."""

    def policy(self) -> dict[str, Any]:
        """DSM's `QuorumPolicy`; raises `ReleasePolicyError` for a quorum that one person is."""
        distinct = len(set(self.approvers))
        if not FEWEST_APPROVERS <= self.needed <= distinct:
            raise ReleasePolicyError(
                f"release policy: quorum: {self.needed} of {distinct} people; right is at least {FEWEST_APPROVERS}, "
                "of people who exist"
            )
        members = [{"user": user} for user in self.approvers]
        return {"quorum": {"n": self.needed, "members": members, "require_2fa": True, "require_password": True}}


@dataclass(frozen=True, slots=True)
class Placement:
    """Where in a DSM account the key is, and who signs the tokens that open it."""

    name: str
    """Name of the key, its group and its app."""
    group_id: Any
    """UUID of the group; may be an Output."""
    verifier_keys: Mapping[str, str]
    """Public keys of the verifiers: key id (`kid` of their tokens), and DER in base64."""
    quorum: Quorum


def compile_policy(policy: ReleasePolicy, placement: Placement) -> Compiled:
    """The policy as `key`, `group` and `app`; raises `ReleasePolicyError` for what it could only widen."""
    policy.require_local_authorities()
    if not placement.verifier_keys:
        raise ReleasePolicyError("release policy: verifier_keys: are empty, so that no token could be checked")
    credential = {
        "valid_issuers": [authority.uri for authority in policy.authorities],
        "signing_keys": {"kind": "stored", "keys": dict(placement.verifier_keys)},
        "private_claims_policy": {"definition": {"$type": "rego", "value": _rego(policy)}},
    }
    document = {
        "group": {
            "name": placement.name,
            "approval_policy": {
                **placement.quorum.policy(),
                "protect_permissions": list(PROTECTED),
                "protect_crypto_operations": False,
            },
        },
        "key": {
            "name": placement.name,
            "group_id": placement.group_id,
            "obj_type": "AES",
            "key_size": 256,
            "key_ops": list(KEY_OPERATIONS),
            "enabled": True,
        },
        "app": {
            "name": placement.name,
            "role": "crypto",
            "enabled": True,
            "default_group": placement.group_id,
            "add_groups": {placement.group_id: list(RELEASE_PERMISSIONS)},
            "credential": {"signedjwt": credential},
        },
    }
    reasons = {**(_INEXPRESSIBLE_FOR_TDX if Tee.TDX in policy.tees else {}), **_INEXPRESSIBLE}
    if Tee.SNP not in policy.tees:
        del reasons["minimum_tcb"]
    return Compiled("dsm", document, unexpressed(policy, reasons))


def _rego(policy: ReleasePolicy) -> str:
    """One rule for each TEE. A token's lifetime bounds its age, because DSM refuses one that has expired."""
    lifetime = f"{_CLAIMS}.exp - {_CLAIMS}.iat <= {policy.max_token_seconds}"
    bodies = [[*results.conditions(policy, tee, _CLAIMS), lifetime] for tee in policy.tees]
    return "\n".join([_HEAD, *("allow if {\n" + "".join(f"  {line}\n" for line in body) + "}\n" for body in bodies)])
