"""A small region in the emulated cluster, and what drives it."""

import base64
import copy
import gzip
import json
from typing import Any

from sandbox.clouds.hardware import KeyVersion, Machine, NullHardware
from sandbox.clouds.kubernetes import KubernetesCloud
from sandbox.provider import Created, Properties
from sandbox.values import Value

CONFIDENTIAL = "confidential-snp"
DIGEST = "sha256:" + "ab" * 32
SIZE = "rack-genoa-64"
TOKENS = {
    "Namespace": "core/v1",
    "ConfigMap": "core/v1",
    "ResourceQuota": "core/v1",
    "Secret": "core/v1",
    "ServiceAccount": "core/v1",
    "Service": "core/v1",
    "PersistentVolumeClaim": "core/v1",
    "Pod": "core/v1",
    "Node": "core/v1",
    "Deployment": "apps/v1",
    "StatefulSet": "apps/v1",
    "DaemonSet": "apps/v1",
    "Job": "batch/v1",
    "NetworkPolicy": "networking.k8s.io/v1",
    "RuntimeClass": "node.k8s.io/v1",
    "PodDisruptionBudget": "policy/v1",
    "RoleBinding": "rbac.authorization.k8s.io/v1",
    "StorageClass": "storage.k8s.io/v1",
    "ValidatingAdmissionPolicy": "admissionregistration.k8s.io/v1",
    "ValidatingAdmissionPolicyBinding": "admissionregistration.k8s.io/v1",
}
SECURE = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}


class RecordingHardware(NullHardware):
    """Remembers what it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.booted: list[Machine] = []
        self.stopped: list[str] = []
        self.keys: list[str] = []

    def create_key(self, vault: str, name: str, properties: object) -> KeyVersion:
        self.keys.append(name)
        return super().create_key(vault, name, {})

    def boot(self, machine: Machine) -> None:
        self.booted.append(machine)

    def power_off(self, machine_id: str) -> None:
        self.stopped.append(machine_id)


def urn(kind: str, name: str) -> str:
    return f"urn:pulumi:test::bailiwick::kubernetes:{TOKENS[kind]}:{kind}::{name}"


class Bench:
    """Drives a cluster as an engine would: check, then create."""

    def __init__(self, cloud: KubernetesCloud, hardware: RecordingHardware) -> None:
        self.cloud = cloud
        self.hardware = hardware

    def failures(self, kind: str, manifest: Properties) -> list[str]:
        """What check refuses, one line each."""
        return [found.reason for found in self.cloud.check(urn(kind, "any"), {}, copy.deepcopy(manifest)).failures]

    def create(self, kind: str, manifest: Properties, *, preview: bool = False) -> Created:
        checked = self.cloud.check(urn(kind, "any"), {}, copy.deepcopy(manifest))
        assert checked.failures == ()
        name = checked.inputs["metadata"]["name"]
        return self.cloud.create(urn(kind, str(name)), checked.inputs, preview=preview)

    def update(self, kind: str, manifest: Properties) -> Properties:
        name = f"{manifest['metadata']['namespace']}/{manifest['metadata']['name']}"
        return self.cloud.update(urn(kind, name), name, {}, self.checked(kind, manifest), preview=False)

    def checked(self, kind: str, manifest: Properties) -> Properties:
        return self.cloud.check(urn(kind, "any"), {}, copy.deepcopy(manifest)).inputs

    def delete(self, kind: str, name: str) -> None:
        self.cloud.delete(urn(kind, name), name, {})

    def region(self) -> None:
        """Two namespaces, a confidential runtime class, and a verifier behind a service."""
        for namespace in ("trust", "work"):
            self.create("Namespace", {"metadata": {"name": namespace}})
        self.create("RuntimeClass", runtime_class())
        self.create("Deployment", deployment("verifier", "trust", replicas=2, told={"role": "verifier"}))
        self.create("Service", service("verifier", "trust"))

    def pods(self, name: str) -> list[Machine]:
        """The machines that a deployment's pods booted, in order."""
        return [machine for machine in self.hardware.booted if machine.name.startswith(f"{name}-")]


def runtime_class(name: str = CONFIDENTIAL, handler: str = "kata-qemu-snp") -> Properties:
    selector = {"amd.feature.node.kubernetes.io/snp": "true"}
    return {"metadata": {"name": name}, "handler": handler, "scheduling": {"nodeSelector": selector}}


def init_data(told: Value) -> str:
    document = (
        f"version = \"0.1.0\"\nalgorithm = \"sha256\"\n[data]\n\"bailiwick.json\" = '''\n{json.dumps(told)}\n'''\n"
    )
    return base64.b64encode(gzip.compress(document.encode(), mtime=0)).decode()


def template(name: str, *, told: Value = None, **spec: Any) -> dict[str, Any]:
    """A pod template that starts a confidential guest; `spec` replaces fields of the pod's spec."""
    annotations = {"io.katacontainers.config.hypervisor.image": "/opt/kata/share/inference-guest-1.0.0.img"}
    if told is not None:
        annotations["io.katacontainers.config.hypervisor.cc_init_data"] = init_data(told)
    container = {
        "name": "main",
        "image": f"registry.example.org/{name}@{DIGEST}",
        "ports": [{"containerPort": 8443, "name": "attest"}],
        "securityContext": SECURE,
    }
    default = {"runtimeClassName": CONFIDENTIAL, "automountServiceAccountToken": False, "containers": [container]}
    return {"metadata": {"labels": {"app": name}, "annotations": annotations}, "spec": {**default, **spec}}


def deployment(name: str, namespace: str, *, replicas: int = 1, told: Value = None, **spec: Any) -> Properties:
    return {
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": template(name, told=told, **spec),
        },
    }


def pod(name: str, namespace: str = "work", **spec: Any) -> Properties:
    made = template(name, **spec)
    return {"metadata": {"name": name, "namespace": namespace, **made["metadata"]}, "spec": made["spec"]}


def service(name: str, namespace: str, **spec: Any) -> Properties:
    default = {"selector": {"app": name}, "ports": [{"name": "attest", "port": 8443, "targetPort": "attest"}]}
    return {"metadata": {"name": name, "namespace": namespace}, "spec": {**default, **spec}}


def network_policy(name: str, namespace: str, **spec: Any) -> Properties:
    return {"metadata": {"name": name, "namespace": namespace}, "spec": {"podSelector": {}, **spec}}


def admission_policy(expression: str, message: str = "no", **spec: Any) -> Properties:
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
    default = {
        "matchConstraints": {"resourceRules": [rule]},
        "validations": [{"expression": expression, "message": message}],
    }
    return {"metadata": {"name": "guard"}, "spec": {**default, **spec}}


def admission_binding(**spec: Any) -> Properties:
    return {"metadata": {"name": "guard"}, "spec": {"policyName": "guard", "validationActions": ["Deny"], **spec}}
