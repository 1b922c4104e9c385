"""What goes on holding after the deployment, whoever deploys next."""

from dataclasses import dataclass

import pulumi
from pulumi_aws import organizations

import catalog
from components.aws.placement import Placement
from components.aws.policies import Statement, document
from components.component import Component, ComponentArgs

TYPE = "bailiwick:index:AwsResidencyGuard"
_GLOBAL_SERVICES = ("iam:*", "organizations:*", "route53:*", "sts:*", "support:*", "health:*", "account:*")
"""Actions that AWS serves in one region of the partition, whatever region the resources are for."""


@dataclass(frozen=True, slots=True)
class ResidencyGuardArgs(ComponentArgs):
    """Inputs of `ResidencyGuard`."""

    placement: Placement
    """Account that is guarded, and the region in which its resources may be."""
    target_id: str | None = None
    """Account or organizational unit on which the policies hold; None takes the placement's account."""
    plain_machines_allowed: bool = False
    """Weakness: let machines without SEV-SNP into the account."""


class ResidencyGuard(Component):
    """`bailiwick:index:AwsResidencyGuard`: service control policies on the region's account.

    Creates two policies and attaches them: `residency` denies every request to another region, Internet gateways,
    public addresses, replication and sharing of images, snapshots and keys with others; `confidential` denies machines
    without SEV-SNP and changes to the audit trail.

    Guarantees: what the policies forbid fails in AWS itself, for every tool and every person in the account, its root
    included, also after this deployment.

    Does not: bind the organization's management account, or touch what exists already. SEV-SNP can be demanded where
    AWS documents the condition key (us-east-2 and eu-west-1); elsewhere that statement is left out. Deploying it takes
    the rights of the management account or of a delegated administrator.
    """

    policies: list[str]
    """Names of the policies that hold."""

    def __init__(self, name: str, args: ResidencyGuardArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        placement = args.placement
        documents = {
            "residency": residency_statements(placement),
            "confidential": confidential_statements(args),
        }
        super().__init__(TYPE, name, args, opts)
        self.policies = [placement.name("service control policy", label) for label in documents]
        child = pulumi.ResourceOptions(parent=self)
        for (label, statements), policy_name in zip(documents.items(), self.policies, strict=True):
            policy = organizations.Policy(
                f"{name}-{label}",
                name=policy_name,
                type="SERVICE_CONTROL_POLICY",
                description=f"{label} of {placement.stack}",
                content=document(statements),
                tags=placement.tag_mapping,
                opts=child,
            )
            organizations.PolicyAttachment(
                f"{name}-{label}-attachment",
                policy_id=policy.id,
                target_id=args.target_id or placement.account_id,
                opts=child,
            )
        self.register_outputs({"policies": self.policies})


def residency_statements(placement: Placement) -> list[Statement]:
    """Nothing in another region, no way in or out, nothing shared with other accounts."""
    region_key = catalog.load().guardrail(placement.cloud, "requested-region").definition
    return [
        {
            "Sid": "OneRegion",
            "Effect": "Deny",
            "NotAction": list(_GLOBAL_SERVICES),
            "Resource": "*",
            "Condition": {"StringNotEquals": {region_key: placement.location}},
        },
        {
            "Sid": "NoInternet",
            "Effect": "Deny",
            "Action": [
                "ec2:AttachInternetGateway",
                "ec2:CreateInternetGateway",
                "ec2:CreateNatGateway",
                "ec2:CreateVpcPeeringConnection",
                "ec2:CreateTransitGateway*",
                "ec2:CreateVpnConnection",
                "ec2:AllocateAddress",
            ],
            "Resource": "*",
        },
        {
            "Sid": "NothingLeaves",
            "Effect": "Deny",
            "Action": [
                "ec2:ModifyImageAttribute",
                "ec2:ModifySnapshotAttribute",
                "kms:ReplicateKey",
                "ram:CreateResourceShare",
                "s3:PutReplicationConfiguration",
            ],
            "Resource": "*",
        },
    ]


def confidential_statements(args: ResidencyGuardArgs) -> list[Statement]:
    """No machine without SEV-SNP, and an audit trail that nobody switches off."""
    placement = args.placement
    statements: list[Statement] = [
        {
            "Sid": "TrailStays",
            "Effect": "Deny",
            "Action": ["cloudtrail:DeleteTrail", "cloudtrail:StopLogging", "s3:BypassGovernanceRetention"],
            "Resource": "*",
        }
    ]
    if not args.plain_machines_allowed and snp_can_be_demanded(placement):
        snp_key = catalog.load().guardrail(placement.cloud, "amd-sev-snp").definition
        statements.append(
            {
                "Sid": "OnlySevSnp",
                "Effect": "Deny",
                "Action": "ec2:RunInstances",
                "Resource": f"arn:{placement.partition}:ec2:*:*:instance/*",
                "Condition": {"StringNotEquals": {snp_key: "enabled"}},
            }
        )
    return statements


def snp_can_be_demanded(placement: Placement) -> bool:
    """Whether the region has SEV-SNP on shared hosts: AWS documents the condition key for those regions only."""
    machines = catalog.load().machine_types(placement.cloud, region=placement.location, tee="snp", tenancy="shared")
    return bool(machines)
