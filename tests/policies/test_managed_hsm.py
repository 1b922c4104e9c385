"""Keys and roles inside a Managed HSM are judged like a vault's, and other dynamic resources not at all."""

import base64
import json
from typing import Any

import pytest

from policies import examples, pack
from policies.rule import Example, ExampleResource
from policies.testing import judge

PROVIDER = ExampleResource("pulumi:providers:pulumi-python", "default", {})
KEY = ExampleResource(
    "pulumi-python:dynamic/azure:ManagedHsmKey",
    "keys-model-llm",
    {
        "hsmUri": "https://hsm.managedhsm.azure.net/",
        "keyName": "model-llm",
        "properties": {
            "kty": "RSA-HSM",
            "keySize": 3072,
            "keyOps": ["wrapKey", "unwrapKey"],
            "attributes": {"enabled": True, "exportable": False},
            "rotationPolicy": {
                "attributes": {"expiryTime": "P120D"},
                "lifetimeActions": [{"action": {"type": "rotate"}, "trigger": {"timeAfterCreate": "P90D"}}],
            },
        },
    },
)
ROLE = ExampleResource(
    "pulumi-python:dynamic/azure:ManagedHsmRoleDefinition",
    "keys-unwrap-role",
    {"roleName": "Unwrap", "dataActions": ["Microsoft.KeyVault/managedHsm/keys/unwrap/action"]},
)
ASSIGNMENT = ExampleResource(
    "pulumi-python:dynamic/azure:ManagedHsmRoleAssignment",
    "verifier-unwrap",
    {"scope": "/keys/model-llm", "principalType": "ServicePrincipal"},
)
_DOCUMENT = {
    "version": "1.0.0",
    "anyOf": [
        {
            "authority": "https://sharedeus.eus.attest.azure.net",
            "allOf": [{"claim": "x-ms-attestation-type", "equals": "sevsnpvm"}],
        }
    ],
}
ABROAD = base64.urlsafe_b64encode(json.dumps(_DOCUMENT).encode()).rstrip(b"=").decode()
"""Release to whatever a verifier in another jurisdiction calls genuine."""


def broken(*resources: ExampleResource) -> set[str]:
    """The rules about these resources that they break."""
    outcome = judge(pack.build(), Example("", resources))
    names = {one.name for one in resources}
    return {one.rule for one in outcome.violations if one.urn.rpartition("::")[2] in names}


def test_what_the_components_make_passes() -> None:
    assert broken(KEY, ROLE, ASSIGNMENT) == set()


@pytest.mark.parametrize(
    ("resource", "changes", "rule"),
    [
        (KEY, {"properties.kty": "RSA"}, "KEY-01"),
        (KEY, {"properties.rotationPolicy": None}, "KEY-04"),
        (KEY, {"properties.attributes.exportable": True}, "REL-01"),
        (KEY, {"properties.attributes.exportable": True, "properties.releasePolicy": {"data": "e30"}}, "REL-01"),
        (KEY, {"properties.attributes.exportable": True, "properties.releasePolicy": {"data": ABROAD}}, "REL-02"),
        (KEY, {"properties.attributes.exportable": True, "properties.releasePolicy": {"data": ABROAD}}, "REL-03"),
        (ROLE, {"dataActions": ["Microsoft.KeyVault/managedHsm/*"]}, "KEY-08"),
        (ASSIGNMENT, {"principalType": "User"}, "REL-07"),
        (ASSIGNMENT, {"principalType": None}, "REL-07"),
    ],
)
def test_a_weak_one_does_not(resource: ExampleResource, changes: dict[str, Any], rule: str) -> None:
    assert any(name.startswith(rule) for name in broken(examples.but(resource, changes)))


def test_a_dynamic_resource_of_the_program_s_own_is_refused() -> None:
    for token in ("pulumi-python:dynamic:Resource", "pulumi-python:dynamic/other:ManagedHsmKey"):
        assert any(name.startswith("RES-02") for name in broken(ExampleResource(token, "own", {})))
