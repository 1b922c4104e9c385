"""A virtual machine whose memory its operator cannot read, as a pod."""

from dataclasses import dataclass

import pulumi
from pulumi_kubernetes import apps, meta

from components.component import Component
from components.errors import InputError
from components.kubernetes.machine_settings import Extras, MachineSettings, pod_template, selector

TYPE = "bailiwick:index:KubernetesConfidentialVm"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfidentialVmArgs(MachineSettings):
    """Inputs of `ConfidentialVm`: those of `MachineSettings`, and the zone."""

    zone: str | None = None
    """Zone of the site, as its nodes' label `topology.kubernetes.io/zone` has it; None lets the scheduler choose."""


class ConfidentialVm(Component):
    """`bailiwick:index:KubernetesConfidentialVm`: one pod in an AMD SEV-SNP or Intel TDX guest of its own.

    Creates a Deployment of one pod, whose runtime class starts a confidential virtual machine for it on a node of the
    site; with its init data the guest is told whom to prove itself to, and its agent which images it may run.

    Guarantees: memory is encrypted by the CPU; the guest pulls its container image itself, by digest; the Kata agent
    refuses exec, attach and files from the host; no service account token is mounted; the pod fits the `restricted`
    level of Pod Security; it runs on nodes of the site only.

    Does not: make the node confidential. The node, its kubelet and the control plane stay with whoever runs them: they
    decide whether the pod runs, and see its spec, its traffic's ends and its volumes. What must stay secret is
    encrypted before it leaves the guest. The container image is bound by the init data, which is in the evidence
    (HOST_DATA, MRCONFIGID); a verifier that compares the guest's launch measurement only does not see it.
    """

    id: pulumi.Output[str]
    """Id of the Deployment: namespace and name."""
    machine_name: str
    """Name of the Deployment."""

    def __init__(self, name: str, args: ConfidentialVmArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args.check(TYPE)
        self.machine_name = args.role
        super().__init__(TYPE, name, args, opts)
        self.id = deployment(self, name, TYPE, args, replicas=1, zone=args.zone).id
        self.register_outputs({"id": self.id, "machineName": self.machine_name})


def deployment(
    parent: pulumi.Resource,
    name: str,
    component: str,
    settings: MachineSettings,
    *,
    replicas: int,
    zone: str | None = None,
    extras: Extras | None = None,
) -> "apps.v1.Deployment":
    """The Deployment of `replicas` confidential pods, as child `<name>-vm` of `parent`."""
    if replicas < 1:
        raise InputError(component, "replicas", f"{replicas} machines do nothing", "1")
    return apps.v1.Deployment(
        f"{name}-vm",
        metadata=settings.placement.metadata(settings.role, settings.segment),
        spec=apps.v1.DeploymentSpecArgs(
            replicas=replicas,
            revision_history_limit=2,
            selector=meta.v1.LabelSelectorArgs(match_labels=selector(settings.role)),
            template=pod_template(component, settings, zone=zone, extras=extras),
        ),
        opts=pulumi.ResourceOptions(parent=parent),
    )
