"""What goes on holding after the deployment, whoever deploys next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
from pulumi_kubernetes import admissionregistration, meta

from components.component import Component, ComponentArgs
from components.kubernetes.placement import REGION_LABEL, Placement, name_of
from components.kubernetes.sovereign_network import CONFIDENTIAL_LABEL, GUARD_LABEL

TYPE = "bailiwick:index:KubernetesResidencyGuard"
_PODS = {"": ["pods"], "apps": ["deployments", "statefulsets", "daemonsets", "replicasets"], "batch": ["jobs"]}
_SPEC = "object.kind == 'Pod' ? object.spec : object.spec.template.spec"
_CONTAINERS = (
    "variables.spec.containers"
    " + (has(variables.spec.initContainers) ? variables.spec.initContainers : [])"
    " + (has(variables.spec.ephemeralContainers) ? variables.spec.ephemeralContainers : [])"
)


@dataclass(frozen=True, slots=True)
class ResidencyGuardArgs(ComponentArgs):
    """Inputs of `ResidencyGuard`."""

    placement: Placement
    """Region whose namespaces are guarded."""
    runtime_classes: Sequence[str]
    """Names of the confidential runtime classes, one of which every guest must have."""
    registries: Sequence[str]
    """Registries, with repository, from which images may come; each image is pinned by its digest."""


@dataclass(frozen=True, slots=True)
class _Rule:
    """One admission policy."""

    name: str
    expression: str
    message: str
    confidential_only: bool = False
    resources: Mapping[str, Sequence[str]] | None = None
    operations: Sequence[str] = ("CREATE", "UPDATE")


class ResidencyGuard(Component):
    """`bailiwick:index:KubernetesResidencyGuard`: admission policies on the region's namespaces.

    Creates four validating admission policies and binds them: `confidential` (every pod where guests and verifier run
    has a confidential runtime class), `images` (every image is from the region's registries and pinned by digest),
    `residency` (every pod selects nodes of the site), `closed` (nobody executes, attaches or forwards ports).

    Guarantees: the API server refuses what they forbid, for every person and every tool, and for the pods that
    workloads make too, also after this deployment; an expression that cannot be evaluated denies.

    Does not: bind who can change the policies or the namespaces' labels, or who runs the control plane or the nodes.
    What an operator does past the API server is answered by attestation: a pod that is no genuine guest gets no key.
    """

    policies: list[str]
    """Names of the policies that hold."""
    bindings: Sequence[pulumi.Resource]
    """Their bindings, for what must not start before they hold."""

    def __init__(self, name: str, args: ResidencyGuardArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        rules = _rules(args)
        place = args.placement
        super().__init__(TYPE, name, args, opts)
        self.policies = [place.cluster_name(rule.name) for rule in rules]
        self.bindings = [self._bind(name, place, rule) for rule in rules]
        self.register_outputs({"policies": self.policies})

    def _bind(
        self, name: str, place: Placement, rule: _Rule
    ) -> "admissionregistration.v1.ValidatingAdmissionPolicyBinding":
        policy_name = place.cluster_name(rule.name)
        resources = rule.resources or _PODS
        body = [
            admissionregistration.v1.VariableArgs(name="spec", expression=_SPEC),
            admissionregistration.v1.VariableArgs(name="containers", expression=_CONTAINERS),
        ]
        policy = admissionregistration.v1.ValidatingAdmissionPolicy(
            f"{name}-{rule.name}",
            metadata=place.metadata(policy_name),
            spec=admissionregistration.v1.ValidatingAdmissionPolicySpecArgs(
                failure_policy="Fail",
                match_constraints=admissionregistration.v1.MatchResourcesArgs(
                    resource_rules=[
                        admissionregistration.v1.NamedRuleWithOperationsArgs(
                            api_groups=[group],
                            api_versions=["v1"],
                            operations=list(rule.operations),
                            resources=list(names),
                        )
                        for group, names in resources.items()
                    ]
                ),
                variables=None if rule.resources else body,
                validations=[
                    admissionregistration.v1.ValidationArgs(
                        expression=rule.expression, message=rule.message, reason="Forbidden"
                    )
                ],
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        labels = {GUARD_LABEL: place.stack} | ({CONFIDENTIAL_LABEL: "true"} if rule.confidential_only else {})
        return admissionregistration.v1.ValidatingAdmissionPolicyBinding(
            f"{name}-{rule.name}-binding",
            metadata=place.metadata(policy_name),
            spec=admissionregistration.v1.ValidatingAdmissionPolicyBindingSpecArgs(
                policy_name=name_of(policy),
                validation_actions=["Deny", "Audit"],
                match_resources=admissionregistration.v1.MatchResourcesArgs(
                    namespace_selector=meta.v1.LabelSelectorArgs(match_labels=labels)
                ),
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )


def _rules(args: ResidencyGuardArgs) -> list[_Rule]:
    """The policies, in CEL."""
    classes, location = _list(args.runtime_classes), args.placement.location
    from_registry = " || ".join(f"c.image.startsWith('{registry}/')" for registry in args.registries)
    return [
        _Rule(
            "confidential",
            f"has(variables.spec.runtimeClassName) && variables.spec.runtimeClassName in {classes}",
            f"pods here run in confidential guests: set runtimeClassName to one of {classes}",
            confidential_only=True,
        ),
        _Rule(
            "images",
            f"variables.containers.all(c, ({from_registry}) && c.image.matches('@sha256:[0-9a-f]{{64}}$'))",
            f"images come from {', '.join(args.registries)} and are pinned by digest: name@sha256:…",
        ),
        _Rule(
            "residency",
            f"has(variables.spec.nodeSelector) && '{REGION_LABEL}' in variables.spec.nodeSelector"
            f" && variables.spec.nodeSelector['{REGION_LABEL}'] == '{location}'",
            f"pods stay at the site: set nodeSelector {REGION_LABEL}={location}",
        ),
        _Rule(
            "closed",
            "false",
            "nobody logs in to the region's pods",
            resources={"": ["pods/exec", "pods/attach", "pods/portforward", "pods/ephemeralcontainers"]},
            operations=("CONNECT", "UPDATE"),
        ),
    ]


def _list(names: Sequence[str]) -> str:
    return "[" + ", ".join(f"'{name}'" for name in names) + "]"
