"""What an API server refuses, the emulated one refuses, in its words."""

from dataclasses import dataclass

import pytest

from sandbox.provider import Properties, ProviderError
from tests.sandbox.clouds.kubernetes.cluster import (
    SECURE,
    Bench,
    admission_binding,
    admission_policy,
    deployment,
    network_policy,
    pod,
    runtime_class,
    service,
    urn,
)

IMAGE = "registry.example.org/a:1"


@dataclass(frozen=True)
class Mistake:
    """`manifest` in a cluster where the small region stands; the error is `message` (a part of it)."""

    kind: str
    manifest: Properties
    message: str


def named(name: str, namespace: str | None = "work", **more: object) -> Properties:
    return {"metadata": {"name": name, **({"namespace": namespace} if namespace else {}), **more}}


def containers(**fields: object) -> list[dict[str, object]]:
    return [{"name": "main", "image": IMAGE, "securityContext": SECURE, **fields}]


def claim(**spec: object) -> Properties:
    default = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    return named("data") | {"spec": {**default, **spec}}


MISTAKES = {
    "namespace that does not exist": Mistake(
        "ConfigMap", named("a", "nowhere"), 'NotFound: namespaces "nowhere" not found'
    ),
    "upper-case name": Mistake(
        "ConfigMap",
        named("Verifier"),
        'Invalid: ConfigMap "Verifier" is invalid: metadata.name: Invalid value: "Verifier"',
    ),
    "service name that begins with a digit": Mistake(
        "Service", service("1st", "work"), "a DNS-1035 label must consist"
    ),
    "namespace with a dot": Mistake("Namespace", named("a.b", None), "a lowercase RFC 1123 label must consist"),
    "label with a space": Mistake(
        "ConfigMap", named("a", labels={"owner": "Platform Team"}), 'metadata.labels: Invalid value: "Platform Team"'
    ),
    "mail address as a label": Mistake(
        "ConfigMap", named("a", labels={"owner": "a@example.org"}), "a valid label must be an empty string"
    ),
    "label key with a bad prefix": Mistake("ConfigMap", named("a", labels={"-x/y": "z"}), "name part must consist"),
    "annotations that are too large": Mistake(
        "ConfigMap", named("a", annotations={"big": "x" * 300_000}), "metadata.annotations: Too long"
    ),
    "taken name": Mistake("Namespace", named("work", None), 'AlreadyExists: namespaces "work" already exists'),
    "cluster-wide kind in a namespace": Mistake(
        "RuntimeClass", runtime_class("x") | named("x", "work"), "the RuntimeClass is not namespaced"
    ),
    "selector that does not match": Mistake(
        "Deployment",
        {
            **deployment("a", "work"),
            "spec": deployment("a", "work")["spec"] | {"selector": {"matchLabels": {"app": "b"}}},
        },
        'Deployment.apps "a" is invalid: spec.template.metadata.labels: Invalid value: {"app": "a"}: `selector` does',
    ),
    "mount of a volume that is not there": Mistake(
        "Pod",
        pod("a", containers=containers(volumeMounts=[{"name": "data", "mountPath": "/d"}])),
        'Pod "a" is invalid: spec.containers[0].volumeMounts[0].name: Not found: "data"',
    ),
    "two containers of one name": Mistake(
        "Pod", pod("a", containers=containers() * 2), 'spec.containers[1].name: Duplicate value: "main"'
    ),
    "pull policy that does not exist": Mistake(
        "Pod",
        pod("a", containers=containers(imagePullPolicy="Sometimes")),
        'Unsupported value: "Sometimes": supported values: "Always", "IfNotPresent", "Never"',
    ),
    "deployment that does not restart": Mistake(
        "Deployment",
        deployment("a", "work", restartPolicy="Never"),
        'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"',
    ),
    "request above the limit": Mistake(
        "Pod",
        pod("a", containers=containers(resources={"requests": {"cpu": "2"}, "limits": {"cpu": "500m"}})),
        "must be less than or equal to cpu limit of 500m",
    ),
    "quantity that is none": Mistake(
        "Pod", pod("a", containers=containers(resources={"limits": {"memory": "4 GB"}})), "quantities must match"
    ),
    "port out of range": Mistake(
        "Pod", pod("a", containers=containers(ports=[{"containerPort": 70_000}])), "must be between 1 and 65535"
    ),
    "probe without a handler": Mistake(
        "Pod",
        pod("a", containers=containers(readinessProbe={"periodSeconds": 5})),
        "spec.containers[0].readinessProbe: Required value: must specify a handler type",
    ),
    "runtime class that does not exist": Mistake(
        "Deployment",
        deployment("a", "work", runtimeClassName="kata-cc"),
        'ReplicaFailure: deployments.apps "a": [FailedCreate] pods',
    ),
    "runtime class that does not exist, of a pod": Mistake(
        "Pod",
        pod("a", runtimeClassName="kata-cc"),
        'Forbidden: pods "a" is forbidden: pod rejected: RuntimeClass "kata-cc" not found',
    ),
    "service account that does not exist": Mistake(
        "Pod",
        pod("a", serviceAccountName="guest"),
        'error looking up service account work/guest: serviceaccount "guest" not found',
    ),
    "config map that does not exist": Mistake(
        "Deployment",
        deployment("a", "work", volumes=[{"name": "config", "configMap": {"name": "absent"}}]),
        'MountVolume.SetUp failed for volume "config" : configmap "absent" not found',
    ),
    "secret in the environment that does not exist": Mistake(
        "Pod",
        pod("a", containers=containers(envFrom=[{"secretRef": {"name": "absent"}}])),
        'CreateContainerConfigError: container "main": secret "absent" not found',
    ),
    "node selector that no node has": Mistake(
        "Deployment",
        deployment("a", "work", nodeSelector={"topology.kubernetes.io/region": "elsewhere"}),
        "node(s) didn't match Pod's node affinity/selector",
    ),
    "more processors than a node has": Mistake(
        "Pod", pod("a", containers=containers(resources={"requests": {"cpu": "640"}})), "Insufficient cpu"
    ),
    "service port without a name": Mistake(
        "Service", service("a", "work", ports=[{"port": 1}, {"port": 2}]), "spec.ports[0].name: Required value"
    ),
    "service address outside the range": Mistake(
        "Service",
        service("a", "work", clusterIP="192.168.0.1"),
        "the provided IP (192.168.0.1) is not in the valid range. The range of valid IPs is 10.96.0.0/12",
    ),
    "service type that does not exist": Mistake(
        "Service", service("a", "work", type="Private"), 'spec.type: Unsupported value: "Private"'
    ),
    "network policy with a wrong range": Mistake(
        "NetworkPolicy",
        network_policy("a", "work", egress=[{"to": [{"ipBlock": {"cidr": "10.0.0.0/40"}}]}]),
        "spec.egress[0].to[0].ipBlock.cidr: Invalid value",
    ),
    "network policy with two kinds of peer in one": Mistake(
        "NetworkPolicy",
        network_policy("a", "work", egress=[{"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}, "podSelector": {}}]}]),
        "may not specify both ipBlock and another peer",
    ),
    "secret that is not base64": Mistake(
        "Secret", named("a") | {"data": {"pin": "not base64!"}}, "BadRequest: Secret in version"
    ),
    "config map that is too large": Mistake(
        "ConfigMap", named("a") | {"data": {"big": "x" * 1_100_000}}, "may not be more than 1048576 bytes"
    ),
    "claim of a storage class that does not exist": Mistake(
        "PersistentVolumeClaim", claim(storageClassName="fast"), 'storageclass.storage.k8s.io "fast" not found'
    ),
    "claim with an unknown access mode": Mistake(
        "PersistentVolumeClaim", claim(accessModes=["ReadWriteTwice"]), 'Unsupported value: "ReadWriteTwice"'
    ),
    "budget with both limits": Mistake(
        "PodDisruptionBudget",
        named("a") | {"spec": {"minAvailable": 1, "maxUnavailable": 1}},
        "minAvailable and maxUnavailable cannot be both set",
    ),
    "binding of a role that does not exist": Mistake(
        "RoleBinding",
        named("a") | {"roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "absent"}},
        'NotFound: roles.rbac.authorization.k8s.io "absent" not found',
    ),
    "admission policy that does not compile": Mistake(
        "ValidatingAdmissionPolicy",
        admission_policy("object.spec.containers.all(c, "),
        "spec.validations[0].expression: Invalid value",
    ),
    "admission policy on a variable that does not exist": Mistake(
        "ValidatingAdmissionPolicy", admission_policy("pod.spec.hostNetwork == false"), "undeclared reference to 'pod"
    ),
    "handler that no node has": Mistake(
        "Pod", pod("a", runtimeClassName="odd"), 'FailedCreatePodSandBox: no runtime for "kata-sev" is configured'
    ),
    "handler of a TEE that the node lacks": Mistake(
        "Pod",
        pod("a", runtimeClassName="wrong"),
        "has no tdx; let the runtime class select nodes by intel.feature.node.kubernetes.io/tdx=true",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
def test_the_api_server_refuses(bench: Bench, mistake: Mistake) -> None:
    bench.region()
    bench.create("RuntimeClass", {"metadata": {"name": "odd"}, "handler": "kata-sev"})
    bench.create("RuntimeClass", {"metadata": {"name": "wrong"}, "handler": "kata-qemu-tdx"})
    with pytest.raises(ProviderError) as refusal:
        bench.create(mistake.kind, mistake.manifest)
    assert mistake.message in str(refusal.value)
    assert "\n" not in str(refusal.value)


SCHEMA_MISTAKES = {
    "unknown field": (
        "Deployment",
        {"metadata": {"name": "a"}, "spec": {**deployment("a", "work")["spec"], "replica": 2}},
        "strict decoding error: unknown field \"spec.replica\"; did you mean 'replicas'?",
    ),
    "text for a number": (
        "Deployment",
        {"metadata": {"name": "a"}, "spec": {**deployment("a", "work")["spec"], "replicas": "2"}},
        "json: cannot unmarshal string into Go struct field spec.replicas of type int32",
    ),
    "field that is missing": (
        "Deployment",
        {"metadata": {"name": "a"}, "spec": {"selector": {}}},
        'Invalid: Deployment.apps "a" is invalid: spec.template: Required value',
    ),
    "field deep inside": (
        "Pod",
        pod("a", containers=[{"name": "main", "image": IMAGE, "securityContext": {"priviliged": True}}]),
        "unknown field \"spec.containers[0].securityContext.priviliged\"; did you mean 'privileged'?",
    ),
    "another API version": ("Pod", {**pod("a"), "apiVersion": "v2"}, "apiVersion must be v1, is v2"),
    "handler that is missing": ("RuntimeClass", named("a", None), "handler: Required value"),
}


@pytest.mark.parametrize(("kind", "manifest", "message"), SCHEMA_MISTAKES.values(), ids=SCHEMA_MISTAKES)
def test_the_published_schema_refuses(bench: Bench, kind: str, manifest: Properties, message: str) -> None:
    (failure,) = bench.failures(kind, manifest)
    assert message in failure


def test_a_kind_that_nobody_taught_it_is_refused_with_the_way_to_add_it(bench: Bench) -> None:
    (failure,) = bench.failures("Node", {"metadata": {"name": "a"}})
    assert failure.startswith("'kubernetes:core/v1:Node' is not emulated: add its kind to")


@pytest.mark.parametrize(
    ("kind", "before", "after", "path"),
    [
        (
            "Deployment",
            deployment("a", "work"),
            {
                **deployment("a", "work"),
                "spec": {**deployment("a", "work")["spec"], "selector": {"matchLabels": {"b": "c"}}},
            },
            "spec.selector.matchLabels",
        ),
        ("ConfigMap", named("a") | {"data": {"x": "1"}}, named("a") | {"data": {"x": "2"}}, "data.x"),
        ("Service", service("a", "work"), service("a", "work", clusterIP="10.96.7.7"), "spec.clusterIP"),
        ("PersistentVolumeClaim", claim(), claim(accessModes=["ReadWriteMany"]), "spec.accessModes[0]"),
    ],
)
def test_what_never_changes_is_replaced_and_never_updated(
    bench: Bench, kind: str, before: Properties, after: Properties, path: str
) -> None:
    bench.region()
    created = bench.create(kind, before)
    old, new = bench.checked(kind, before), bench.checked(kind, after)
    diff = bench.cloud.diff(urn(kind, "a"), created.id, old, created.outputs, new)
    assert any(each.startswith(path) for each in diff.replaces)
    assert diff.delete_before_replace
    with pytest.raises(ProviderError, match="field is immutable"):
        bench.update(kind, after)


def quota(**hard: str) -> Properties:
    return named("team") | {"spec": {"hard": hard}}


def resources(cpu: str) -> list[dict[str, object]]:
    return containers(resources={"requests": {"cpu": cpu}})


def test_a_quota_holds_for_all_pods_of_its_namespace(bench: Bench) -> None:
    bench.region()
    bench.create("ResourceQuota", quota(**{"requests.cpu": "3", "pods": "5"}))
    bench.create("Pod", pod("first", containers=resources("2")))
    with pytest.raises(ProviderError) as refusal:
        bench.create("Pod", pod("second", containers=resources("2")))
    assert str(refusal.value) == (
        'Forbidden: pods "second" is forbidden: exceeded quota: team, requested: requests.cpu=2,'
        " used: requests.cpu=2, limited: requests.cpu=3"
    )
    with pytest.raises(ProviderError, match=r"must specify requests\.cpu for: main"):
        bench.create("Pod", pod("third"))
    with pytest.raises(ProviderError, match=r'deployments\.apps "many": \[FailedCreate\] .*exceeded quota: team'):
        bench.create("Deployment", deployment("many", "work", replicas=2, containers=resources("1")))
    bench.create("Pod", pod("fourth", "trust"))


def test_two_services_cannot_have_one_address(bench: Bench) -> None:
    bench.region()
    bench.create("Service", service("a", "work", clusterIP="10.96.9.9"))
    with pytest.raises(ProviderError, match="provided IP is already allocated"):
        bench.create("Service", service("b", "work", clusterIP="10.96.9.9"))


def test_a_restricted_namespace_refuses_what_the_standard_forbids(bench: Bench) -> None:
    bench.region()
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    bench.create("Namespace", {"metadata": {"name": "strict", "labels": labels}})
    bench.create("Pod", pod("fine", "strict"))
    loose = containers(securityContext={"privileged": True})
    with pytest.raises(ProviderError) as refusal:
        bench.create("Pod", pod("loose", "strict", containers=loose, hostNetwork=True))
    message = str(refusal.value)
    assert message.startswith('Forbidden: pods "loose" is forbidden: violates PodSecurity "restricted:latest": host')
    for control in ("privileged (", "allowPrivilegeEscalation != false", "runAsNonRoot != true", "seccompProfile"):
        assert control in message


def test_a_system_namespace_stays(bench: Bench) -> None:
    bench.region()
    bench.create("Namespace", named("kube-public", None))
    with pytest.raises(ProviderError, match="this namespace may not be deleted"):
        bench.delete("Namespace", "kube-public")


def test_another_cluster_is_refused(bench: Bench) -> None:
    with pytest.raises(ProviderError, match='context "production" does not exist'):
        bench.cloud.configure({"context": "production"})
    with pytest.raises(ProviderError, match="takes no kubeconfig"):
        bench.cloud.configure({"kubeconfig": "apiVersion: v1"})


def test_parameters_of_policies_are_refused_because_nothing_would_evaluate_them(bench: Bench) -> None:
    kind = {"apiVersion": "v1", "kind": "ConfigMap"}
    with pytest.raises(ProviderError, match="paramKind of ValidatingAdmissionPolicy 'guard' is not emulated"):
        bench.create("ValidatingAdmissionPolicy", admission_policy("true", paramKind=kind))


def test_a_binding_alone_denies_nothing(bench: Bench) -> None:
    bench.region()
    bench.create("ValidatingAdmissionPolicyBinding", admission_binding())
    bench.create("Pod", pod("fine"))
