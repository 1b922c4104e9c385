"""A Managed HSM in the emulated Azure, and what drives the dynamic resources inside it."""

from typing import Any

from pulumi.dynamic.dynamic import serialize_provider

from components.azure.hsm_key import HsmKeyProvider
from components.azure.hsm_roles import HsmRoleAssignmentProvider, HsmRoleDefinitionProvider
from components.spec.accounts import EMULATED_OBJECT_ID
from sandbox.clouds import providers_of
from sandbox.clouds.azure.hsm_service import HsmService
from sandbox.provider import Created, Properties
from sandbox.values import Value
from tests.sandbox.clouds.region import POLICY as RELEASE
from tests.sandbox.clouds.region import Bench, encoded, in_group

URI = "https://hsm-test-1.managedhsm.azure.net/"
ZERO = "00000000-0000-0000-0000-000000000000"
ACTIONS = "Microsoft.KeyVault/managedHsm/keys"
MANAGEMENT = [
    f"{ACTIONS}/{action}" for action in ("read/action", "write/action", "create", "delete", "deletedKeys/read/action")
] + [f"{ACTIONS}/deletedKeys/recover/action"]
MANAGER = "11111111-1111-5111-8111-111111111111"
_PROVIDERS = {
    "ManagedHsmKey": HsmKeyProvider,
    "ManagedHsmRoleAssignment": HsmRoleAssignmentProvider,
    "ManagedHsmRoleDefinition": HsmRoleDefinitionProvider,
}


def urn(kind: str) -> str:
    return f"urn:pulumi:test::bailiwick::pulumi-python:dynamic/azure:{kind}::it"


def carrying(kind: str, inputs: Properties) -> Properties:
    """Inputs with the provider that Pulumi puts into each dynamic resource."""
    return {**inputs, "__provider": serialize_provider(_PROVIDERS[kind]())}


def hsm(**properties: Value) -> Properties:
    return in_group(
        name="hsm-test-1",
        sku={"family": "B", "name": "Standard_B1"},
        properties={
            "tenantId": ZERO,
            "initialAdminObjectIds": [EMULATED_OBJECT_ID],
            "enablePurgeProtection": True,
            "softDeleteRetentionInDays": 30,
            **properties,
        },
    )


def key(name: str = "model-llm", tags: Value = None, **properties: Value) -> Properties:
    wanted = {"kty": "RSA-HSM", "keySize": 3072, "keyOps": ["wrapKey", "unwrapKey"], **properties}
    stated = {field: value for field, value in wanted.items() if value is not None}
    return carrying(
        "ManagedHsmKey", {"hsmUri": URI, "keyName": name, "properties": stated, "tags": tags or {"stack": "test"}}
    )


def releasable(**policy: Value) -> Properties:
    """Properties of a key under a release policy."""
    return {
        "attributes": {"enabled": True, "exportable": True},
        "releasePolicy": {"contentType": "application/json; charset=utf-8", "data": encoded({**RELEASE, **policy})},
    }


def role(name: str = MANAGER, data_actions: list[str] | None = None) -> Properties:
    inputs = {
        "hsmUri": URI,
        "roleDefinitionName": name,
        "roleName": "Management",
        "description": "Manage keys.",
        "dataActions": MANAGEMENT if data_actions is None else data_actions,
    }
    return carrying("ManagedHsmRoleDefinition", inputs)


def assignment(role_id: str, scope: str = "/keys", **changes: Value) -> Properties:
    inputs = {
        "hsmUri": URI,
        "roleAssignmentName": "22222222-2222-5222-8222-222222222222",
        "scope": scope,
        "roleDefinitionId": role_id,
        "principalId": EMULATED_OBJECT_ID,
        "principalType": "ServicePrincipal",
        **changes,
    }
    return carrying("ManagedHsmRoleAssignment", inputs)


class Inside:
    """Drives what is inside an HSM as an engine would: check, then act."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.provider = providers_of(bench.cloud)["pulumi-python"]

    def build(self, **properties: Value) -> None:
        """A group and an HSM that nobody has activated."""
        self.bench.create("resources:ResourceGroup", "group", {"resourceGroupName": "rg", "location": "westeurope"})
        self.bench.create("keyvault:ManagedHsm", "hsm", hsm(**properties))

    def activate(self, certificates: list[str], quorum: int = 2) -> None:
        """What the officers do; the service's refusals come through."""
        service = HsmService(self.bench.cloud)
        found = service.find("hsm-test-1.managedhsm.azure.net")
        assert found is not None
        body: dict[str, Any] = {"certificates": [{"x5c": [one]} for one in certificates], "required": quorum}
        service.handle(found, EMULATED_OBJECT_ID, "POST", "/securitydomain/download", body)

    def manage(self) -> None:
        """Give whoever deploys the right to manage keys."""
        made = self.create("ManagedHsmRoleDefinition", role())
        self.create("ManagedHsmRoleAssignment", assignment(made.id))

    def create(self, kind: str, inputs: Properties) -> Created:
        checked = self.provider.check(urn(kind), {}, inputs)
        assert checked.failures == ()
        return self.provider.create(urn(kind), checked.inputs, preview=False)
