"""A Kubernetes cluster whose nodes are confidential machines and whose control plane is private."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
from pulumi_aws import eks, iam

from components.aws.confidential_vm_group import snp_template
from components.aws.machine_settings import check_machine_type
from components.aws.placement import Placement
from components.aws.policies import document
from components.component import Component, ComponentArgs
from components.errors import InputError

TYPE = "bailiwick:index:AwsConfidentialCluster"
_NODE_POLICIES = ("AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryReadOnly", "AmazonEKS_CNI_Policy")
_NODE_IMAGE = "AL2023_x86_64_STANDARD"
"""AWS's own image for nodes, of Amazon Linux 2023, which can run as an SEV-SNP guest."""
_RELEASE = re.compile(r"(\d+\.\d+)\.\d+-\d{8}")
"""`k8s_major.k8s_minor.k8s_patch-release_date` (EKS user guide, Amazon Linux AMI versions); its first two numbers are
the version of the cluster."""
_LOGS = ("api", "audit", "authenticator", "controllerManager", "scheduler")


@dataclass(frozen=True, slots=True)
class ConfidentialClusterArgs(ComponentArgs):
    """Inputs of `ConfidentialCluster`."""

    placement: Placement
    """Where the cluster is."""
    role: str
    """What the cluster is, such as `serving`; part of its name."""
    size: str
    """Instance type of the nodes; it must have the TEE in this location."""
    tee: str
    """Trusted execution environment of the nodes; `snp`."""
    nodes: int
    """Number of nodes, 1 or more."""
    release: str
    """Release of AWS's image for nodes, such as `1.35.7-20260903`; the cluster is of that version of Kubernetes."""
    subnet_ids: Mapping[str, pulumi.Input[str]] = field(repr=False)
    """Subnets of the cluster by availability zone, two zones at least."""
    group_id: pulumi.Input[str]
    """Security group of the nodes and of the control plane's interfaces."""
    disk_key_id: pulumi.Input[str]
    """ARN of the key under which the nodes' disks are encrypted."""
    secrets_key_id: pulumi.Input[str]
    """ARN of the key under which Kubernetes secrets are encrypted."""


class ConfidentialCluster(Component):
    """`bailiwick:index:AwsConfidentialCluster`: an EKS cluster whose nodes are AMD SEV-SNP machines.

    Creates the cluster with the role of its control plane, a launch template with SEV-SNP, and one managed node group
    of it with the nodes' role.

    Guarantees: the control plane has a private endpoint only; every node of the group is an SEV-SNP machine, and boots
    the release of AWS's image that is named; secrets in etcd and node disks are under the region's keys; access is by
    EKS access entries, and who creates the cluster gets none.

    Does not: isolate pods from the node they run on, or measure containers: the node is the confidential unit. AWS
    runs the control plane outside any TEE, and documents confidential nodes nowhere: try the size before relying on it.
    Another node group without SEV-SNP can be added; `ResidencyGuard` forbids its machines.
    """

    id: pulumi.Output[str]
    """Name of the cluster, which is its id."""
    cluster_name: str
    """Name of the cluster."""
    endpoint: pulumi.Output[str]
    """URL of the control plane, on private addresses."""

    def __init__(self, name: str, args: ConfidentialClusterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        check_machine_type(TYPE, args.placement, args.size, args.tee)
        if args.nodes < 1:
            raise InputError(TYPE, "nodes", f"{args.nodes} nodes run nothing", "1")
        if len(args.subnet_ids) < 2:
            raise InputError(TYPE, "subnet_ids", "EKS needs subnets in two availability zones", "one in each zone")
        version = _version(args.release)
        placement = args.placement
        self.cluster_name = placement.name("cluster", args.role)
        super().__init__(TYPE, name, args, opts)
        self._stem = name
        self._args = args
        child = pulumi.ResourceOptions(parent=self)
        control = self._role("control", "eks.amazonaws.com", ("AmazonEKSClusterPolicy",))
        nodes = self._role("nodes", "ec2.amazonaws.com", _NODE_POLICIES)
        cluster = eks.Cluster(
            f"{name}-cluster",
            name=self.cluster_name,
            region=placement.location,
            version=version,
            role_arn=control,
            vpc_config=eks.ClusterVpcConfigArgs(
                subnet_ids=list(args.subnet_ids.values()),
                security_group_ids=[args.group_id],
                endpoint_private_access=True,
                endpoint_public_access=False,
            ),
            access_config=eks.ClusterAccessConfigArgs(
                authentication_mode="API", bootstrap_cluster_creator_admin_permissions=False
            ),
            encryption_config=eks.ClusterEncryptionConfigArgs(
                provider=eks.ClusterEncryptionConfigProviderArgs(key_arn=args.secrets_key_id), resources=["secrets"]
            ),
            enabled_cluster_log_types=list(_LOGS),
            tags=placement.tag_mapping,
            opts=child,
        )
        template = snp_template(
            f"{name}-template",
            placement=placement,
            role=args.role,
            size=args.size,
            group_id=args.group_id,
            disk_key_id=args.disk_key_id,
            opts=child,
        )
        eks.NodeGroup(
            f"{name}-nodes",
            cluster_name=cluster.name,
            node_group_name=placement.name("node group", args.role),
            region=placement.location,
            node_role_arn=nodes,
            subnet_ids=list(args.subnet_ids.values()),
            scaling_config=eks.NodeGroupScalingConfigArgs(
                min_size=args.nodes, max_size=args.nodes, desired_size=args.nodes
            ),
            version=version,
            ami_type=_NODE_IMAGE,
            release_version=args.release,
            launch_template=eks.NodeGroupLaunchTemplateArgs(id=template.id, version=template.latest_version.apply(str)),
            tags=placement.tag_mapping,
            opts=child,
        )
        self.id = cluster.id
        self.endpoint = cluster.endpoint
        self.register_outputs({"id": self.id, "clusterName": self.cluster_name, "endpoint": self.endpoint})

    def _role(self, label: str, service: str, policies: tuple[str, ...]) -> pulumi.Output[str]:
        """A role of the cluster with AWS's own policies for it; its ARN, available when they are attached."""
        placement = self._args.placement
        child = pulumi.ResourceOptions(parent=self)
        role = iam.Role(
            f"{self._stem}-{label}-role",
            name=placement.name("role", self._args.role, label),
            assume_role_policy=document(
                [{"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}]
            ),
            tags=placement.tag_mapping,
            opts=child,
        )
        attached = [
            iam.RolePolicyAttachment(
                f"{self._stem}-{label}-role-{policy}",
                role=role.name,
                policy_arn=f"arn:{placement.partition}:iam::aws:policy/{policy}",
                opts=child,
            ).id
            for policy in policies
        ]
        return pulumi.Output.all(role.arn, *attached).apply(lambda values: str(values[0]))


def _version(release: str) -> str:
    """The version of Kubernetes that a release of the nodes' image is for; raises `InputError`."""
    match = _RELEASE.fullmatch(release)
    if match is None:
        known = "a release of amazon-eks-ami, such as 1.35.7-20260903"
        raise InputError(TYPE, "release", f"{release!r} names no release of the nodes' image", known)
    return match.group(1)
