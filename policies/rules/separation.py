"""KEY-08: nobody both uses keys and manages them, in one role or in several."""

from collections import defaultdict
from collections.abc import Iterator

from pulumi_policy import Severity

from policies import examples, key_policies, vocabulary
from policies.context import Declared
from policies.release.model import Flaw
from policies.rule import Example, ExampleResource, Rule
from policies.subject import Resource, Stack
from policies.terms import KeyRight
from policies.verdict import Finding, NotApplicable

_REFUSED_BY_AWS = (Flaw.UNSEPARATED, Flaw.PATTERN)
_ONE_OF_THEM = "use or government of keys for a principal, not both"


def _separated(resource: Resource, _: Declared) -> Iterator[Finding]:
    role = vocabulary.role_of(resource)
    if role is None:
        yield from key_policies.of_aws(resource, *_REFUSED_BY_AWS)
        return
    for action in (*role.actions, *role.data_actions):
        if "*" in (action.text or ""):
            yield Finding(action.path, "has a wildcard, which allows what nobody listed", "operations, one by one")
    if role.managing and role.data_actions:
        yield Finding(role.managing[0].path, "manages, in a role that also uses data", "one of the two in a role")


def _separated_together(stack: Stack, declared: Declared) -> Iterator[Finding]:
    rights = vocabulary.key_rights_of(stack)
    have_policies = any(one.package == "aws" for one in stack.resources)
    if not rights and not have_policies:
        raise NotApplicable("gives nobody a right to keys")
    uses = defaultdict[str, list[KeyRight]](list)
    for one in rights:
        for name in one.holder.names if not one.governs else ():
            uses[name].append(one)
    for governing in (one for one in rights if one.governs):
        of_the_same = (one for name in sorted(governing.holder.names) for one in uses.get(name, ()))
        using = next(filter(governing.meets, of_the_same), None)
        if using is None or (using.resource is governing.resource and _refused(using.resource, declared)):
            continue
        found = f"governs keys, for whom {using.resource.type} {using.resource.name!a} lets use them"
        yield Finding(governing.property.path, found, _ONE_OF_THEM, governing.resource)
    if have_policies:
        yield from key_policies.of_aws_in_part(stack, *_REFUSED_BY_AWS, unattested=())


def _refused(resource: Resource, declared: Declared) -> bool:
    """Whether `resource` is refused by itself, so that nothing has to be said of it a second time."""
    try:
        return any(_separated(resource, declared))
    except NotApplicable:
        return False


_ROLE = ExampleResource(
    "azure-native:authorization:RoleDefinition",
    "unwrap",
    {
        "roleName": "Unwrap",
        "permissions": [
            {
                "actions": [],
                "dataActions": ["Microsoft.KeyVault/vaults/keys/read", "Microsoft.KeyVault/vaults/keys/unwrap/action"],
            }
        ],
    },
)

_CONTRIBUTOR = "f25e0fa2-a7c8-4377-a976-54943a77a395"
_CRYPTO_OFFICER = "14b46e9e-c2b7-41b4-b07b-48a6ebf60603"
_VERIFIER = ExampleResource(
    "azure-native:managedidentity:UserAssignedIdentity", "verifier", {"location": examples.LOCATION}
)
_OPERATOR = examples.but(_VERIFIER, {}, name="operator")


def _assigned(identity: ExampleResource, name: str, role: ExampleResource | str) -> ExampleResource:
    """A role for an identity: one of the stack, or one of Azure's by its GUID."""
    own = isinstance(role, ExampleResource)
    return ExampleResource(
        "azure-native:authorization:RoleAssignment",
        name,
        {
            "principalId": f"id-of-{identity.name}",
            "principalType": "ServicePrincipal",
            "roleDefinitionId": f"/providers/Microsoft.Authorization/roleDefinitions/{'own' if own else role}",
        },
        uses={
            "principalId": (identity.name,),
            **({"roleDefinitionId": (role.name,)} if isinstance(role, ExampleResource) else {}),
        },
    )


KEY_08 = Rule(
    id="KEY-08",
    title="Nobody both uses keys and manages them, and a role lists what it may",
    why="Who can change a key's rules and use the key has no rules.",
    severity=Severity.HIGH,
    remediation="split the role, give the parts to different principals, and name each operation",
    check=_separated,
    check_stack=_separated_together,
    passing=Example(
        "A role that unwraps and does nothing else, for one identity, and another identity that governs the vault.",
        (_ROLE, _VERIFIER, _OPERATOR, _assigned(_VERIFIER, "use", _ROLE), _assigned(_OPERATOR, "govern", _CONTRIBUTOR)),
    ),
    failing=(
        Example(
            "An identity with two roles: one of them unwraps, and the other governs the vault.",
            (_ROLE, _VERIFIER, _assigned(_VERIFIER, "use", _ROLE), _assigned(_VERIFIER, "govern", _CONTRIBUTOR)),
        ),
        Example("One of Azure's roles, which does both.", (_VERIFIER, _assigned(_VERIFIER, "both", _CRYPTO_OFFICER))),
        Example(
            "A vault's own list, which lets one principal decrypt and delete.",
            (
                examples.but(
                    examples.VAULT,
                    {
                        "properties.accessPolicies": [
                            {"objectId": "3f1c9d2e", "permissions": {"keys": ["get", "decrypt", "delete"]}}
                        ]
                    },
                ),
            ),
        ),
        Example(
            "An entry of that list, for everything.",
            (
                ExampleResource(
                    "azure-native:keyvault:AccessPolicy",
                    "all",
                    {"policy": {"objectId": "3f1c9d2e", "permissions": {"keys": ["all"]}}},
                ),
            ),
        ),
        Example(
            "A role that also writes keys.",
            (examples.but(_ROLE, {"permissions.0.actions": ["Microsoft.KeyVault/vaults/write"]}),),
        ),
        Example(
            "A role that may do everything with keys.",
            (examples.but(_ROLE, {"permissions.0.dataActions": ["Microsoft.KeyVault/vaults/keys/*"]}),),
        ),
    ),
)

RULES = (KEY_08,)
