"""The verifier and key broker of a region, on confidential machines of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi
from pulumi_aws import lb, route53

from components.aws.confidential_vm import ConfidentialVm, ConfidentialVmArgs
from components.aws.placement import Placement
from components.component import Component, ComponentArgs
from components.errors import InputError
from components.guest_configuration import HEALTH_PATH, HOST, VERIFIER_PORT

TYPE = "bailiwick:index:AwsAttestationVerifier"


@dataclass(frozen=True, slots=True)
class AttestationVerifierArgs(ComponentArgs):
    """Inputs of `AttestationVerifier`."""

    placement: Placement
    """Where the verifier is."""
    replicas: int
    """Number of machines, 1 or more; they keep no session, so that any of them answers any request."""
    size: str
    """Instance type of each; it must have the TEE."""
    tee: str
    """Trusted execution environment of each; `snp`."""
    image_name: str
    """Guest image of the verifier."""
    image_version: str
    """Its exact version."""
    guest_configuration: Mapping[str, Any] = field(repr=False)
    """The verifier's own configuration; see `components.guest_configuration.verifier`."""
    network_id: pulumi.Input[str]
    """VPC of the machines."""
    subnet_ids: Mapping[str, pulumi.Input[str]] = field(repr=False)
    """Subnets by availability zone, of the machines and of the load balancer."""
    group_id: pulumi.Input[str]
    """Security group of the machines."""
    domain: str
    """Private DNS domain in which the verifier's name is put."""
    domain_zone: pulumi.Input[str]
    """Id of that domain's private zone."""
    disk_key_id: pulumi.Input[str]
    """ARN of the key under which the machines' OS disks are encrypted."""
    identity_id: pulumi.Input[str]
    """Instance profile whose role may unwrap with the model keys."""
    host_ids: Mapping[str, str] = field(default_factory=dict)
    """Dedicated Hosts with SNP by availability zone, for regions where shared hosts have none."""


class AttestationVerifier(Component):
    """`bailiwick:index:AwsAttestationVerifier`: verifies evidence in the region, unwraps keys for who passes.

    Creates `replicas` confidential VMs spread over the zones, an internal network load balancer with a health check,
    and the name `verifier.<domain>` for it.

    Guarantees: evidence about the region's guests is verified in the region, by code that is itself measured and that
    nobody logs in to; it has no public address; a lost zone or machine leaves the others serving.

    AWS has no verifier for SEV-SNP, so that this one is the only one in the region. It verifies reports that a VLEK
    signed (shared hosts) as well as a VCEK's (Dedicated Hosts), and beside each NitroTPM's document: what booted there
    is AWS's word, bound to the report by the guest that it describes.

    Does not: fence the verifier's role off from other machines of the account: `iam:PassRole` on it is IAM's to grant.
    """

    url: str
    """Base URL of the verifier, known before it exists. Plain HTTP: the key broker protocol encrypts every key to the
    guest's own key, which the evidence binds, and signs every result."""
    host: str
    """Its DNS name."""
    machines: Sequence[ConfidentialVm]
    """The replicas."""

    def __init__(self, name: str, args: AttestationVerifierArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        if args.replicas < 1:
            raise InputError(TYPE, "replicas", f"{args.replicas} machines verify nothing", "1")
        super().__init__(TYPE, name, args, opts)
        self._stem = name
        self._args = args
        self._child = pulumi.ResourceOptions(parent=self)
        self.host = f"{HOST}.{args.domain}"
        self.url = f"http://{self.host}:{VERIFIER_PORT}"
        target = self._load_balancer()
        self.machines = [self._machine(index, target) for index in range(args.replicas)]
        self.register_outputs({"url": self.url})

    def _machine(self, index: int, target_group: pulumi.Output[str]) -> ConfidentialVm:
        args = self._args
        zone = list(args.subnet_ids)[index % len(args.subnet_ids)]
        machine = ConfidentialVm(
            f"{self._stem}-{index}",
            ConfidentialVmArgs(
                placement=args.placement,
                role=f"{HOST}-{index}",
                size=args.size,
                tee=args.tee,
                zone=zone,
                image_name=args.image_name,
                image_version=args.image_version,
                guest_configuration=args.guest_configuration,
                subnet_id=args.subnet_ids[zone],
                group_id=args.group_id,
                disk_key_id=args.disk_key_id,
                identity_id=args.identity_id,
                host_id=args.host_ids.get(zone),
            ),
            opts=self._child,
        )
        lb.TargetGroupAttachment(
            f"{self._stem}-{index}-target",
            region=args.placement.location,
            target_group_arn=target_group,
            target_id=machine.id,
            port=VERIFIER_PORT,
            opts=self._child,
        )
        return machine

    def _load_balancer(self) -> pulumi.Output[str]:
        """The internal load balancer and its name; returns the ARN of its target group."""
        args = self._args
        placement = args.placement
        balancer = lb.LoadBalancer(
            f"{self._stem}-lb",
            name=placement.short_name("load balancer", HOST),
            region=placement.location,
            load_balancer_type="network",
            internal=True,
            subnets=list(args.subnet_ids.values()),
            enable_cross_zone_load_balancing=True,
            tags=placement.tag_mapping,
            opts=self._child,
        )
        group = lb.TargetGroup(
            f"{self._stem}-targets",
            name=placement.short_name("target group", HOST),
            region=placement.location,
            protocol="TCP",
            port=VERIFIER_PORT,
            target_type="instance",
            vpc_id=args.network_id,
            health_check=lb.TargetGroupHealthCheckArgs(
                protocol="HTTP",
                path=HEALTH_PATH,
                port=str(VERIFIER_PORT),
                interval=5,
                timeout=5,
                healthy_threshold=2,
                unhealthy_threshold=2,
            ),
            tags=placement.tag_mapping,
            opts=self._child,
        )
        lb.Listener(
            f"{self._stem}-listener",
            region=placement.location,
            load_balancer_arn=balancer.arn,
            protocol="TCP",
            port=VERIFIER_PORT,
            default_actions=[lb.ListenerDefaultActionArgs(type="forward", target_group_arn=group.arn)],
            tags=placement.tag_mapping,
            opts=self._child,
        )
        route53.Record(
            f"{self._stem}-record",
            zone_id=args.domain_zone,
            name=self.host,
            type="A",
            aliases=[
                route53.RecordAliasArgs(name=balancer.dns_name, zone_id=balancer.zone_id, evaluate_target_health=True)
            ],
            opts=self._child,
        )
        target_group: pulumi.Output[str] = group.arn
        return target_group
