"""A rule: one record of metadata and one or two functions; and how the policy SDK gets to see it.

A rule's functions know nothing of the SDK. They take a resource (or the stack) and what the stack declares, and yield
findings. What goes wrong on the way is turned into a violation here, once for all rules: an unknown value, a value of
the wrong shape, a missing declaration, and a defect of the rule itself.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyComplianceFramework,
    PolicyConfigSchema,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    Severity,
    StackValidationArgs,
    StackValidationPolicy,
)

from policies.context import Declared, NotDeclared
from policies.controls import Control, controls_of
from policies.deserialization import once
from policies.remedy import Remedy, remedied
from policies.subject import MalformedProperty, Resource, Stack, UnknownProperty
from policies.verdict import Finding, NotApplicable, unknown
from policies.waivers import NONE, Waivers
from policies.waivers import reason as reason_of

STACK_SUFFIX = "-stack"
"""Ends the name of the stack policy of a rule that has a resource policy too: policy names must differ."""

DOCS = "https://bailiwick.dev/policies"

CONFIG_SCHEMA: Mapping[str, Mapping[str, Any]] = {
    "jurisdiction": {"type": "string", "description": "Area that a stack must not leave, whatever it declares itself."}
}
"""The keys that the policy config may set for each rule, besides `enforcementLevel` and what a rule has of its own."""

ResourceCheck = Callable[[Resource, Declared], Iterable[Finding]]
StackCheck = Callable[[Stack, Declared], Iterable[Finding]]


@dataclass(frozen=True, slots=True)
class ExampleResource:
    """A resource of an example.

    `uses` maps a top-level property to the names of the resources it comes from; a name that the example leaves out is
    a resource of another stack.
    """

    type: str
    name: str
    props: Mapping[str, Any]
    uses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    parent: str | None = None


@dataclass(frozen=True, slots=True)
class Example:
    """A small stack that satisfies or breaks a rule; `says` is one sentence for the rule's page."""

    says: str
    resources: tuple[ExampleResource, ...]
    config: Mapping[str, str] = field(default_factory=dict)
    """Stack configuration that differs from the examples' common one."""


@dataclass(frozen=True, slots=True)
class Covered:
    """The examples of one rule for one more cloud."""

    passing: Example
    failing: tuple[Example, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One control. `check` sees a resource's inputs before it is made; `check_stack` sees how resources relate."""

    id: str
    title: str
    why: str
    severity: Severity
    on_unknown: Literal["block"] = "block"
    remediation: str
    passing: Example
    failing: tuple[Example, ...]
    home: str = "azure"
    """Provider of the catalogue whose resources `passing` and `failing` are about."""
    elsewhere: Mapping[str, Covered] = field(default_factory=dict)
    """Examples for other clouds, by provider of the catalogue."""
    confirm: str = ""
    """What a person must still see to, because no program states it; one sentence, or nothing."""
    check: ResourceCheck | None = None
    check_stack: StackCheck | None = None
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Keys of the policy config that this rule reads besides `CONFIG_SCHEMA`'s, each with its JSON schema."""
    remedy: Remedy | None = None
    """Which of the settings that `check` asks for may be put right without a person, where one has switched it on."""

    @property
    def theme(self) -> str:
        """The first part of the id: `KEY`."""
        return self.id.partition("-")[0]

    @property
    def controls(self) -> tuple[Control, ...]:
        """The requirements of published frameworks that it helps with."""
        return controls_of(self.id)

    @property
    def examples(self) -> Mapping[str, Covered]:
        """Examples for every cloud that the rule is shown to cover."""
        return {self.home: Covered(self.passing, self.failing), **self.elsewhere}

    @property
    def clouds(self) -> tuple[str, ...]:
        return tuple(self.examples)

    @property
    def level(self) -> EnforcementLevel:
        """Everything blocks but what is of low severity, which is advice."""
        return EnforcementLevel.ADVISORY if self.severity is Severity.LOW else EnforcementLevel.MANDATORY

    @property
    def url(self) -> str:
        return f"{DOCS}/{self.id.lower()}"

    def policies(self, waivers: Waivers = NONE) -> Iterator[Policy]:
        """The rule as the SDK takes it: a resource policy, a stack policy, or both."""
        if self.check is not None:
            yield ResourceValidationPolicy(
                name=self.id,
                validate=partial(self._validate, self.check, waivers),
                remediate=self._remediation(waivers),
                **self._metadata(),
            )
        if self.check_stack is not None:
            name = self.id + STACK_SUFFIX if self.check is not None else self.id
            yield StackValidationPolicy(
                name=name, validate=partial(self._validate_stack, self.check_stack, waivers), **self._metadata()
            )

    def _metadata(self) -> dict[str, Any]:
        return {
            "description": self.title,
            "display_name": f"{self.id} {self.title}",
            "enforcement_level": self.level,
            "config_schema": PolicyConfigSchema(
                {key: dict(schema) for key, schema in {**CONFIG_SCHEMA, **self.settings}.items()}
            ),
            "severity": self.severity,
            "framework": self._framework(),
            "tags": [self.theme, *self.clouds],
            "remediation_steps": self.remediation,
            "url": self.url,
        }

    def _framework(self) -> PolicyComplianceFramework | None:
        """The first of its requirements: the SDK takes one."""
        first = next(iter(self.controls), None)
        return PolicyComplianceFramework(name=first.framework, reference=first.requirement) if first else None

    def _validate(
        self, check: ResourceCheck, waivers: Waivers, args: ResourceValidationArgs, report: ReportViolation
    ) -> None:
        resource = Resource.from_args(args)
        reason = self._judge(lambda: check(resource, Declared.read(args.get_config())), resource, waivers, report)
        if reason is not None:
            args.not_applicable(reason)

    def _remediation(self, waivers: Waivers) -> Any:
        """What the SDK calls for a remedy, None without one. Its types ask for an awaitable; its servicer does not."""
        return partial(self._remediate, self.remedy, waivers) if self.remedy else None

    def _remediate(self, remedy: Remedy, waivers: Waivers, args: ResourceValidationArgs) -> Mapping[str, Any] | None:
        waiver = waivers.of(self.id, args.urn)
        if waiver is not None:
            args.not_applicable(waiver.says())
        return remedied(args, remedy)

    def _validate_stack(
        self, check: StackCheck, waivers: Waivers, args: StackValidationArgs, report: ReportViolation
    ) -> None:
        reason = self._judge(
            lambda: check(once(Stack, args.resources), Declared.read(args.get_config())), None, waivers, report
        )
        if reason is not None:
            args.not_applicable(reason)

    def _judge(
        self,
        findings: Callable[[], Iterable[Finding]],
        on: Resource | None,
        waivers: Waivers,
        report: ReportViolation,
    ) -> str | None:
        """Report every finding that is not waived; the reason if the rule does not apply or was waived, else None."""
        waived: list[tuple[str, str]] = []
        try:
            for finding in self._found(findings):
                resource = finding.on or on
                message = finding.message(self.id, on, self.remediation)
                if resource is not None and (waiver := waivers.of(self.id, resource.urn)) is not None:
                    waived.append((resource.urn, f"{message}; {waiver.says()}"))
                else:
                    report(message, resource.urn if resource else None)
        except NotApplicable as reason:
            return str(reason)
        return reason_of(waived) if waived else None

    def _found(self, findings: Callable[[], Iterable[Finding]]) -> Iterator[Finding]:
        """The findings, with what goes wrong on the way as one more; raises `NotApplicable` only."""
        try:
            yield from findings()
        except NotApplicable:
            raise
        except UnknownProperty as error:
            yield unknown(error.path)
        except MalformedProperty as error:
            yield Finding(error.path, f"is not {error.expected}", error.expected)
        except NotDeclared as error:
            fix = f"set {error.key} in the stack's configuration"
            yield Finding(error.key, error.problem, error.allowed, fix=fix)
        except Exception as error:  # noqa: BLE001 - the engine would say neither which rule failed nor where
            # The text of the error may hold a value of a property, so only its kind is told.
            found = f"could not be judged: the rule failed with {type(error).__name__}"
            yield Finding("this", found, "what the rule can judge", fix="report this defect")
