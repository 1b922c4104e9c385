"""The kinds that the emulated cluster knows: one record each.

`replace_on` lists what Pulumi's provider replaces for (pulumi/pulumi-kubernetes, `force_new`): data of config maps and
secrets, besides what the API server itself never changes.
"""

from dataclasses import replace

from sandbox.clouds.kubernetes import admission, object_rules, pod_rules
from sandbox.clouds.kubernetes.api import kind_type
from sandbox.clouds.kubernetes.controllers import Controllers
from sandbox.clouds.resource import ResourceType

_RBAC = "rbac.authorization.k8s.io/v1"
_ADMISSION = "admissionregistration.k8s.io/v1"


def types(controllers: Controllers) -> tuple[ResourceType, ...]:
    """Every emulated kind; workloads become pods through `controllers`."""
    selector = "spec.selector"

    def workload(kind: ResourceType) -> ResourceType:
        return replace(kind, started=controllers.roll_out, stopped=controllers.stop)

    return (
        kind_type(
            "core/v1",
            "Namespace",
            "namespaces",
            namespaced=False,
            outputs={"status": object_rules.active},
        ),
        kind_type(
            "core/v1", "ConfigMap", "configmaps", replace_on=("data", "binaryData"), checks=(object_rules.small_enough,)
        ),
        kind_type(
            "core/v1",
            "Secret",
            "secrets",
            replace_on=("data", "stringData", "type"),
            checks=(object_rules.base64_data, object_rules.small_enough),
        ),
        kind_type("core/v1", "ServiceAccount", "serviceaccounts"),
        kind_type("core/v1", "LimitRange", "limitranges"),
        kind_type("core/v1", "ResourceQuota", "resourcequotas"),
        kind_type(
            "core/v1",
            "Service",
            "services",
            replace_on=("spec.clusterIP", "spec.clusterIPs"),
            checks=(object_rules.service,),
            outputs={"spec": object_rules.service_spec, "status": object_rules.no_load_balancer},
        ),
        kind_type(
            "core/v1",
            "PersistentVolumeClaim",
            "persistentvolumeclaims",
            replace_on=("spec.accessModes", "spec.selector", "spec.storageClassName", "spec.volumeName"),
            checks=(object_rules.claim,),
            outputs={"spec": object_rules.claim_spec, "status": object_rules.bound},
        ),
        kind_type(
            "core/v1",
            "Pod",
            "pods",
            replace_on=("spec",),
            checks=(pod_rules.judge, object_rules.pod_security),
            started=controllers.run_pod,
            stopped=controllers.stop,
        ),
        workload(
            kind_type(
                "apps/v1",
                "Deployment",
                "deployments",
                replace_on=(selector,),
                checks=(object_rules.selects_its_template, pod_rules.judge),
                outputs={"status": object_rules.rolled_out},
            )
        ),
        workload(
            kind_type(
                "apps/v1",
                "StatefulSet",
                "statefulsets",
                replace_on=(selector, "spec.serviceName", "spec.podManagementPolicy", "spec.volumeClaimTemplates"),
                checks=(object_rules.selects_its_template, pod_rules.judge),
                outputs={"status": object_rules.rolled_out},
            )
        ),
        workload(
            kind_type(
                "apps/v1",
                "DaemonSet",
                "daemonsets",
                replace_on=(selector,),
                checks=(object_rules.selects_its_template, pod_rules.judge),
            )
        ),
        workload(
            kind_type("batch/v1", "Job", "jobs", replace_on=(selector, "spec.template"), checks=(pod_rules.judge,))
        ),
        kind_type("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies", checks=(object_rules.network_policy,)),
        kind_type(
            "node.k8s.io/v1",
            "RuntimeClass",
            "runtimeclasses",
            namespaced=False,
            replace_on=("handler",),
            checks=(object_rules.handler,),
        ),
        kind_type("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets", checks=(object_rules.disruption_budget,)),
        kind_type(_RBAC, "Role", "roles"),
        kind_type(_RBAC, "RoleBinding", "rolebindings", replace_on=("roleRef",), checks=(object_rules.role_reference,)),
        kind_type(_RBAC, "ClusterRole", "clusterroles", namespaced=False),
        kind_type(
            _RBAC,
            "ClusterRoleBinding",
            "clusterrolebindings",
            namespaced=False,
            replace_on=("roleRef",),
            checks=(object_rules.role_reference,),
        ),
        kind_type(
            _ADMISSION,
            "ValidatingAdmissionPolicy",
            "validatingadmissionpolicies",
            namespaced=False,
            checks=(admission.require_sound,),
        ),
        kind_type(
            _ADMISSION, "ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings", namespaced=False
        ),
        kind_type(
            "storage.k8s.io/v1",
            "StorageClass",
            "storageclasses",
            namespaced=False,
            replace_on=("provisioner", "parameters", "reclaimPolicy", "volumeBindingMode"),
        ),
        kind_type("scheduling.k8s.io/v1", "PriorityClass", "priorityclasses", namespaced=False, replace_on=("value",)),
    )
