"""Pods, which are machines of their own where a runtime class puts each into a confidential guest."""

from collections.abc import Iterator

from policies.subject import Property, Resource
from policies.terms import Machine, Matching, OneOf, Reference, Setting, Unwanted

_TEMPLATED = frozenset(
    {
        "kubernetes:apps:Deployment",
        "kubernetes:apps:StatefulSet",
        "kubernetes:apps:DaemonSet",
        "kubernetes:apps:ReplicaSet",
        "kubernetes:batch:Job",
    }
)
_POD = "kubernetes:core:Pod"
_CRON_JOB = "kubernetes:batch:CronJob"
_RUNTIME_CLASS = "kubernetes:node.k8s.io:RuntimeClass"
_PUBLIC_DATA = "CollateralCache$"
"""In the type of a URN: vendors' certificates and lists, which are public and signed, need no confidential guest."""

_HANDLERS = ("kata-qemu-snp", "kata-qemu-tdx", "kata-snp", "kata-tdx", "kata-cc", "kata-qemu-nvidia-gpu-snp")
_INSTANCE_TYPE = "node.kubernetes.io/instance-type"
_SHARED_WITH_THE_NODE = ("hostNetwork", "hostPID", "hostIPC")
_DIGEST = Matching(r"[^@\s]+@sha256:[0-9a-f]{64}", "an image by digest (…@sha256:…)")


def _pod(resource: Resource) -> Property | None:
    """The specification of the pods that `resource` makes, None if it makes none or serves public data."""
    if _PUBLIC_DATA in resource.urn:
        return None
    if resource.type == _POD:
        return resource.props.at("spec")
    if resource.type in _TEMPLATED:
        return resource.props.at("spec", "template", "spec")
    if resource.type == _CRON_JOB:
        return resource.props.at("spec", "jobTemplate", "spec", "template", "spec")
    return None


def _containers(pod: Property) -> tuple[Property, ...]:
    return (*pod.at("containers").items(), *pod.at("initContainers").items())


def machine(resource: Resource) -> Machine | None:
    """`resource` as machines: its pods. What they are told at boot is measured, and judged where it is written."""
    pod = _pod(resource)
    if pod is None:
        return None
    images = [container.at("image") for container in _containers(pod)]
    moving = [image for image in images if image.unknown or not _DIGEST.holds(image.value)]
    return Machine(
        confidential=None,
        secure_boot=None,
        virtual_tpm=None,
        disk_binding=None,
        disk_key=None,
        guest_configurations=(),
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
    """What lets somebody into a pod, or the pod into its node."""
    pod = _pod(resource)
    if pod is None:
        return
    for key in _SHARED_WITH_THE_NODE:
        yield Setting(pod.at(key), OneOf((False,)), unless_stated=True)
    yield Unwanted(pod.at("ephemeralContainers"), "a container that joins a running pod")
    for container in _containers(pod):
        context = container.at("securityContext")
        yield Setting(context.at("privileged"), OneOf((False,)), unless_stated=True)
        yield Setting(context.at("allowPrivilegeEscalation"), OneOf((False,)))
        yield Setting(container.at("stdin"), OneOf((False,)), unless_stated=True)
        yield Setting(container.at("tty"), OneOf((False,)), unless_stated=True)
