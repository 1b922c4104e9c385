"""LOG: what happened stays written."""

from collections.abc import Iterator, Mapping, Sequence

from pulumi_policy import Severity

from policies import examples, vocabulary
from policies.context import Declared
from policies.rule import Example, ExampleResource, Rule
from policies.subject import Resource, Stack
from policies.terms import AuditStream, RecordStore
from policies.verdict import Finding, NotApplicable, require

_Keeper = tuple[Resource, RecordStore]
"""A resource, and what it says about how records are kept."""


def _audited(stack: Stack, _: Declared) -> Iterator[Finding]:
    if not any(vocabulary.key_store_of(one) or vocabulary.machine_of(one) for one in stack.resources):
        raise NotApplicable("the stack has neither machines nor keys")
    shortcomings = shortcomings_of(stack).values()
    if not shortcomings:
        yield Finding("audit stream", "is missing: nothing of this stack is audited", "one stream or more to a store")
    if all(shortcomings):
        for found in shortcomings:
            yield from found


def shortcomings_of(stack: Stack) -> Mapping[Resource, Sequence[Finding]]:
    """By each stream of audit records: why it does not keep what it observes; nothing of one that does."""
    keepers = [(one, store) for one in stack.resources if (store := vocabulary.record_store_of(one))]
    return {
        one: list(_shortcomings(stack, one, stream, keepers))
        for one in stack.resources
        if (stream := vocabulary.audit_stream_of(one))
    }


def _shortcomings(
    stack: Stack, resource: Resource, stream: AuditStream, keepers: Sequence[_Keeper]
) -> Iterator[Finding]:
    unmet = [list(require(setting, resource)) for setting in stream.enabled]
    if any(finding.unknown for findings in unmet for finding in findings):
        yield from (finding for findings in unmet for finding in findings)
    elif all(unmet):
        yield Finding("logs", "do not stream audit records", "the category group 'audit', enabled", resource)
    used = stack.references(resource, stream.store.through)
    stores = [*_stores(stack, used, keepers)]
    if not stores:
        yield Finding(
            stream.store.property.path,
            "does not lead to a store of this stack, so that its retention cannot be judged",
            "a store of this stack that keeps records unchanged",
            resource,
        )
    for one, store in stores:
        for setting in store.settings:
            yield from require(setting, one)


def _stores(stack: Stack, used: Sequence[Resource], keepers: Sequence[_Keeper]) -> Iterator[_Keeper]:
    """What says how the storage in `used` keeps records: the storage itself, and resources about it."""
    about = [
        (one, store)
        for one, store in keepers
        if store.keeps and any(other in used for other in stack.references(one, store.keeps.through))
    ]
    for one in used:
        store = vocabulary.record_store_of(one)
        if store is not None and (store.complete or about):
            yield one, store
    yield from about


def _not_with_the_deployment(resource: Resource, declared: Declared) -> Iterator[Finding]:
    weakness = vocabulary.weakness_of(resource, "destroyable") if vocabulary.is_audit_log(resource) else None
    if weakness is None or declared.emulated:
        raise NotApplicable("is no audit log that a deployment may delete")
    yield Finding(weakness.path, "lets a deployment delete the records, in a stack that is not emulated", "false")


LOG_01 = Rule(
    id="LOG-01",
    title="Audit records are kept unchanged for at least 183 days",
    why="A log that its subject can edit proves nothing; the EU AI Act, Article 26(6), asks for six months. A lock is "
    "not asked for, as nobody can undo it: set `bailiwick-<cloud>:auditRetentionLocked` for a region in production.",
    severity=Severity.HIGH,
    remediation="stream audit records to a storage account with an immutability policy of 183 days or more",
    check=_not_with_the_deployment,
    check_stack=_audited,
    passing=Example(
        "The vault's audit records go to a store that keeps them for a year.",
        (examples.VAULT, examples.AUDIT_STORE, examples.AUDIT_STREAM),
    ),
    failing=(
        Example("A vault that nobody watches.", (examples.VAULT,)),
        Example(
            "Records that go with the deployment, in a region that is real.",
            (ExampleResource("bailiwick:index:GcpAuditLog", "audit", {"destroyable": True}),),
            {"emulated": "false"},
        ),
        Example(
            "Records are kept for 30 days.",
            (
                examples.VAULT,
                examples.but(
                    examples.AUDIT_STORE,
                    {"immutableStorageWithVersioning.immutabilityPolicy.immutabilityPeriodSinceCreationInDays": 30},
                ),
                examples.AUDIT_STREAM,
            ),
        ),
        Example(
            "The immutability policy is switched off.",
            (
                examples.VAULT,
                examples.but(
                    examples.AUDIT_STORE, {"immutableStorageWithVersioning.immutabilityPolicy.state": "Disabled"}
                ),
                examples.AUDIT_STREAM,
            ),
        ),
        Example(
            "The stream is there, and off.",
            (
                examples.VAULT,
                examples.AUDIT_STORE,
                examples.but(examples.AUDIT_STREAM, {"logs.0.enabled": False}),
            ),
        ),
        Example(
            "Records go to an account of another stack.",
            (examples.VAULT, examples.but(examples.AUDIT_STREAM, {}, uses={"resourceUri": ("keys",)})),
        ),
    ),
)

RULES = (LOG_01,)
