"""ATT: hardware proves itself to a verifier of the region's own."""

import base64
import json
from collections.abc import Iterator, Sequence

from pulumi_policy import Severity

from policies import examples, vocabulary
from policies.context import EMULATED_SUBSCRIPTION, Declared
from policies.edges import GRAPH, inside, of_kind
from policies.guest import decode
from policies.rule import Example, ExampleResource, Rule
from policies.subject import STACK_REFERENCE, Property, Resource, Stack
from policies.terms import region_id
from policies.verdict import Finding, NotApplicable, unknown

SANDBOX_ANCHOR = "sandbox"
"""The name under which a verifier's configuration trusts the sandbox's own root."""


def _has_verifier(stack: Stack, declared: Declared) -> Iterator[Finding]:
    attested = [one for one in stack.resources if vocabulary.machine_of(one)]
    if not attested:
        raise NotApplicable("the stack has no machine that could be attested")
    verifiers = [one for one in stack.resources if vocabulary.is_verifier(one)]
    if not verifiers:
        yield from _of_another_stack(stack, attested, declared)
    for verifier in verifiers:
        machines = [one for one in stack.inside(verifier) if vocabulary.machine_of(one)]
        if not machines:
            yield Finding("verifier", "has no machine to run on", "one machine or more", verifier)
        for machine in machines:
            for location in vocabulary.locations_of(machine):
                if region_id(location.text or "") not in declared.regions:
                    found = f"is outside {declared.area}, and the verifier runs there"
                    yield Finding(location.path, found, ", ".join(declared.regions), machine)


def _of_another_stack(stack: Stack, machines: Sequence[Resource], declared: Declared) -> Iterator[Finding]:
    """The verifier of a stack whose exports the machines' settings come from; its jurisdiction graph says where."""
    named = {one: None for machine in machines for one in stack.sources(machine) if one.is_stack_reference}
    if not named:
        found = "is missing: the stack's machines are attested by nobody"
        yield Finding("verifier", found, "one in the jurisdiction, of this stack or of one that it refers to")
    for reference in named:
        graph = reference.props.at("outputs", GRAPH)
        allowed = f"a stack whose {GRAPH} has a verifier in {declared.area}"
        if graph.unknown:
            yield unknown(graph.path, allowed, reference)
            continue
        verifiers = list(of_kind(graph, "verifier"))
        if not verifiers:
            yield Finding(graph.path, "has no verifier for the machines that refer to it", allowed, reference)
        for edge in verifiers:
            if not inside(edge, declared):
                yield Finding(edge.path, f"is a verifier outside {declared.area}", allowed, reference)


_REFERENCE = ExampleResource(
    STACK_REFERENCE,
    "attestation",
    {
        "name": "platform/attestation/germany",
        "outputs": {GRAPH: [{"kind": "verifier", "location": examples.LOCATION, "jurisdiction": "DE"}]},
    },
)
_REFERENCE_OF_KEYS = examples.but(_REFERENCE, {f"outputs.{GRAPH}.0.kind": "keys"})
_REFERRING = examples.but(examples.VM, {}, uses={"userData": ("attestation",)})

ATT_01 = Rule(
    id="ATT-01",
    title="A verifier of the stack's own, or of one that it refers to, runs in the jurisdiction",
    why="Who verifies evidence decides what counts as genuine; that must not be decided in another country.",
    severity=Severity.CRITICAL,
    remediation="add an AttestationVerifier component to the stack, in a region of the jurisdiction, or refer to the "
    "stack that has it",
    check_stack=_has_verifier,
    passing=Example(
        "A machine, and a verifier on a machine of its own.",
        (examples.VERIFIER, examples.VERIFIER_VM, examples.VM),
    ),
    failing=(
        Example("Machines, and no verifier.", (examples.VM,)),
        Example("A verifier without a machine.", (examples.VERIFIER, examples.VM)),
        Example(
            "Machines that are told of a stack, whose verifier is in Ireland.",
            (examples.but(_REFERENCE, {f"outputs.{GRAPH}.0.location": "northeurope"}), _REFERRING),
        ),
        Example("Machines that are told of a stack without one.", (_REFERENCE_OF_KEYS, _REFERRING)),
        Example("A stack that has one, of which no machine is told.", (_REFERENCE, examples.VM)),
        Example(
            "A verifier in Ireland for a region in Germany.",
            (examples.VERIFIER, examples.but(examples.VERIFIER_VM, {"location": "northeurope"})),
        ),
    ),
)


def _trusts_real_hardware(resource: Resource, declared: Declared) -> Iterator[Finding]:
    machine = vocabulary.machine_of(resource)
    if machine is None and not vocabulary.is_verifier(resource):
        raise NotApplicable("configures no verifier")
    if declared.emulated:
        return
    if machine is None:
        yield from _anchors(resource.props.at("guestConfiguration", "trust_anchors"))
        return
    for configuration in machine.guest_configurations:
        if configuration.stated:
            yield from _anchors_in(configuration)


def _anchors(anchors: Property) -> Iterator[Finding]:
    for anchor in anchors.items():
        if anchor.text == SANDBOX_ANCHOR:
            yield _sandbox(anchor.path)


def _anchors_in(configuration: Property) -> Iterator[Finding]:
    try:
        told = decode(configuration.text or "")
    except ValueError:
        yield Finding(
            configuration.path,
            "is neither JSON nor base64 of it, so that the trust anchors in it cannot be judged",
            "a guest configuration as the components write it",
            fix="pass the configuration through components.azure.ConfidentialVm",
        )
        return
    anchors = told.get("trust_anchors", []) if isinstance(told, dict) else []
    if not isinstance(anchors, list) or SANDBOX_ANCHOR in anchors:
        yield _sandbox(f"{configuration.path} (trust_anchors)")


def _sandbox(path: str) -> Finding:
    return Finding(path, "trusts the sandbox's root, and the stack is not emulated", "hardware vendors' roots")


def _told(*anchors: str) -> str:
    text = json.dumps({"version": 1, "role": "verifier", "trust_anchors": anchors})
    return base64.b64encode(text.encode()).decode()


_REAL = {"emulated": "false", "subscriptionId": "7d0f0d1e-0000-4000-8000-000000000001"}
_CLAIMS_TO_BE_EMULATED = {"emulated": "true", "subscriptionId": _REAL["subscriptionId"]}


def _verifier(*anchors: str) -> ExampleResource:
    return examples.but(examples.VERIFIER, {"guestConfiguration": {"trust_anchors": list(anchors)}})


ATT_10 = Rule(
    id="ATT-10",
    title="The sandbox's trust anchor is trusted in emulated stacks only",
    why="The sandbox signs evidence for hardware that does not exist; whoever trusts it releases real keys to anybody.",
    severity=Severity.CRITICAL,
    remediation="remove 'sandbox' from bailiwick:verifier.trustAnchors",
    check=_trusts_real_hardware,
    passing=Example(
        "A real region that trusts AMD's roots.",
        (_verifier("amd"), examples.but(examples.VERIFIER_VM, {"userData": _told("amd")})),
        _REAL,
    ),
    failing=(
        Example("The verifier of a real region trusts the sandbox.", (_verifier("amd", "sandbox"),), _REAL),
        Example(
            "So does a machine's configuration, whoever wrote it.",
            (examples.but(examples.VERIFIER_VM, {"userData": _told("amd", "sandbox")}),),
            _REAL,
        ),
        Example(
            f"A stack that says it is emulated, with a subscription other than {EMULATED_SUBSCRIPTION}.",
            (_verifier("sandbox"),),
            _CLAIMS_TO_BE_EMULATED,
        ),
        Example(
            "A configuration that cannot be read.",
            (examples.but(examples.VERIFIER_VM, {"userData": "I2Nsb3VkLWNvbmZpZwo="}),),
            _REAL,
        ),
    ),
)

RULES = (ATT_01, ATT_10)
