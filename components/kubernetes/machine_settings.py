"""What every confidential machine of a cluster has in common, alone or in a group: checked once, stated once.

A confidential machine here is a pod in a guest of its own: Kata starts a virtual machine for it, with the memory of a
TEE, on a node that has one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi
from pulumi_kubernetes import core, meta

import catalog
from components.addresses import Segment
from components.component import ComponentArgs
from components.errors import InputError
from components.kubernetes import init_data
from components.kubernetes.names import kubernetes_name
from components.kubernetes.placement import CLOUD, REGION_LABEL, SIZE_LABEL, ZONE_LABEL, Placement

GUEST_IMAGE = "io.katacontainers.config.hypervisor.image"
TEES: Mapping[str, str] = {"snp": "AMD SEV-SNP", "tdx": "Intel TDX"}
ROLE_LABEL = "bailiwick.dev/role"
_USER = 10_001


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineSettings(ComponentArgs):
    """Inputs that a machine and a group of machines share."""

    placement: Placement
    """Where the machine is."""
    role: str
    """What the machine is, such as `inference`; its name."""
    size: str
    """Machine type of the node, as the site's facts and the node's label `node.kubernetes.io/instance-type` name it."""
    tee: str
    """Trusted execution environment: `snp` or `tdx`."""
    image_name: str
    """Guest image that the node has: the measured operating system of the pod's virtual machine."""
    image_version: str
    """Its exact version."""
    guest_images: str
    """Folder on the node with the guest images."""
    container_image: str
    """Container image that runs in the guest, pinned by digest; the guest pulls it, not the node."""
    guest_configuration: Mapping[str, Any] = field(repr=False)
    """What the guest is told at boot, in its init data. The operator can read it: no secrets."""
    runtime_class: pulumi.Input[str]
    """Runtime class for the TEE, from `RuntimeClasses`."""
    identity_id: pulumi.Input[str]
    """Name of the guest's service account."""
    segment: Segment = Segment.WORKLOAD
    """Segment of the network, which is a namespace."""
    gpu: str = "none"
    """GPU in confidential-computing mode; `none`."""
    vcpu: int = 4
    """Virtual processors of the guest."""
    memory_gib: int = 8
    """Memory of the guest, GiB."""

    def check(self, component: str) -> None:
        """Hold the settings against the site's facts; raises `InputError` in the name of `component`."""
        kubernetes_name("workload", self.role)
        if self.tee not in TEES:
            raise InputError(component, "tee", f"{self.tee!r} is not a TEE that Kata starts guests in", "snp or tdx")
        if self.gpu != "none":
            raise InputError(component, "gpu", f"{self.gpu!r} is not built on Kubernetes yet", "none")
        if "@sha256:" not in self.container_image:
            problem = f"{self.container_image} can become another image"
            raise InputError(component, "container_image", problem, f"{self.container_image}@sha256:<digest>")
        self._check_size(component)

    def _check_size(self, component: str) -> None:
        facts = catalog.load()
        location = self.placement.location
        tee: catalog.Tee = "snp" if self.tee == "snp" else "tdx"
        try:
            machine = facts.machine_type(CLOUD, self.size)
        except catalog.UnknownFact as error:
            raise InputError(component, "size", str(error.message).split(";")[0], error.nearest) from error
        nearest = facts.nearest_machine_type(machine, region=location, tee=tee)
        offer = nearest.size if nearest else None
        if machine.tee != tee:
            raise InputError(component, "size", f"{self.size} has no {TEES[self.tee]}", offer)
        if location not in machine.regions:
            raise InputError(component, "size", f"{location} has no {self.size}", offer)
        if self.vcpu > machine.vcpu or self.memory_gib > machine.memory_gib:
            raise InputError(
                component,
                "vcpu",
                f"{self.vcpu} vCPU with {self.memory_gib} GiB is more than a {self.size} has",
                f"{machine.vcpu} vCPU with {machine.memory_gib:g} GiB",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Extras:
    """What one kind of machine has besides: how its container is called, and what it is given."""

    command: Sequence[str] = ()
    ports: Mapping[str, int] = field(default_factory=dict)
    health_path: str | None = None
    volumes: "Sequence[core.v1.VolumeArgs]" = ()
    mounts: "Sequence[core.v1.VolumeMountArgs]" = ()
    devices: Sequence[str] = ()
    """Extended resources, one of each."""


def selector(role: str) -> dict[str, str]:
    """Labels by which the pods of one machine are found."""
    return {ROLE_LABEL: role}


def pod_template(
    component: str, settings: MachineSettings, *, zone: str | None = None, extras: Extras | None = None
) -> "core.v1.PodTemplateSpecArgs":
    """The pod: one container in a guest of its own, on a node of the site that has the TEE."""
    place, more = settings.placement, extras or Extras()
    guest_image = f"{settings.guest_images}/{settings.image_name}-{settings.image_version}.img"
    told = init_data.encode(component, settings.guest_configuration, [settings.container_image])
    nodes = {REGION_LABEL: place.location, SIZE_LABEL: settings.size} | ({ZONE_LABEL: zone} if zone else {})
    return core.v1.PodTemplateSpecArgs(
        metadata=meta.v1.ObjectMetaArgs(
            labels={**place.labels, **selector(settings.role)},
            annotations={GUEST_IMAGE: guest_image, init_data.ANNOTATION: told},
        ),
        spec=core.v1.PodSpecArgs(
            runtime_class_name=settings.runtime_class,
            service_account_name=settings.identity_id,
            automount_service_account_token=False,
            enable_service_links=False,
            node_selector=nodes,
            topology_spread_constraints=[
                core.v1.TopologySpreadConstraintArgs(
                    max_skew=1,
                    topology_key=ZONE_LABEL,
                    when_unsatisfiable="ScheduleAnyway",
                    label_selector=meta.v1.LabelSelectorArgs(match_labels=selector(settings.role)),
                )
            ],
            security_context=core.v1.PodSecurityContextArgs(
                run_as_non_root=True,
                run_as_user=_USER,
                run_as_group=_USER,
                fs_group=_USER,
                seccomp_profile=core.v1.SeccompProfileArgs(type="RuntimeDefault"),
            ),
            containers=[_container(settings, more)],
            volumes=list(more.volumes) or None,
        ),
    )


def _container(settings: MachineSettings, more: Extras) -> "core.v1.ContainerArgs":
    resources = {"cpu": str(settings.vcpu), "memory": f"{settings.memory_gib}Gi", **dict.fromkeys(more.devices, "1")}
    return core.v1.ContainerArgs(
        name="main",
        image=settings.container_image,
        image_pull_policy="Always",
        command=list(more.command) or None,
        ports=[core.v1.ContainerPortArgs(name=name, container_port=port) for name, port in more.ports.items()] or None,
        resources=core.v1.ResourceRequirementsArgs(requests=resources, limits=resources),
        readiness_probe=_probe(more),
        security_context=restricted_container(),
        volume_mounts=list(more.mounts) or None,
    )


def restricted_container() -> "core.v1.SecurityContextArgs":
    """What the `restricted` level of Pod Security asks of a container, and a file system that nothing writes to."""
    return core.v1.SecurityContextArgs(
        allow_privilege_escalation=False,
        capabilities=core.v1.CapabilitiesArgs(drop=["ALL"]),
        read_only_root_filesystem=True,
        run_as_non_root=True,
    )


def _probe(more: Extras) -> "core.v1.ProbeArgs | None":
    if more.health_path is None:
        return None
    get = core.v1.HTTPGetActionArgs(path=more.health_path, port=next(iter(more.ports)))
    return core.v1.ProbeArgs(http_get=get, period_seconds=5, failure_threshold=2)
