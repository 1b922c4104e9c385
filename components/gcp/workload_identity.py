"""An identity without a secret, and the few things that it may do."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_gcp import kms, serviceaccount, storage

from components.component import Component, ComponentArgs
from components.errors import InputError
from components.gcp.names import gcp_name
from components.gcp.placement import Placement
from components.naming import digest

TYPE = "bailiwick:index:GcpWorkloadIdentity"
READ_OBJECTS = "roles/storage.objectViewer"
"""Read the objects of a bucket, and list them."""
_LONGEST_ROLE = 20


@dataclass(frozen=True, slots=True)
class Grant:
    """One role on one resource: a key or a bucket."""

    name: str
    """Stable name of the grant within its identity; part of the Pulumi name."""
    role: str
    """Role, such as `roles/cloudkms.cryptoKeyDecrypter`."""
    key_id: pulumi.Input[str] | None = None
    """Resource id of the key on which the role is needed."""
    bucket: pulumi.Input[str] | None = None
    """Name of the bucket on which the role is needed."""


@dataclass(frozen=True, slots=True)
class WorkloadIdentityArgs(ComponentArgs):
    """Inputs of `WorkloadIdentity`."""

    placement: Placement
    """Where the identity is kept."""
    role: str
    """What the holder is, such as `verifier`; part of the identity's name; 20 characters at most."""
    grants: Sequence[Grant] = ()
    """Everything that the identity may do."""


class WorkloadIdentity(Component):
    """`bailiwick:index:GcpWorkloadIdentity`: a service account with exactly the grants it is given.

    Creates the service account, and one IAM member for each grant on the one key or bucket.

    Guarantees: no key of the account exists, so that only a machine to which it is attached can act as it; each grant
    is on one resource; a grant adds a member and takes none away.

    Does not: grant anything by itself, nor on the project. An identity alone releases no model key: the verifier asks
    for evidence besides.
    """

    id: pulumi.Output[str]
    """Mail address of the service account, as machines take it."""
    principal_id: pulumi.Output[str]
    """The account as IAM names members, `serviceAccount:<mail address>`."""
    assignments: Sequence[pulumi.Resource]
    """The grants, for what must wait until they hold."""

    def __init__(self, name: str, args: WorkloadIdentityArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        _check(args)
        super().__init__(TYPE, name, args, opts)
        placement = args.placement
        account = serviceaccount.Account(
            f"{name}-account",
            account_id=gcp_name("service account", f"{args.role}-{digest(placement.project_id, placement.stack)}"),
            display_name=f"{args.role} of {placement.stack}",
            project=placement.project_id,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.id = account.email
        self.principal_id = account.member
        self.assignments = [self._assign(f"{name}-{grant.name}", grant) for grant in args.grants]
        self.register_outputs({"id": self.id, "principalId": self.principal_id})

    def _assign(self, name: str, grant: Grant) -> pulumi.Resource:
        opts = pulumi.ResourceOptions(parent=self)
        member = self.principal_id
        assignment: pulumi.Resource
        if grant.key_id is not None:
            assignment = kms.CryptoKeyIAMMember(
                name, crypto_key_id=grant.key_id, role=grant.role, member=member, opts=opts
            )
        else:
            assignment = storage.BucketIAMMember(name, bucket=grant.bucket, role=grant.role, member=member, opts=opts)
        return assignment


def _check(args: WorkloadIdentityArgs) -> None:
    if len(args.role) > _LONGEST_ROLE:
        raise InputError(TYPE, "role", f"{args.role!r} has more than {_LONGEST_ROLE} characters", args.role[:20])
    for grant in args.grants:
        if (grant.key_id is None) == (grant.bucket is None):
            raise InputError(TYPE, "grants", f"{grant.name!r} must be on one key or on one bucket")
