"""RES, continued: copies of data, models that others run, and the labels that say what data is."""

from collections.abc import Iterator

from pulumi_policy import Severity

import catalog
from policies import examples, vocabulary
from policies.conditions import OneOf
from policies.context import DATA_CLASSES, Declared
from policies.rule import Example, ExampleResource, Rule
from policies.subject import Resource
from policies.terms import Redundancy, Setting, region_id
from policies.verdict import Finding, NotApplicable, meet, require


def _stays(resource: Resource, _: Declared) -> Iterator[Finding]:
    wanted = vocabulary.copies_away_of(resource)
    if not wanted:
        raise NotApplicable("copies nothing")
    for one in wanted:
        yield from meet(one)


RES_04 = Rule(
    id="RES-04",
    title="No replication to another account, tenant or region",
    why="A copy that another account holds answers to that account's rules, and nobody here sees it leave.",
    severity=Severity.HIGH,
    remediation="switch cross-tenant replication off, and remove replication policies",
    check=_stays,
    remedy=vocabulary.copies_away_of,
    passing=Example("An account that lets no other tenant copy from it.", (examples.AUDIT_STORE,)),
    failing=(
        Example(
            "Another tenant may copy.",
            (examples.but(examples.AUDIT_STORE, {"allowCrossTenantReplication": True}),),
        ),
        Example(
            "It is left to Azure's default, which has changed before.",
            (examples.but(examples.AUDIT_STORE, {"allowCrossTenantReplication": None}),),
        ),
        Example(
            "A policy that copies blobs to another account.",
            (ExampleResource("azure-native:storage:ObjectReplicationPolicy", "copy", {"accountName": "audit"}),),
        ),
    ),
)


def _redundant_inside(resource: Resource, declared: Declared) -> Iterator[Finding]:
    redundancies = vocabulary.redundancies_of(resource)
    if not redundancies:
        raise NotApplicable("keeps no copies by itself")
    for redundancy in redundancies:
        if redundancy.far:
            yield from _far(redundancy, declared)


def _far(redundancy: Redundancy, declared: Declared) -> Iterator[Finding]:
    regions = {region.id: region for region in catalog.load().regions(cloud=declared.cloud.id)}
    here = regions.get(region_id(redundancy.location.text or ""))
    pair = here and here.paired_region
    if pair not in declared.regions:
        where = f"'{pair}', outside {declared.area}" if pair in regions else "a region that the catalogue does not know"
        found = (
            f"keeps copies in {where}" if redundancy.setting.stated else f"is not stated, so that copies go to {where}"
        )
        yield Finding(redundancy.setting.path, found, "redundancy within the region or its zones")


RES_05 = Rule(
    id="RES-05",
    title="Geo-redundant copies stay in the jurisdiction",
    why="The cloud chooses the second region; Azure's own NIST initiative asks for a copy and not where it is.",
    severity=Severity.HIGH,
    remediation="use local or zone redundancy, or a region whose pair is inside the jurisdiction",
    check=_redundant_inside,
    passing=Example(
        "Zones of one region; and a pair of regions that are both in Germany.",
        (
            examples.AUDIT_STORE,
            examples.but(examples.AUDIT_STORE, {"sku.name": "Standard_GRS"}, name="second"),
        ),
    ),
    failing=(
        Example(
            "A stack that may not leave the Netherlands, and copies to Ireland.",
            (examples.but(examples.AUDIT_STORE, {"sku.name": "Standard_GRS", "location": "westeurope"}),),
            {"jurisdiction": "NL", "location": "westeurope"},
        ),
        Example(
            "A backup vault that says nothing, which for Azure is geo-redundancy.",
            (ExampleResource("azure-native:recoveryservices:Vault", "backup", {"location": "westeurope"}),),
            {"jurisdiction": "NL", "location": "westeurope"},
        ),
        Example(
            "A database whose backups are copied by default.",
            (ExampleResource("azure-native:sql:Database", "records", {"location": "westeurope"}),),
            {"jurisdiction": "NL", "location": "westeurope"},
        ),
        Example(
            "A database that keeps its backups in another country as well.",
            (
                ExampleResource(
                    "azure-native:dbforpostgresql:Server",
                    "records",
                    {"location": "westeurope", "backup": {"geoRedundantBackup": "Enabled"}},
                ),
            ),
            {"jurisdiction": "NL", "location": "westeurope"},
        ),
    ),
)


def _computed_here(resource: Resource, _: Declared) -> Iterator[Finding]:
    deployment = vocabulary.model_deployment_of(resource)
    if deployment is None:
        raise NotApplicable("runs no managed model")
    yield from require(deployment)


_DEPLOYMENT = ExampleResource(
    "azure-native:cognitiveservices:Deployment",
    "chat",
    {"accountName": "models", "sku": {"name": "ProvisionedManaged", "capacity": 50}},
)

RES_06 = Rule(
    id="RES-06",
    title="Managed models are computed in their own region",
    why="A global or data-zone deployment sends each prompt to whichever country has capacity.",
    severity=Severity.CRITICAL,
    remediation="use a regional SKU: Standard or ProvisionedManaged",
    check=_computed_here,
    passing=Example("Capacity of one's own, in the region.", (_DEPLOYMENT,)),
    failing=(
        Example("Anywhere in the world.", (examples.but(_DEPLOYMENT, {"sku.name": "GlobalStandard"}),)),
        Example(
            "Anywhere in a zone of several countries.", (examples.but(_DEPLOYMENT, {"sku.name": "DataZoneStandard"}),)
        ),
        Example("Wherever the default is.", (examples.but(_DEPLOYMENT, {"sku": None}),)),
    ),
)


def _labelled(resource: Resource, declared: Declared) -> Iterator[Finding]:
    tags, role = vocabulary.tags_of(resource), vocabulary.role_of(resource)
    if tags is None and role is None:
        raise NotApplicable("takes no tags")
    for action in role.relabelling if role else ():
        yield Finding(
            action.path, "lets its holder change tags", "operations that leave tags as the deployment set them"
        )
    if tags is not None:
        known = tuple(catalog.load().jurisdictions)
        yield from require(Setting(tags.at("jurisdiction"), OneOf((declared.jurisdictions[0],)), known))
        yield from require(Setting(tags.at("data-class"), OneOf(declared.data_classes), DATA_CLASSES))
        yield from (
            Finding("ignoreChanges", "leaves tags as somebody else has changed them", "tags that are put back")
            for ignored in resource.ignored
            if f"{tags.path}.".startswith(f"{ignored}.") or ignored.startswith((f"{tags.path}.", f"{tags.path}[", "*"))
        )


RES_10 = Rule(
    id="RES-10",
    title="Every resource says which jurisdiction and which class of data it is for, and goes on saying so",
    why="Whoever meets a resource outside its stack, on a bill or in an incident, must know what may not leave.",
    severity=Severity.HIGH,
    remediation="tag it with `jurisdiction` and `data-class`, as the components do, and let no role change tags",
    confirm="that only the deployment may change these tags: roles that the stack does not make are decided elsewhere.",
    check=_labelled,
    passing=Example("A vault with both tags.", (examples.but(examples.VAULT, {"tags": examples.TAGS}),)),
    failing=(
        Example("A vault without tags.", (examples.VAULT,)),
        Example(
            "A vault that says it is for another jurisdiction than its stack.",
            (examples.but(examples.VAULT, {"tags": {**examples.TAGS, "jurisdiction": "EU"}}),),
        ),
        Example(
            "A class of data above the stack's own.",
            (examples.but(examples.VAULT, {"tags": {**examples.TAGS, "data-class": "secret"}}),),
        ),
        Example(
            "A role that changes tags.",
            (
                ExampleResource(
                    "azure-native:authorization:RoleDefinition",
                    "relabel",
                    {"permissions": [{"actions": ["Microsoft.Resources/tags/write"]}]},
                ),
            ),
        ),
        Example(
            "A class of data that does not exist.",
            (examples.but(examples.VAULT, {"tags": {**examples.TAGS, "data-class": "normal"}}),),
        ),
    ),
)

RULES = (RES_04, RES_05, RES_06, RES_10)
