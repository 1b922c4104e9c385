"""Where a region's audit trail is kept."""

from dataclasses import dataclass

import pulumi
from pulumi_kubernetes import core

from components.addresses import Segment
from components.component import Component, ComponentArgs
from components.errors import InputError
from components.kubernetes.placement import Placement, name_of
from components.kubernetes.site import AuditSite

TYPE = "bailiwick:index:KubernetesAuditLog"
LEGAL_MINIMUM_DAYS = 183
"""Six months: how long a deployer of a high-risk AI system keeps its logs (Regulation (EU) 2024/1689, 26(6))."""
VOLUME = "audit-log"
"""Name of the volume claim."""
_RETENTION = "bailiwick.dev/retention-days"
_BUCKET = "bailiwick.dev/object-lock-bucket"


@dataclass(frozen=True, slots=True)
class AuditLogArgs(ComponentArgs):
    """Inputs of `AuditLog`."""

    placement: Placement
    """Where the log is kept."""
    retention_days: int
    """How long a record is to be kept, in days; 183 or more."""
    site: AuditSite
    """The volume's storage class, and the bucket with object lock that the customer has, if any."""
    size_gib: int = 20
    """Size of the volume, GiB."""
    destroyable: bool = False
    """Weakness: let the volume be deleted with the stack."""


class AuditLog(Component):
    """`bailiwick:index:KubernetesAuditLog`: the volume of the verifier's transparency log.

    Creates a volume claim that all replicas of the verifier share. It is protected: Pulumi does not delete it, and
    leaves it where it is when the stack goes.

    Guarantees: the log is tamper-evident: each entry is in a Merkle tree whose head the HSM signs, and each receipt
    proves its place, so that a changed or a missing entry is found. Its retention is stated on the volume.

    Does not: choose the storage: the class must share a volume between nodes, and be one that Kata can hand to a guest.
    Nor does it make the log tamper-proof. Kubernetes has no write-once storage: whoever runs the cluster or its storage
    can delete the volume, and with it the proof that anything was there. A copy that nobody can delete needs a bucket
    with object lock in compliance mode at a store that the cluster's operator does not run; the customer names it
    (`site.bucket`), it is part of the jurisdiction graph, and shipping the signed heads there is the site's task.
    """

    account_name: str
    """Name of the volume claim."""
    claim: pulumi.Output[str]
    """The same name, available when the claim exists."""
    write_once: bool
    """Whether the customer named a bucket that keeps a copy nobody can delete."""

    def __init__(self, name: str, args: AuditLogArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        if args.retention_days < LEGAL_MINIMUM_DAYS:
            problem = f"{args.retention_days} is less than {LEGAL_MINIMUM_DAYS} days"
            raise InputError(TYPE, "retention_days", problem, str(LEGAL_MINIMUM_DAYS))
        super().__init__(TYPE, name, args, opts)
        self.account_name = VOLUME
        self.write_once = args.site.bucket is not None
        notes = {_RETENTION: str(args.retention_days)}
        if args.site.bucket is not None:
            notes[_BUCKET] = args.site.bucket.url
        kept = not args.destroyable
        claim = core.v1.PersistentVolumeClaim(
            f"{name}-volume",
            metadata=args.placement.metadata(VOLUME, Segment.VERIFIER, annotations=notes),
            spec=core.v1.PersistentVolumeClaimSpecArgs(
                access_modes=["ReadWriteMany"],
                storage_class_name=args.site.storage_class,
                resources=core.v1.VolumeResourceRequirementsArgs(requests={"storage": f"{args.size_gib}Gi"}),
            ),
            opts=pulumi.ResourceOptions(parent=self, protect=kept, retain_on_delete=kept),
        )
        self.claim = name_of(claim)
        self.register_outputs({"accountName": self.account_name, "writeOnce": self.write_once})
