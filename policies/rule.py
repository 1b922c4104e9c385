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
from policies.controls import Control
from policies.subject import MalformedProperty, Resource, Stack, UnknownProperty
from policies.verdict import Finding, NotApplicable, unknown

STACK_SUFFIX = "-stack"
"""Ends the name of the stack policy of a rule that has a resource policy too: policy names must differ."""

DOCS = "https://bailiwick.dev/policies"

CONFIG_SCHEMA: Mapping[str, Mapping[str, Any]] = {
    "jurisdiction": {"type": "string", "description": "Area that a stack must not leave, whatever it declares itself."}
}
"""The keys that the policy config may set for each rule, besides `enforcementLevel`."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One control. `check` sees a resource's inputs before it is made; `check_stack` sees how resources relate."""

    id: str
    title: str
    why: str
    severity: Severity
    on_unknown: Literal["block"] = "block"
    clouds: tuple[str, ...]
    controls: tuple[Control, ...]
    remediation: str
    passing: Example
    failing: tuple[Example, ...]
    check: ResourceCheck | None = None
    check_stack: StackCheck | None = None

    @property
    def theme(self) -> str:
        """The first part of the id: `KEY`."""
        return self.id.partition("-")[0]

    @property
    def url(self) -> str:
        return f"{DOCS}/{self.id.lower()}"

    def policies(self) -> Iterator[Policy]:
        """The rule as the SDK takes it: a resource policy, a stack policy, or both."""
        if self.check is not None:
            yield ResourceValidationPolicy(
                name=self.id, validate=partial(self._validate, self.check), **self._metadata()
            )
        if self.check_stack is not None:
            name = self.id + STACK_SUFFIX if self.check is not None else self.id
            yield StackValidationPolicy(
                name=name, validate=partial(self._validate_stack, self.check_stack), **self._metadata()
            )

    def _metadata(self) -> dict[str, Any]:
        return {
            "description": self.title,
            "display_name": f"{self.id} {self.title}",
            "enforcement_level": EnforcementLevel.MANDATORY,
            "config_schema": PolicyConfigSchema({key: dict(schema) for key, schema in CONFIG_SCHEMA.items()}),
            "severity": self.severity,
            "framework": PolicyComplianceFramework(
                name=self.controls[0].framework, reference=self.controls[0].requirement
            ),
            "tags": [self.theme, *self.clouds],
            "remediation_steps": self.remediation,
            "url": self.url,
        }

    def _validate(self, check: ResourceCheck, args: ResourceValidationArgs, report: ReportViolation) -> None:
        resource = Resource.from_args(args)
        reason = self._run(lambda: check(resource, Declared.read(args.get_config())), resource, report)
        if reason is not None:
            args.not_applicable(reason)

    def _validate_stack(self, check: StackCheck, args: StackValidationArgs, report: ReportViolation) -> None:
        reason = self._run(lambda: check(Stack(args), Declared.read(args.get_config())), None, report)
        if reason is not None:
            args.not_applicable(reason)

    def _run(
        self, findings: Callable[[], Iterable[Finding]], on: Resource | None, report: ReportViolation
    ) -> str | None:
        """Report every finding; the reason if the rule does not apply, else None. Raises nothing."""
        try:
            for finding in findings():
                self._report(finding, on, report)
        except NotApplicable as reason:
            return str(reason)
        except UnknownProperty as error:
            self._report(unknown(error.path), on, report)
        except MalformedProperty as error:
            self._report(Finding(error.path, f"is not {error.expected}", error.expected), on, report)
        except NotDeclared as error:
            fix = f"set {error.key} in the stack's configuration"
            self._report(Finding(error.key, error.problem, error.allowed, fix=fix), on, report)
        except Exception as error:  # noqa: BLE001 - the engine would say neither which rule failed nor where
            # The text of the error may hold a value of a property, so only its kind is told.
            found = f"could not be judged: the rule failed with {type(error).__name__}"
            self._report(Finding("this", found, "what the rule can judge", fix="report this defect"), on, report)
        return None

    def _report(self, finding: Finding, on: Resource | None, report: ReportViolation) -> None:
        resource = finding.on or on
        report(finding.message(self.id, on, self.remediation), resource.urn if resource else None)
