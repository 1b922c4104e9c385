"""An identity without a secret, and the few things that it may do."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_aws import iam

from components.aws.placement import Placement
from components.aws.policies import document, document_output
from components.component import Component, ComponentArgs

TYPE = "bailiwick:index:AwsWorkloadIdentity"


@dataclass(frozen=True, slots=True)
class Grant:
    """Some actions on one resource."""

    name: str
    """Stable name of the grant within its identity; part of the Pulumi name."""
    actions: Sequence[str]
    """Actions, such as `s3:GetObject`."""
    resource: pulumi.Input[str]
    """ARN of the narrowest resource on which they are needed."""


@dataclass(frozen=True, slots=True)
class WorkloadIdentityArgs(ComponentArgs):
    """Inputs of `WorkloadIdentity`."""

    placement: Placement
    """Where the identity is kept."""
    role: str
    """What the holder is, such as `verifier`; part of the identity's name."""
    grants: Sequence[Grant] = ()
    """Everything that the identity may do by a policy of its own; a key's policy may name it besides."""


class WorkloadIdentity(Component):
    """`bailiwick:index:AwsWorkloadIdentity`: an IAM role that machines take, with exactly the grants it is given.

    Creates the role, the instance profile that hands it to a machine, and one inline policy for each grant.

    Guarantees: no access key exists; only EC2 in this account hands the role out; each grant is on one resource.

    Does not: grant anything by itself. An identity alone releases no model key to a guest: the verifier asks for
    evidence besides.
    """

    id: pulumi.Output[str]
    """Name of the instance profile, as machines take it."""
    principal_id: pulumi.Output[str]
    """ARN of the role, as policies name it."""
    role_name: pulumi.Output[str]
    """Name of the role, for grants that others add."""
    assignments: Sequence[pulumi.Resource]
    """The grants, for what must wait until they hold."""

    def __init__(self, name: str, args: WorkloadIdentityArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        role_name = args.placement.name("role", args.role)
        super().__init__(TYPE, name, args, opts)
        child = pulumi.ResourceOptions(parent=self)
        role = iam.Role(
            f"{name}-role",
            name=role_name,
            description=f"{args.role} of {args.placement.stack}",
            assume_role_policy=document(
                [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]
            ),
            tags=args.placement.tag_mapping,
            opts=child,
        )
        profile = iam.InstanceProfile(
            f"{name}-profile", name=role_name, role=role.name, tags=args.placement.tag_mapping, opts=child
        )
        self.id = profile.name
        self.principal_id = role.arn
        self.role_name = role.name
        self.assignments = [
            iam.RolePolicy(
                f"{name}-{grant.name}",
                name=grant.name,
                role=role.name,
                policy=document_output(
                    [{"Effect": "Allow", "Action": list(grant.actions), "Resource": grant.resource}]
                ),
                opts=child,
            )
            for grant in args.grants
        ]
        self.register_outputs({"id": self.id, "principalId": self.principal_id})
