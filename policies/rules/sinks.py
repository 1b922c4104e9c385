"""RES and LOG, continued: where records go, and what must not be in them."""

from collections.abc import Iterator

from pulumi_policy import Severity

from policies import examples, vocabulary
from policies.context import Declared
from policies.rule import Example, ExampleResource, Rule
from policies.subject import Property, Resource, Stack
from policies.terms import LogSink, Unwanted
from policies.verdict import Finding, NotApplicable, meet, refuse, unknown


def _kept_here(stack: Stack, declared: Declared) -> Iterator[Finding]:
    sinks = [(one, sink) for one in stack.resources for sink in vocabulary.log_sinks_of(one)]
    if not sinks:
        raise NotApplicable("the stack sends no records anywhere")
    for resource, sink in sinks:
        if isinstance(sink, Unwanted):
            yield from refuse(sink, resource)
        elif not sink.inside:
            yield from _place(stack, resource, sink, declared)


def _place(stack: Stack, resource: Resource, sink: LogSink, declared: Declared) -> Iterator[Finding]:
    """RES-01 judges the places of the stack's own resources; any other must be known by its name."""
    allowed = f"a place in {declared.area} that is of this stack, or whose name states its region"
    if sink.region is not None:
        if sink.region not in declared.regions:
            yield Finding(sink.property.path, f"leads outside {declared.area}", allowed, resource)
    elif not any(vocabulary.family_of(one.package) for one in stack.references(resource, sink.through)):
        if sink.property.unknown and sink.computed:
            return
        if sink.property.unknown:
            yield unknown(sink.property.path, allowed, resource)
        else:
            yield Finding(sink.property.path, "leads to a place that nothing shows", allowed, resource)


RES_09 = Rule(
    id="RES-09",
    title="Records, metrics and traces stay in the jurisdiction",
    why="A log tells who asked what and when; in another country it answers to another law.",
    severity=Severity.HIGH,
    remediation="send records to a store, workspace or collector of this stack",
    check_stack=_kept_here,
    passing=Example("A stream to a store of the stack.", (examples.VAULT, examples.AUDIT_STORE, examples.AUDIT_STREAM)),
    failing=(
        Example(
            "A stream to an account of another stack.",
            (
                examples.VAULT,
                examples.but(examples.AUDIT_STREAM, {}, uses={"resourceUri": ("keys",)}),
            ),
        ),
        Example(
            "A copy for a partner's monitoring service.",
            (
                examples.VAULT,
                examples.AUDIT_STORE,
                examples.but(
                    examples.AUDIT_STREAM, {"marketplacePartnerId": "/subscriptions/x/providers/Example.Monitor/m"}
                ),
            ),
        ),
        Example(
            "Traces in a workspace of another stack.",
            (
                ExampleResource(
                    "azure-native:applicationinsights:Component",
                    "traces",
                    {"location": examples.LOCATION, "workspaceResourceId": "/subscriptions/x/workspaces/elsewhere"},
                ),
            ),
        ),
    ),
)


def _without_content(resource: Resource, _: Declared) -> Iterator[Finding]:
    wanted = vocabulary.content_logs_of(resource)
    content = resource.props.at("log", "content") if vocabulary.is_gateway(resource) else None
    if not wanted and content is None:
        raise NotApplicable("writes nothing down of requests to models")
    for one in wanted:
        yield from meet(one)
    if content is not None:
        yield from _escrow(content)


def _escrow(content: Property) -> Iterator[Finding]:
    """What a gateway keeps of requests: nothing, or what only an auditor's key opens."""
    allowed = "off, or sealed"
    if content.text not in ("off", "sealed"):
        yield Finding(content.path, "is not stated" if not content.stated else "keeps content in clear", allowed)


_DIAGNOSTIC = ExampleResource(
    "azure-native:apimanagement:ApiDiagnostic",
    "calls",
    {
        "apiId": "models",
        "frontend": {"request": {"body": {"bytes": 0}}, "response": {"body": {"bytes": 0}}},
    },
)

LOG_02 = Rule(
    id="LOG-02",
    title="No prompt, answer, weight or key is written to a log",
    why="Content in a log has left every protection that it had in memory, and stays for as long as the log.",
    severity=Severity.HIGH,
    remediation="log that a request happened, never what it said: no bodies, no captured messages",
    confirm="what the programs in the images write themselves; their configuration is not in the stack.",
    check=_without_content,
    passing=Example("A front that records calls without their bodies.", (_DIAGNOSTIC,)),
    failing=(
        Example(
            "The first kilobytes of each prompt.",
            (examples.but(_DIAGNOSTIC, {"frontend.request.body.bytes": 8192}),),
        ),
        Example("Answers.", (examples.but(_DIAGNOSTIC, {"frontend.response.body.bytes": 512}),)),
    ),
)

RULES = (RES_09, LOG_02)
