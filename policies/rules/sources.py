"""RES, continued: where images and weights come from."""

import re
from collections.abc import Iterator, Sequence
from functools import cache

from pulumi_policy import Severity

import catalog
from policies import examples, vocabulary
from policies.context import Declared
from policies.edges import edges, inside
from policies.guest import WORKLOAD, told
from policies.rule import Example, ExampleResource, Rule
from policies.subject import Property, Resource, Stack
from policies.verdict import Finding, NotApplicable, meet, unknown

_DEFAULT_REGISTRY = "docker.io"
_FIX = "say where each registry runs: bailiwick:registries: [{name: registry.example.org, jurisdiction: DE}]"


def _own_images(resource: Resource, declared: Declared) -> Iterator[Finding]:
    wanted = vocabulary.sources_of(resource, declared)
    if not wanted:
        raise NotApplicable("takes no image from elsewhere")
    for one in wanted:
        yield from meet(one)


def _local_origins(stack: Stack, declared: Declared) -> Iterator[Finding]:
    images = [(one, image) for one in stack.resources for image in vocabulary.container_images_of(one)]
    accounts = list(_accounts(stack))
    if not images and not accounts:
        raise NotApplicable("the stack starts no containers, and tells no machine where a model is")
    registries = list(_registries(stack, declared))
    for registry in declared.registries:
        place = registry.at("jurisdiction")
        if declared.contains_known(place.text):
            registries.append(registry.at("name").text or "")
        else:
            found = "is not stated" if not place.stated else f"is not inside {declared.area}"
            yield Finding(place.path, found, "a jurisdiction of the catalogue inside the stack's", fix=_FIX)
    for resource, image in images:
        if image.unknown:
            yield unknown(image.path, on=resource)
        elif not _from_here(image.text or "", registries, declared):
            yield Finding(
                image.path,
                f"comes from a registry that nothing shows to be inside {declared.area}",
                "a registry of the region's graph, of bailiwick:registries, or whose name states a region of it",
                resource,
            )
    stores = [name for one in stack.resources if (name := vocabulary.store_name_of(one)) is not None]
    for resource, account in accounts:
        if any(not name.unknown and name.value == account.value for name in stores):
            continue
        if unknowns := [name for name in stores if name.unknown]:
            yield unknown(unknowns[0].path, "a name known before deployment", resource)
        else:
            found = "is a store of models that is not of this stack, so that its place cannot be judged"
            yield Finding(account.path, found, "a store of this stack", resource)


def _registries(stack: Stack, declared: Declared) -> Iterator[str]:
    """The registries that the region's graph names as sources of images: the first word of the endpoint."""
    for _, edge in edges(stack, "images"):
        if inside(edge, declared):
            yield (edge.at("endpoint").text or "").partition(" ")[0]


def _from_here(image: str, registries: Sequence[str], declared: Declared) -> bool:
    host = image.partition("/")[0]
    if "/" not in image or not set(".:") & set(host):
        host = _DEFAULT_REGISTRY
    listed = any(host == one or image.startswith(f"{one}/") for one in registries)
    named = (pattern.fullmatch(host) for pattern in _regional_registries(declared.cloud.id))
    return listed or any(match["region"] in declared.regions for match in named if match)


@cache
def _regional_registries(cloud: str) -> tuple[re.Pattern[str], ...]:
    """The hosts of the cloud's registries whose names state their region."""
    facts = catalog.load()
    templates = [one.endpoints["docker"] for one in facts.services(cloud).values() if "docker" in one.endpoints]
    suffix = re.escape(facts.cloud(cloud).dns.get("api", ""))
    return tuple(
        re.compile(
            re.escape(template)
            .replace(r"\{region\}", "(?P<region>[a-z0-9-]+?)")
            .replace(r"\{name\}", "[a-z0-9-]+")
            .replace(r"\{dns\}", suffix)
        )
        for template in templates
    )


def _accounts(stack: Stack) -> Iterator[tuple[Resource, Property]]:
    """The stores that workloads are told to take their models from."""
    for resource in stack.resources:
        for configuration in told(resource, WORKLOAD):
            yield resource, configuration.at("artefact", "account")


_CACHE = ExampleResource(
    "azure-native:containerregistry:CacheRule", "cache", {"sourceRepository": "registry.example.org/team/server"}
)
_REGISTRIES = {"registries": examples.registries()}
_NOWHERE = {"registries": '[{"name": "registry.example.org"}]'}

RES_08 = Rule(
    id="RES-08",
    title="Images and weights come from the jurisdiction",
    why="What is fetched from abroad can be withheld or exchanged from abroad, and tells who fetches what.",
    severity=Severity.HIGH,
    remediation="publish images to a gallery or registry of the region, by digest, and models to a store of the stack",
    confirm="that a registry of `bailiwick:registries` runs where the stack says, and is no proxy of one abroad.",
    check=_own_images,
    check_stack=_local_origins,
    passing=Example(
        "A machine with an image of one's own gallery, and a cache of a registry in the jurisdiction.",
        (examples.VM, _CACHE),
        _REGISTRIES,
    ),
    failing=(
        Example(
            "An image of a marketplace.",
            (
                examples.but(
                    examples.VM,
                    {
                        "storageProfile.imageReference": {
                            "publisher": "example",
                            "offer": "linux",
                            "sku": "cvm",
                            "version": "1.0.0",
                        }
                    },
                ),
                _CACHE,
            ),
            _REGISTRIES,
        ),
        Example(
            "An image of another subscription's gallery.",
            (
                examples.but(
                    examples.VM,
                    {"storageProfile.imageReference.id": examples.IMAGE.replace("/00000000-", "/7d0f0d1e-", 1)},
                ),
                _CACHE,
            ),
            _REGISTRIES,
        ),
        Example(
            "A cache of a registry abroad.",
            (examples.but(_CACHE, {"sourceRepository": "docker.io/library/python"}),),
            _REGISTRIES,
        ),
        Example(
            "A cache of a registry that the stack knows, and that is abroad.",
            (_CACHE,),
            {"registries": examples.registries("US")},
        ),
        Example("A cache of a registry of which the stack does not say where it is.", (_CACHE,), _NOWHERE),
        Example(
            "A container that starts before the others, from a registry abroad.",
            (
                ExampleResource(
                    "azure-native:containerinstance:ContainerGroup",
                    "front",
                    {"initContainers": [{"name": "fetch", "image": "ghcr.io/example/fetch:1"}]},
                ),
            ),
        ),
        Example(
            "Weights in somebody else's store.",
            (examples.but(examples.VM, {"userData": examples.workload_told("elsewhere")}), examples.AUDIT_STORE),
        ),
    ),
)

RULES = (RES_08,)
