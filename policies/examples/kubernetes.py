"""Examples of the rules for Kubernetes: pods in confidential guests, and what is around them."""

import base64
import gzip
from collections.abc import Mapping
from typing import Final

from policies.examples.common import but
from policies.examples.components import verifier_on
from policies.rule import Covered, Example, ExampleResource

CONFIG: Final[Mapping[str, str]] = {
    "cloud": "kubernetes",
    "location": "onprem",
    "subscriptionId": "",
    "tenantId": "",
    "cluster": "bailiwick-emulated",
}
_LABELS: Final = {"jurisdiction": "de", "data-class": "confidential"}
_SPEC: Final = "spec.template.spec"


def _example(says: str, *resources: ExampleResource) -> Example:
    return Example(says, resources, CONFIG)


PROVIDER = ExampleResource("pulumi:providers:kubernetes", "kubernetes", {"context": "bailiwick-emulated"})

RUNTIME = ExampleResource(
    "kubernetes:node.k8s.io/v1:RuntimeClass", "snp", {"metadata": {"name": "snp"}, "handler": "kata-qemu-snp"}
)
PODS = ExampleResource(
    "kubernetes:apps/v1:Deployment",
    "inference",
    {
        "metadata": {"namespace": "workload", "name": "inference", "labels": _LABELS},
        "spec": {
            "template": {
                "spec": {
                    "runtimeClassName": "snp",
                    "automountServiceAccountToken": False,
                    "containers": [
                        {
                            "name": "main",
                            "image": f"registry.example.org/inference@sha256:{'5f8c' * 16}",
                            "securityContext": {"allowPrivilegeEscalation": False},
                        }
                    ],
                }
            }
        },
    },
    uses={"spec": ("snp",)},
)
NAMESPACE = ExampleResource("kubernetes:core/v1:Namespace", "workload", {"metadata": {"name": "workload"}})
DENY = ExampleResource(
    "kubernetes:networking.k8s.io/v1:NetworkPolicy",
    "deny-all",
    {"metadata": {"namespace": "workload"}, "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}},
)
ALLOW = but(
    DENY,
    {
        "spec": {
            "podSelector": {},
            "policyTypes": ["Egress"],
            "egress": [{"to": [{"ipBlock": {"cidr": "10.60.251.0/24"}}]}],
        }
    },
    name="fetch",
)
_NAMELESS = but(PODS, {"metadata.name": None})
_WEBHOOK = ExampleResource(
    "kubernetes:admissionregistration.k8s.io/v1:MutatingWebhookConfiguration",
    "inject",
    {"webhooks": [{"name": "inject.example.com", "clientConfig": {"url": "https://inject.example.com/mutate"}}]},
)
_MANIFEST = ExampleResource("kubernetes:yaml/v2:ConfigGroup", "site", {"files": ["site/*.yaml"]})
_OF_IT = ExampleResource("kubernetes:core/v1:ConfigMap", "settings", {"metadata": {"name": "settings"}}, parent="site")


def told(**files: str) -> str:
    """The annotation by which a pod's guest is told these files: `policy_rego` is `policy.rego`."""
    data = "".join(f"\"{name.replace('_', '.')}\" = '''\n{text}\n'''\n" for name, text in files.items())
    document = f'version = "0.1.0"\nalgorithm = "sha256"\n[data]\n{data}'
    return base64.b64encode(gzip.compress(document.encode(), mtime=0)).decode()


AGENT_POLICY: Final = """package agent_policy
default ExecProcessRequest := false
default ReadStreamRequest := false
default CreateContainerRequest := false
CreateContainerRequest if {
  every storage in input.storages { storage.source in ["registry.example.org/inference"] }
}
"""
_ON_A_CONDITION: Final = "ReadStreamRequest if { input.container_id != input.sandbox }"
_INIT_DATA: Final = "io.katacontainers.config.hypervisor.cc_init_data"
_BROKER: Final = '[token_configs.kbs]\nurl = "http://verifier.verifier.svc:8443"'


def told_pods(annotation: str) -> ExampleResource:
    """Pods whose guests are told this."""
    return but(PODS, {"spec.template.metadata": {"annotations": {_INIT_DATA: annotation}}})


_ADMIT = but(
    DENY,
    {
        "spec": {
            "podSelector": {},
            "policyTypes": ["Ingress"],
            "ingress": [{"from": [{"ipBlock": {"cidr": "10.60.0.0/24"}}]}],
        }
    },
    name="admit",
)
VOLUME = ExampleResource(
    "kubernetes:core/v1:PersistentVolumeClaim",
    "log",
    {"metadata": {"namespace": "verifier", "annotations": {"bailiwick.dev/retention-days": "365"}}},
)
WRITER = but(
    PODS,
    {f"{_SPEC}.volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "log"}}]},
    name="verifier-pods",
    uses={"spec": ("snp", "log")},
)
SERVICE = ExampleResource("kubernetes:core/v1:Service", "attest", {"spec": {"type": "ClusterIP"}})
VERIFIER = verifier_on("Kubernetes")
_RBAC: Final = "kubernetes:rbac.authorization.k8s.io/v1"
_ROLE = ExampleResource(
    f"{_RBAC}:Role",
    "read-model",
    {
        "metadata": {"name": "read-model", "namespace": "workload"},
        "rules": [{"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["llm"], "verbs": ["get"]}],
    },
)
_BINDING = ExampleResource(
    f"{_RBAC}:RoleBinding",
    "inference-reads-model",
    {
        "metadata": {"namespace": "workload"},
        "roleRef": {"kind": "Role", "name": "read-model"},
        "subjects": [{"kind": "ServiceAccount", "name": "inference", "namespace": "workload"}],
    },
)
_CHANGER = but(
    _ROLE,
    {"metadata": {"name": "change-model", "namespace": "workload"}, "rules.0.verbs": ["update"]},
    name="change-model",
)
_CHANGED_BY = but(
    _BINDING, {"roleRef.name": "change-model", "subjects.0.name": "publisher"}, name="publisher-changes-model"
)
_SECRET = ExampleResource(
    "kubernetes:core/v1:Secret", "llm", {"stringData": {"key": "sealed.fakejwsheader.e30.fakesig"}}
)
_STORAGE = ExampleResource(
    "kubernetes:storage.k8s.io/v1:StorageClass",
    "encrypted",
    {"provisioner": "rbd.csi.ceph.com", "parameters": {"encrypted": "true", "encryptionKMSID": "site-hsm"}},
)
_INGRESS = ExampleResource(
    "kubernetes:networking.k8s.io/v1:Ingress",
    "front",
    {"spec": {"tls": [{"hosts": ["models.example.internal"], "secretName": "front"}]}},
)
_GATEWAY = ExampleResource(
    "kubernetes:gateway.networking.k8s.io/v1:Gateway",
    "gateway",
    {"spec": {"listeners": [{"name": "web", "protocol": "HTTPS", "port": 443}]}},
)

COVERED: Final[Mapping[str, Covered]] = {
    "RES-02": Covered(
        _example(
            "A namespace is where its cluster is, and so is each object of a manifest.", NAMESPACE, _MANIFEST, _OF_IT
        ),
        (
            _example("A manifest that nobody can read before it is deployed.", _MANIFEST),
            _example(
                "A chart that Helm installs by itself.",
                ExampleResource("kubernetes:helm.sh/v3:Release", "monitoring", {"chart": "monitoring"}),
            ),
            _example(
                "A type that the list does not have.",
                ExampleResource("kubernetes:serving.knative.dev/v1:Service", "x", {}),
            ),
        ),
    ),
    "RES-03": Covered(
        _example("A provider for the declared cluster.", PROVIDER),
        (
            _example("A provider for another cluster.", but(PROVIDER, {"context": "production"})),
            _example("A provider that goes elsewhere from there.", but(PROVIDER, {"cluster": "production"})),
            _example("A provider for whichever cluster is current.", but(PROVIDER, {"context": None})),
        ),
    ),
    "RES-10": Covered(
        _example("Pods with both labels.", PODS),
        (_example("Pods without labels.", but(PODS, {"metadata.labels": None})),),
    ),
    "CVM-01": Covered(
        _example("Pods whose runtime class puts each into a guest with SEV-SNP.", RUNTIME, PODS),
        (
            _example(
                "A model that KServe serves on ordinary nodes.",
                RUNTIME,
                ExampleResource(
                    "kubernetes:serving.kserve.io/v1beta1:InferenceService",
                    "llm",
                    {
                        "metadata": {"namespace": "workload"},
                        "spec": {"predictor": {"model": {"storageUri": "pvc://llm"}}},
                    },
                ),
            ),
            _example("Pods without a runtime class.", RUNTIME, but(PODS, {f"{_SPEC}.runtimeClassName": None}, uses={})),
            _example("A runtime class for ordinary virtual machines.", but(RUNTIME, {"handler": "kata-qemu"}), PODS),
            _example("A runtime class of another stack.", but(PODS, {}, uses={})),
        ),
    ),
    "CVM-06": Covered(
        _example(
            "Containers that cannot gain privileges, in a guest whose agent runs nothing for the host.",
            told_pods(told(policy_rego=AGENT_POLICY)),
        ),
        (
            _example(
                "An agent that runs commands for the host.",
                told_pods(told(policy_rego=AGENT_POLICY.replace("ProcessRequest := false", "ProcessRequest := true"))),
            ),
            _example(
                "An agent that hands out what processes write, on a condition.",
                told_pods(told(policy_rego=AGENT_POLICY + _ON_A_CONDITION)),
            ),
            _example(
                "An agent that starts any container.",
                told_pods(told(policy_rego="package agent_policy\nCreateContainerRequest := true")),
            ),
            _example("Init data that cannot be read.", told_pods("allow")),
            _example("A share in the node's processes.", but(PODS, {f"{_SPEC}.hostPID": True})),
            _example(
                "The node's files.",
                but(PODS, {f"{_SPEC}.volumes": [{"name": "node", "hostPath": {"path": "/"}}]}),
            ),
            _example(
                "A privilege over the kernel.",
                but(PODS, {f"{_SPEC}.containers.0.securityContext.capabilities": {"add": ["SYS_ADMIN"]}}),
            ),
            _example(
                "A token with which the pod asks the control plane.",
                but(PODS, {f"{_SPEC}.automountServiceAccountToken": None}),
            ),
            _example("A role for commands in pods.", but(_ROLE, {"rules.0.resources": ["pods/exec"]})),
            _example(
                "A container that may gain privileges.", but(PODS, {f"{_SPEC}.containers.0.securityContext": None})
            ),
        ),
    ),
    "CVM-02": Covered(
        _example(
            "Nodes of a size with SEV-SNP.",
            but(PODS, {f"{_SPEC}.nodeSelector": {"node.kubernetes.io/instance-type": "rack-genoa-64"}}),
        ),
        (_example("Whichever node there is.", PODS),),
    ),
    "CVM-08": Covered(
        _example("An image by its digest.", PODS),
        (
            _example("A tag.", but(PODS, {f"{_SPEC}.containers.0.image": "registry.example.org/inference:1.0.0"})),
            _example(
                "Pods without containers, for something else to fill in.", but(PODS, {f"{_SPEC}.containers": None})
            ),
        ),
    ),
    "KEY-01": Covered(
        _example("A secret that only an attested guest opens.", _SECRET),
        (
            _example(
                "A secret that whoever runs the control plane reads.", but(_SECRET, {"stringData.key": "correct horse"})
            ),
            _example(
                "One that is encoded, and no more.", but(_SECRET, {"stringData": None, "data": {"key": "aG9yc2U="}})
            ),
        ),
    ),
    "KEY-02": Covered(
        _example("Volumes under the site's key.", _STORAGE),
        (
            _example("Volumes that nobody encrypts.", but(_STORAGE, {"parameters": {"pool": "fast"}})),
            _example("A key that is not used.", but(_STORAGE, {"parameters.encrypted": "false"})),
        ),
    ),
    "KEY-08": Covered(
        _example(
            "A role that reads one secret, and another one, for another account, that changes it.",
            _ROLE,
            _BINDING,
            _CHANGER,
            _CHANGED_BY,
        ),
        (
            _example(
                "An account with both roles.",
                _ROLE,
                _BINDING,
                _CHANGER,
                but(_CHANGED_BY, {"subjects.0.name": "inference"}),
            ),
            _example("A role that reads secrets and changes them.", but(_ROLE, {"rules.0.verbs": ["get", "update"]})),
            _example("A role for everything.", but(_ROLE, {"rules.0.verbs": ["*"]})),
            _example("The cluster's administrator.", but(_BINDING, {"roleRef.name": "cluster-admin"})),
        ),
    ),
    "REL-07": Covered(
        _example("A service account.", _BINDING),
        (
            _example("A person.", but(_BINDING, {"subjects": [{"kind": "User", "name": "operator"}]})),
            _example(
                "A group, with whoever is added to it.",
                but(_BINDING, {"subjects": [{"kind": "Group", "name": "system:serviceaccounts"}]}),
            ),
            _example("Somebody, but of which kind?", but(_BINDING, {"subjects.0.kind": None})),
        ),
    ),
    "REL-02": Covered(
        _example("A guest that attests at the cluster's own broker.", told_pods(told(aa_toml=_BROKER))),
        (
            _example(
                "A guest that attests elsewhere.",
                told_pods(told(aa_toml=_BROKER.replace("verifier.verifier.svc:8443", "kbs.example.com"))),
            ),
            _example(
                "A guest that gets its keys elsewhere.",
                told_pods(told(aa_toml=_BROKER, cdh_toml='[kbc]\nname = "cc_kbc"\nurl = "https://203.0.113.7:8080"')),
            ),
        ),
    ),
    "NET-01": Covered(
        _example("A service inside the cluster, and a policy that lets one private range in.", SERVICE, _ADMIT),
        (
            _example("Pods that everybody reaches.", but(_ADMIT, {"spec.ingress": [{}]})),
            _example(
                "Pods that a public range reaches.",
                but(_ADMIT, {"spec.ingress.0.from.0.ipBlock.cidr": "198.51.100.0/24"}),
            ),
            _example("A service with a public load balancer.", but(SERVICE, {"spec.type": "LoadBalancer"})),
            _example("An ingress.", _INGRESS),
            _example(
                "A port of the node.",
                but(PODS, {f"{_SPEC}.containers.0.ports": [{"containerPort": 8443, "hostPort": 443}]}),
            ),
        ),
    ),
    "NET-04": Covered(
        _example("Fronts with TLS.", _INGRESS, _GATEWAY),
        (
            _example("A front without one.", but(_INGRESS, {"spec.tls": None})),
            _example("A gateway for plain HTTP.", but(_GATEWAY, {"spec.listeners.0.protocol": "HTTP"})),
        ),
    ),
    "NET-02": Covered(
        _example("A closed namespace, and one private range that is let through.", NAMESPACE, _NAMELESS, DENY, ALLOW),
        (
            _example("A namespace that nothing closes.", NAMESPACE),
            _example(
                "Pods in a namespace that nothing closes.", NAMESPACE, DENY, but(PODS, {"metadata.namespace": None})
            ),
            _example("A control plane that asks elsewhere what it may start.", NAMESPACE, DENY, _WEBHOOK),
            _example(
                "A policy that closes some pods only.",
                NAMESPACE,
                but(DENY, {"spec.podSelector": {"matchLabels": {"role": "db"}}}),
            ),
            _example("Egress to everywhere.", NAMESPACE, DENY, but(ALLOW, {"spec.egress": [{}]})),
            _example(
                "Egress to a public address.",
                NAMESPACE,
                DENY,
                but(ALLOW, {"spec.egress.0.to.0.ipBlock.cidr": "198.51.100.7/32"}),
            ),
        ),
    ),
    "LOG-01": Covered(
        _example("Records are written to a volume that is kept for a year.", RUNTIME, VOLUME, WRITER),
        (
            _example("Pods that write nothing down.", RUNTIME, PODS),
            _example(
                "A volume that nobody promises to keep.", RUNTIME, but(VOLUME, {"metadata.annotations": None}), WRITER
            ),
        ),
    ),
}
"""By id of the rule."""
