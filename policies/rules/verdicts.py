"""ATT, continued: keys wait for a good verdict on all hardware, from collateral of the region, on known processors."""

from collections.abc import Iterator

from pulumi_policy import Severity

from policies import examples, vocabulary
from policies.conditions import Matching, OneOf
from policies.context import Declared
from policies.edges import edges, inside
from policies.guest import (
    WORKLOAD,
    all_verifier_configurations,
    is_snp,
    key_policies,
    told,
    verifier_configurations,
)
from policies.rule import Example, ExampleResource, Rule
from policies.sizes import machine_type
from policies.subject import Resource, Stack
from policies.terms import Setting
from policies.verdict import Finding, NotApplicable, require

_AFFIRMED = ("UpToDate", "SWHardeningNeeded", "ConfigurationNeeded", "ConfigurationAndSWHardeningNeeded")
"""TCB statuses of Intel under which no known hole is open in the platform itself."""
_BEHIND_PARAVISOR = ("az-snp-vtpm", "az-tdx-vtpm")
"""Evidence of a vTPM that the processor vouches for, as the Key Broker Service protocol names it."""
_WITH_NITROTPM = "aws-snp-nitrotpm"
"""Evidence of the processor, with AWS's word on what booted; AWS's word alone (`aws-nitro`) is no verdict on one."""
_TEES = OneOf(("snp", "tdx", *_BEHIND_PARAVISOR, _WITH_NITROTPM))
_TEES_OF = {"azure": OneOf(_BEHIND_PARAVISOR), "aws": OneOf((_WITH_NITROTPM,))}
"""By provider, where the processor measures the cloud's own firmware."""
_CHIP = Matching("[0-9a-f]{128}", "CHIP_IDs, 64 bytes in hexadecimal")
_PPID = Matching("[0-9a-f]{32}", "PPIDs, 16 bytes in hexadecimal")
_RESOURCES = "guestConfiguration.resources"
_POLICY = f"{_RESOURCES}.0.policy"


def _affirming(resource: Resource, declared: Declared) -> Iterator[Finding]:
    """On Azure and AWS the processor measures the cloud's own firmware, under which any image may run: its word is no
    verdict."""
    tees = _TEES_OF.get(declared.cloud.provider, _TEES)
    for configuration in verifier_configurations(resource):
        for guarded in configuration.at("resources").items():
            policy = guarded.at("policy")
            if not policy.at("tee").items():
                yield Finding(policy.at("tee").path, "names no hardware, so that nothing is asked of it", tees.allowed)
            for tee in policy.at("tee").items():
                yield from require(Setting(tee, tees))
            for status in policy.at("tdx", "statuses").items():
                if status.text not in _AFFIRMED:
                    yield Finding(status.path, "accepts a platform with a known hole", ", ".join(_AFFIRMED))


def _gpus_too(stack: Stack, declared: Declared) -> Iterator[Finding]:
    if not any(vocabulary.is_verifier(one) for one in stack.resources):
        raise NotApplicable("the stack has no verifier; ATT-01 judges whether it needs one")
    demands = [
        (guarded.at("path").text, guarded.at("policy", "nvidia").stated)
        for one in stack.resources
        for configuration in all_verifier_configurations(one)
        for guarded in configuration.at("resources").items()
    ]
    waiting = {key for key, _ in demands} - {key for key, waits in demands if not waits}
    for machine in stack.resources:
        if not _has_gpu(machine, declared):
            continue
        for configuration in told(machine, WORKLOAD):
            key = configuration.at("resource").text
            if key not in waiting:
                found = "is a key that does not wait for the evidence of the machine's GPU"
                yield Finding(configuration.at("resource").path, found, "a key whose policy has `nvidia`", machine)


def _has_gpu(resource: Resource, declared: Declared) -> bool:
    machine = vocabulary.machine_of(resource)
    if machine is None or machine.size is None or (machine.template is not None and machine.size.unknown):
        return False  # AWS fills in the size of the template, which is judged itself; CVM-02 judges what a program says
    found = machine_type(declared.cloud.id, machine.size)
    return found is not None and found.gpu is not None


_CONFIGURED = examples.VERIFIER_CONFIGURED
_REAL = {"emulated": "false", "subscriptionId": "7d0f0d1e-0000-4000-8000-000000000001"}
_GPU_VM = examples.but(
    examples.VM,
    {"hardwareProfile.vmSize": "Standard_NCC40ads_H100_v5", "userData": examples.workload_told("audit")},
)
_WITH_GPU = examples.but(_CONFIGURED, {f"{_RESOURCES}.0.path": "default/model-key/llm", f"{_POLICY}.nvidia": {}})

ATT_03 = Rule(
    id="ATT-03",
    title="A key waits for a good verdict on the processor, and on the GPU where there is one",
    why="A good processor beside a GPU that nobody asked is a guest whose models leave through the GPU.",
    severity=Severity.CRITICAL,
    remediation="name the TEEs in each key's policy (on Azure by their vTPMs, on AWS with NitroTPM), accept no status "
    "with a known hole, and ask for GPUs (`nvidia`)",
    check=_affirming,
    check_stack=_gpus_too,
    passing=Example(
        "A machine with a confidential GPU, whose key waits for the evidence of both.", (_WITH_GPU, _GPU_VM), _REAL
    ),
    failing=(
        Example("A key for any hardware.", (examples.but(_CONFIGURED, {f"{_POLICY}.tee": []}),)),
        Example(
            "A machine of Azure's by its processor alone, which measures the paravisor and no image.",
            (examples.but(_CONFIGURED, {f"{_POLICY}.tee": ["az-snp-vtpm", "snp"]}),),
        ),
        Example(
            "A platform of Intel's with a hole that is known.",
            (examples.but(_CONFIGURED, {f"{_POLICY}.tdx": {"statuses": ["UpToDate", "OutOfDate"]}}),),
        ),
        Example(
            "A GPU that nobody asks.",
            (examples.but(_WITH_GPU, {f"{_POLICY}.nvidia": None}), _GPU_VM),
            _REAL,
        ),
    ),
)


def _cached_here(stack: Stack, declared: Declared) -> Iterator[Finding]:
    if not any(vocabulary.is_verifier(one) for one in stack.resources):
        raise NotApplicable("the stack has no verifier that would need collateral")
    collateral = list(edges(stack, "collateral"))
    allowed = "a cache of the region's own (bailiwick:collateralCache)"
    if not collateral and not any(vocabulary.is_collateral_cache(one) for one in stack.resources):
        yield Finding("collateral", "comes from nowhere that the stack says", allowed)
    for region, edge in collateral:
        if not inside(edge, declared):
            yield Finding(edge.path, f"brings collateral from outside {declared.area}", allowed, region)


_CACHE = ExampleResource("bailiwick:index:AzureCollateralCache", "collateral", {})

ATT_07 = Rule(
    id="ATT-07",
    title="Certificates and revocation lists of hardware are served in the jurisdiction",
    why="Who has to ask the vendor for each verdict tells it who runs what, and stops when it stops answering.",
    severity=Severity.MEDIUM,
    remediation="keep a collateral cache in the region (bailiwick:collateralCache: true)",
    confirm="that the cache is filled, and refreshed before what is in it expires (`bailiwick collateral`).",
    check_stack=_cached_here,
    passing=Example("A verifier and a cache.", (examples.VERIFIER, _CACHE)),
    failing=(
        Example("A verifier that asks the vendors.", (examples.VERIFIER,)),
        Example(
            "A region whose collateral comes from the vendor's own service.",
            (
                examples.VERIFIER,
                examples.region({"kind": "collateral", "location": "global", "jurisdiction": "US"}),
            ),
        ),
    ),
)


def _known_processors(resource: Resource, declared: Declared) -> Iterator[Finding]:
    policies = list(key_policies(resource))
    if not declared.handles("secret"):
        raise NotApplicable("the stack handles nothing secret")
    for policy in policies:
        for tee in policy.at("tee").items():
            listed, form = (policy.at("chips"), _CHIP) if is_snp(tee) else (policy.at("tdx", "ppids"), _PPID)
            if not listed.items():
                yield Finding(listed.path, "is not stated, so that any genuine processor would do", form.allowed)
            for one in listed.items():
                yield from require(Setting(one, form))


_SECRET = {"dataClass": "secret"}
_LISTED = examples.but(_CONFIGURED, {f"{_POLICY}.chips": ["5c" * 64]})

ATT_09 = Rule(
    id="ATT-09",
    title="Keys of secret data go to known processors only",
    why="Genuine hardware can stand anywhere, with its cover off; a list says which machines somebody has seen.",
    severity=Severity.MEDIUM,
    remediation="list the processors (`bailiwick:verifier.hardware`; `chips` and `tdx.ppids` of a key's policy)",
    confirm="that the listed processors are those that stand in the region, from the operator's inventory. On AWS no "
    "evidence names its processor, so that no guest there meets a list.",
    check=_known_processors,
    passing=Example("One processor.", (_LISTED,), _SECRET),
    failing=(
        Example("Any processor.", (_CONFIGURED,), _SECRET),
        Example("A list without an entry.", (examples.but(_LISTED, {f"{_POLICY}.chips": []}),), _SECRET),
        Example(
            "Any processor of Intel's.",
            (examples.but(_LISTED, {f"{_POLICY}.tee": ["az-snp-vtpm", "az-tdx-vtpm"]}),),
            _SECRET,
        ),
    ),
)

RULES = (ATT_03, ATT_07, ATT_09)
