"""A small evaluator of Fortanix DSM's sign-in and permissions, from the DSM REST API's description, with a Rego engine.

It knows apps that sign in with a JSON web token (issuers, stored keys, the policy on the claims), the permissions of
an app in a group, the operations of a key, and a group whose cryptographic operations need a quorum.
"""

import json
from collections.abc import Mapping
from typing import Any

from regopy import Interpreter


def permits(document: Mapping[str, Any], operation: str, *, key_id: str, token: Mapping[str, Any], now: int) -> bool:
    """Whether DSM carries out `operation` with the key for who presents `token`, signed by the key `key_id`."""
    app, key = document["app"], document["key"]
    credential = app["credential"]["signedjwt"]
    signed_in = (
        app["enabled"]
        and credential["signing_keys"]["kind"] == "stored"
        and key_id in credential["signing_keys"]["keys"]
        and token.get("iss") in credential["valid_issuers"]
        and token.get("exp", 0) > now
        and _claims_allow(credential["private_claims_policy"]["definition"], token)
    )
    needs_quorum = document["group"]["approval_policy"]["protect_crypto_operations"]
    permissions = app["add_groups"].get(key["group_id"], ())
    return bool(signed_in and not needs_quorum and operation in permissions and operation in key["key_ops"])


def _claims_allow(definition: Mapping[str, str], token: Mapping[str, Any]) -> bool:
    rego = Interpreter()
    rego.add_module("policy", definition["value"])
    rego.set_input({"jwt_body": dict(token)})
    (answer,) = json.loads(str(rego.query("allowed := data.bailiwick.allow")))["bindings"].values()
    return answer is True
