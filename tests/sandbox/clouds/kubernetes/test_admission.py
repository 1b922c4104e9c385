"""The cluster's own policies hold for whatever is created, through whatever makes it."""

import pytest

from sandbox.provider import ProviderError
from tests.sandbox.clouds.kubernetes.cluster import Bench, admission_binding, admission_policy, deployment, pod

FORCED = "has(object.spec.runtimeClassName) && object.spec.runtimeClassName == 'confidential-snp'"


def guard(bench: Bench, expression: str = FORCED, **spec: object) -> None:
    bench.region()
    bench.create("ValidatingAdmissionPolicy", admission_policy(expression, "the runtime class is forced", **spec))
    bench.create("ValidatingAdmissionPolicyBinding", admission_binding())


def test_a_pod_that_breaks_a_policy_is_refused_with_its_message(bench: Bench) -> None:
    guard(bench)
    bench.create("Pod", pod("fine"))
    with pytest.raises(ProviderError) as refusal:
        bench.create("Pod", pod("plain", runtimeClassName=None))
    assert str(refusal.value) == (
        "Forbidden: pods \"plain\" is forbidden: ValidatingAdmissionPolicy 'guard' with binding 'guard' denied request:"
        " the runtime class is forced"
    )


def test_a_workload_cannot_make_the_pod_that_nobody_may(bench: Bench) -> None:
    guard(bench)
    with pytest.raises(ProviderError, match=r"ReplicaFailure: deployments\.apps \"plain\": \[FailedCreate\] pods"):
        bench.create("Deployment", deployment("plain", "work", runtimeClassName=None))


def test_a_policy_holds_in_the_namespaces_that_its_binding_selects(bench: Bench) -> None:
    bench.region()
    bench.create("Namespace", {"metadata": {"name": "guarded", "labels": {"guard": "on"}}})
    bench.create("ValidatingAdmissionPolicy", admission_policy(FORCED))
    selector = {"namespaceSelector": {"matchLabels": {"guard": "on"}}}
    bench.create("ValidatingAdmissionPolicyBinding", admission_binding(matchResources=selector))
    bench.create("Pod", pod("plain", runtimeClassName=None))
    with pytest.raises(ProviderError, match="denied request"):
        bench.create("Pod", pod("plain", "guarded", runtimeClassName=None))


def test_an_expression_that_fails_denies(bench: Bench) -> None:
    guard(bench, "object.spec.nothing.like.this == 1")
    with pytest.raises(ProviderError, match=r"resulted in error: .*nothing"):
        bench.create("Pod", pod("any"))


def test_unless_the_policy_says_that_it_does_not_matter(bench: Bench) -> None:
    guard(bench, "object.spec.nothing.like.this == 1", failurePolicy="Ignore")
    bench.create("Pod", pod("any"))


def test_a_binding_that_only_audits_denies_nothing(bench: Bench) -> None:
    bench.region()
    bench.create("ValidatingAdmissionPolicy", admission_policy("false"))
    bench.create("ValidatingAdmissionPolicyBinding", admission_binding(validationActions=["Audit"]))
    bench.create("Pod", pod("any"))


def test_variables_match_conditions_and_message_expressions(bench: Bench) -> None:
    bench.region()
    policy = admission_policy("variables.images.all(image, image.contains('@sha256:'))")
    policy["spec"]["variables"] = [{"name": "images", "expression": "object.spec.containers.map(c, c.image)"}]
    policy["spec"]["matchConditions"] = [{"name": "named", "expression": "object.metadata.name.startsWith('model')"}]
    policy["spec"]["validations"][0]["messageExpression"] = "'not pinned: ' + variables.images.join(', ')"
    bench.create("ValidatingAdmissionPolicy", policy)
    bench.create("ValidatingAdmissionPolicyBinding", admission_binding())
    loose = [{"name": "main", "image": "registry.example.org/a:1"}]
    bench.create("Pod", pod("other", containers=loose))
    with pytest.raises(ProviderError, match=r"not pinned: registry\.example\.org/a:1"):
        bench.create("Pod", pod("model", containers=loose))


def test_a_preview_asks_the_policies_too(bench: Bench) -> None:
    for kind, manifest in (
        ("Namespace", {"metadata": {"name": "work"}}),
        ("ValidatingAdmissionPolicy", admission_policy(FORCED)),
        ("ValidatingAdmissionPolicyBinding", admission_binding()),
    ):
        bench.create(kind, manifest, preview=True)
    with pytest.raises(ProviderError, match="denied request"):
        bench.create("Pod", pod("plain", runtimeClassName=None), preview=True)
