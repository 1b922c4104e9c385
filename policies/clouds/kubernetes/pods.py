"""Pods, which are machines of their own where a runtime class puts each into a confidential guest."""

from collections.abc import Iterator

from policies.clouds.kubernetes.access import ways_into_pods
from policies.conditions import Matching, OneOf
from policies.subject import Property, Resource
from policies.terms import Machine, Reference, Setting, Unwanted

_TEMPLATED = frozenset(
    {
        "kubernetes:apps:Deployment",
        "kubernetes:apps:StatefulSet",
        "kubernetes:apps:DaemonSet",
        "kubernetes:apps:ReplicaSet",
        "kubernetes:batch:Job",
        "kubernetes:core:ReplicationController",
    }
)
_POD = "kubernetes:core:Pod"
_POD_TEMPLATE = "kubernetes:core:PodTemplate"
INFERENCE = "kubernetes:serving.kserve.io:InferenceService"
_STEPS = ("predictor", "transformer", "explainer")
_CRON_JOB = "kubernetes:batch:CronJob"
_RUNTIME_CLASS = "kubernetes:node.k8s.io:RuntimeClass"
_PUBLIC_DATA = "bailiwick:index:KubernetesCollateralCache$"
"""In the type of a URN: vendors' certificates and lists, which are public and signed, need no confidential guest."""

_HANDLERS = ("kata-qemu-snp", "kata-qemu-tdx", "kata-snp", "kata-tdx", "kata-cc", "kata-qemu-nvidia-gpu-snp")
_INSTANCE_TYPE = "node.kubernetes.io/instance-type"
_CONTENT_VARIABLES = ("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "VLLM_DEBUG_LOG_API_SERVER_RESPONSE")
_NO_CONTENT = Matching(
    r"(?s)(?!--(enable-log-requests|enable-log-outputs|log-requests)\b).*", "no argument that has requests logged"
)
_NO = OneOf(("false", "0", "no"))
_SHARED_WITH_THE_NODE = ("hostNetwork", "hostPID", "hostIPC")
_DIGEST = Matching(r"[^@\s]+@sha256:[0-9a-f]{64}", "an image by digest (…@sha256:…)")


def pod_template_of(resource: Resource) -> Property | None:
    """What the pods are like that `resource` makes, None if it makes none or serves public data."""
    if _PUBLIC_DATA in resource.urn:
        return None
    if resource.type == _POD:
        return resource.props
    if resource.type == _POD_TEMPLATE:
        return resource.props.at("template")
    if resource.type in _TEMPLATED:
        return resource.props.at("spec", "template")
    if resource.type == _CRON_JOB:
        return resource.props.at("spec", "jobTemplate", "spec", "template")
    return resource.props if resource.type == INFERENCE else None


def pods_of(resource: Resource) -> tuple[Property, ...]:
    """The specifications of these pods: one, but for those of a model that KServe serves in several steps."""
    if resource.type == INFERENCE:
        steps = (resource.props.at("spec", step) for step in _STEPS)
        return tuple(step for step in steps if step.stated)
    template = pod_template_of(resource)
    return (template.at("spec"),) if template else ()


def _containers(pod: Property) -> tuple[Property, ...]:
    """With what KServe puts around a model, where it is told which image that is."""
    server = (pod.at("model"),) if pod.at("model").stated else ()
    return (*pod.at("containers").items(), *pod.at("initContainers").items(), *server)


def containers_of(resource: Resource) -> tuple[Property, ...]:
    """The containers that `resource` starts."""
    return tuple(container for pod in pods_of(resource) for container in _containers(pod))


def machine(resource: Resource) -> Machine | None:
    """`resource` as machines: its pods, of several kinds one that has no runtime. What they are told at boot is
    measured, and judged where it is written."""
    pods = pods_of(resource)
    if not pods:
        return None
    pod = next((one for one in pods[1:] if not one.at("runtimeClassName").stated), pods[0])
    images = [container.at("image") for container in containers_of(resource)]
    moving = [image for image in images if image.unknown or not _DIGEST.holds(image.value)]
    return Machine(
        confidential=None,
        size=pod.at("nodeSelector", _INSTANCE_TYPE),
        image=Setting((moving or images or [pod.at("containers")])[0], _DIGEST),
        runtime=Reference(pod.at("runtimeClassName"), "spec"),
    )


def runtime(resource: Resource) -> Setting | None:
    """That `resource`, a runtime class, puts pods into confidential guests."""
    if resource.type != _RUNTIME_CLASS:
        return None
    return Setting(resource.props.at("handler"), OneOf(_HANDLERS), ("runc", "kata", "kata-qemu", "runsc"))


def side_doors(resource: Resource) -> Iterator[Setting | Unwanted]:
    """What lets somebody into a pod, or the pod into its node or the control plane."""
    yield from ways_into_pods(resource)
    for pod in pods_of(resource):
        yield from _side_doors_of(pod)


def _side_doors_of(pod: Property) -> Iterator[Setting | Unwanted]:
    for key in _SHARED_WITH_THE_NODE:
        yield Setting(pod.at(key), OneOf((False,)), unless_stated=True)
    yield Setting(pod.at("automountServiceAccountToken"), OneOf((False,)), switch=True)
    yield Unwanted(pod.at("ephemeralContainers"), "a container that joins a running pod")
    for volume in pod.at("volumes").items():
        yield Unwanted(volume.at("hostPath"), "a way to the node's files")
    for container in _containers(pod):
        context = container.at("securityContext")
        yield Setting(context.at("privileged"), OneOf((False,)), unless_stated=True, switch=True)
        yield Setting(context.at("allowPrivilegeEscalation"), OneOf((False,)), switch=True)
        yield Unwanted(context.at("capabilities", "add"), "a privilege over the guest's kernel")
        yield Setting(container.at("stdin"), OneOf((False,)), unless_stated=True)
        yield Setting(container.at("tty"), OneOf((False,)), unless_stated=True)


def container_images(resource: Resource) -> tuple[Property, ...]:
    """The images that `resource` starts, and those that its pods mount."""
    mounted = (
        volume.at("image", "reference")
        for pod in pods_of(resource)
        for volume in pod.at("volumes").items()
        if volume.at("image").stated
    )
    return (*(one.at("image") for one in containers_of(resource)), *mounted)


def host_ports(resource: Resource) -> Iterator[Unwanted]:
    """The ports of the node under which a pod is reached."""
    for container in containers_of(resource):
        for port in container.at("ports").items():
            yield Unwanted(port.at("hostPort"), "a port of the node")


def content_logs(resource: Resource) -> Iterator[Setting | Unwanted]:
    """What would have a model's server write requests and answers down, by OpenTelemetry's convention for it, and keys
    in the environment, which programs write down when they fail."""
    for container in containers_of(resource):
        variables = container.at("env").items()
        secrets = (
            *(source.at("secretRef") for source in container.at("envFrom").items()),
            *(variable.at("valueFrom", "secretKeyRef") for variable in variables),
        )
        yield from (Unwanted(one, "a key that dumps and logs of the environment show") for one in secrets if one.stated)
        for variable in variables:
            if variable.at("name").text in _CONTENT_VARIABLES:
                yield Setting(variable.at("value"), _NO)
        for argument in container.at("args").items():
            yield Setting(argument, _NO_CONTENT)
