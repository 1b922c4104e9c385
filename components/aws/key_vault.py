"""Keys that are born in an HSM, AWS's or one's own outside the cloud, and never leave it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
from pulumi_aws import kms

import catalog
from components.aws import external_keys
from components.aws.names import aws_name
from components.aws.placement import Placement
from components.aws.policies import Statement, document_output
from components.component import Component, ComponentArgs
from components.errors import InputError
from components.external_manager import require_together
from components.guest_configuration import model_key_name
from components.release import ReleasePolicy
from components.release.aws import Caller, NitroMeasurements, compile_policy
from components.spec import ExternalManagerSpec

TYPE = "bailiwick:index:AwsKeyVault"
SERVICE = "kms"
SERVICES = (SERVICE, external_keys.SERVICE)
DISK_KEY = "os-disk"
STORE_KEY = "store"
SOFT_DELETE_DAYS = range(30, 31)
"""Days for which a deleted key can be recovered: AWS allows 7 to 30, and less than 30 is too short to notice."""
ROTATION_DAYS = range(90, 731)
"""Days after which a key gets new material; AWS rotates every 90 days at the most often."""


@dataclass(frozen=True, slots=True)
class KeyVaultArgs(ComponentArgs):
    """Inputs of `KeyVault`."""

    placement: Placement
    """Where the keys are."""
    service: str
    """Key service, as the catalogue names it; `kms`, or `kms-external-key-store` with an `external_manager`."""
    soft_delete_days: int
    """For how many days a deleted key can be recovered; 30."""
    rotation_days: int
    """After how many days a key gets new material; 90 to 730."""
    model_keys: Mapping[str, ReleasePolicy] = field(repr=False)
    """Models by name, and to whom each one's KEK may be released; the KEK itself never leaves the HSM."""
    verifier_role_arn: pulumi.Input[str] | None
    """Role of the region's verifier, the only one that may unwrap with a model's KEK; None where no model has one."""
    network_id: pulumi.Input[str]
    """VPC from which the verifier asks."""
    verifier_measurements: NitroMeasurements | None = field(default=None, repr=False)
    """Measurements that KMS asks of the verifier, where it runs on Nitro attestation. None for SEV-SNP machines, whose
    reports KMS does not read."""
    external_manager: ExternalManagerSpec | None = None
    """A key manager outside AWS, inside the region's jurisdiction, in which the keys are and stay; it renews them every
    `rotation_days`, for AWS renews none of them."""
    external_credential: external_keys.XksCredential | None = field(default=None, repr=False)
    """With what AWS KMS proves itself to that manager."""
    destroyable_keys: bool = False
    """Weakness: `destroy` schedules every key for deletion, and with them everything that was ever encrypted under
    them. For emulated regions. Off, Pulumi refuses to delete a key."""


class KeyVault(Component):
    """`bailiwick:index:AwsKeyVault`: the region's keys in AWS KMS.

    Creates a KEK for each model (`alias/bailiwick/<stack>/model-<name>`: symmetric, rotated), one key for machines'
    disks (`os-disk`) and one for buckets, trail and logs (`store`), each with a policy of its own. With an
    `external_manager`, it creates an external key store through the VPC to that, and each key stands for one of the
    manager's: AWS KMS encrypts with material of its own first, and the manager after it.

    Guarantees: keys are generated in KMS's HSMs, and with an external manager there too, are single-Region, cannot be
    exported from KMS, and are in no state file; a deleted key can be recovered for `soft_delete_days`; nobody but the
    verifier's role may unwrap with a model's KEK, and only from the region's VPC: the key's own policy denies it to
    everyone else, administrators included; an external manager is inside the jurisdiction of the placement's tags.

    Does not: check SEV-SNP evidence. KMS reads attestation documents of NitroTPM and Nitro Enclaves only, so that for
    SEV-SNP guests the verifier's broker holds the conditions, and KMS holds who the broker is. Whoever may pass the
    verifier's role to a machine of the VPC can unwrap: `iam:PassRole` on it belongs to the deployment alone. It
    connects no key store: no resource does, so that a first deployment stops at the keys until somebody has
    (docs/runbooks/external-keys.md), and the next one goes on. It makes, renews and deletes no key of the manager,
    and states in the tag `key-rotation` how often that is said to renew them. AWS deletes no key store that has keys,
    not even deleted ones that wait: Pulumi forgets it. CloudHSM needs steps outside Pulumi and is refused.
    """

    uri: str
    """URL of the region's KMS."""
    model_key_ids: Mapping[str, pulumi.Output[str]]
    """ARN of each model's KEK, available when its alias is there."""
    disk_key_id: pulumi.Output[str]
    """ARN of the disk key."""
    store_key_id: pulumi.Output[str]
    """ARN of the key of buckets, trail and logs."""

    def __init__(self, name: str, args: KeyVaultArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        released = _released(args)
        _check(args, [DISK_KEY, STORE_KEY, *map(model_key_name, released)])
        self.uri = self.uri_in(args.placement)
        super().__init__(TYPE, name, args, opts)
        self._stem = name
        self._args = args
        self._store_id = self._key_store()
        self.model_key_ids = {
            model: self._key(model_key_name(model), statements) for model, statements in released.items()
        }
        self.disk_key_id = self._key(DISK_KEY, [_through(args.placement, "ec2")])
        self.store_key_id = self._key(STORE_KEY, [_through(args.placement, "s3"), *_log_services(args.placement)])
        self.register_outputs(
            {
                "uri": self.uri,
                "modelKeyIds": self.model_key_ids,
                "diskKeyId": self.disk_key_id,
                # A policy is one text, unknown until its role exists; policies judge its parts before that.
                "releaseDocuments": {
                    model: {"Statement": [_administer(args.placement), *statements]}
                    for model, statements in released.items()
                },
            }
        )

    @staticmethod
    def uri_in(placement: Placement) -> str:
        """URL of KMS in the placement's region."""
        return placement.endpoint(SERVICE)

    def _key_store(self) -> pulumi.Output[str] | None:
        """The key store of the manager outside AWS, where there is one."""
        args = self._args
        if args.external_manager is None or args.external_credential is None:
            return None
        kept = pulumi.ResourceOptions(parent=self, protect=not args.destroyable_keys, retain_on_delete=True)
        id_: pulumi.Output[str] = external_keys.key_store(
            f"{self._stem}-external", args.placement, args.external_manager, args.external_credential, kept
        ).id
        return id_

    def _key(self, key_name: str, statements: list[Statement]) -> pulumi.Output[str]:
        args = self._args
        placement, manager = args.placement, args.external_manager
        tags = placement.tagged(placement.name("tag", key_name))
        if manager is not None:
            tags = {**tags, external_keys.ROTATION_TAG: f"P{args.rotation_days}D"}
        key = kms.Key(
            f"{self._stem}-{key_name}",
            region=placement.location,
            description=f"{key_name} of {placement.stack}",
            key_usage="ENCRYPT_DECRYPT",
            customer_master_key_spec="SYMMETRIC_DEFAULT",
            multi_region=False,
            enable_key_rotation=manager is None,
            rotation_period_in_days=args.rotation_days if manager is None else None,
            custom_key_store_id=self._store_id,
            xks_key_id=manager.keys[key_name] if manager else None,
            deletion_window_in_days=args.soft_delete_days,
            bypass_policy_lockout_safety_check=False,
            policy=document_output([_administer(placement), *statements]),
            tags=tags,
            opts=self._kept(),
        )
        alias = kms.Alias(
            f"{self._stem}-{key_name}-alias",
            region=placement.location,
            name=key_alias(placement, key_name),
            target_key_id=key.key_id,
            opts=pulumi.ResourceOptions(parent=self),
        )
        return pulumi.Output.all(key.arn, alias.id).apply(lambda values: str(values[0]))

    def _kept(self) -> pulumi.ResourceOptions:
        kept = not self._args.destroyable_keys
        return pulumi.ResourceOptions(parent=self, protect=kept, retain_on_delete=kept)


def key_alias(placement: Placement, key_name: str) -> str:
    """Alias of a key of the region; its last part is the key's name."""
    return aws_name("key alias", f"alias/bailiwick/{placement.stack}/{key_name}")


def _released(args: KeyVaultArgs) -> dict[str, list[Statement]]:
    """By model, the statements of its KEK's policy that say who may unwrap with it."""
    if args.verifier_role_arn is None:
        if args.model_keys:
            raise InputError(TYPE, "verifier_role_arn", "is None, and no one could use a model's key", "no model_keys")
        return {}
    caller = Caller(args.verifier_role_arn, args.network_id, args.verifier_measurements)
    return {
        model: [_publish(args.placement), *compile_policy(policy, caller).document["Statement"]]
        for model, policy in args.model_keys.items()
    }


def _administer(placement: Placement) -> Statement:
    """The account may govern the key by IAM, and may not use it: use is what the other statements grant."""
    return {
        "Sid": "Administer",
        "Effect": "Allow",
        "Principal": {"AWS": placement.iam_arn("root")},
        "Action": [
            "kms:CancelKeyDeletion",
            "kms:CreateAlias",
            "kms:DeleteAlias",
            "kms:DescribeKey",
            "kms:EnableKeyRotation",
            "kms:GetKeyPolicy",
            "kms:GetKeyRotationStatus",
            "kms:ListResourceTags",
            "kms:PutKeyPolicy",
            "kms:ScheduleKeyDeletion",
            "kms:TagResource",
            "kms:UntagResource",
            "kms:UpdateAlias",
            "kms:UpdateKeyDescription",
        ],
        "Resource": "*",
    }


def _publish(placement: Placement) -> Statement:
    """A publisher wraps data keys; who that is, IAM says. Wrapping reveals nothing."""
    return {
        "Sid": "Wrap",
        "Effect": "Allow",
        "Principal": {"AWS": placement.iam_arn("root")},
        "Action": ["kms:Encrypt"],
        "Resource": "*",
    }


def _through(placement: Placement, service: str) -> Statement:
    """Principals of the account use the key through one service of the region, as it uses it for them."""
    return {
        "Sid": "ThroughService",
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": [
            "kms:CreateGrant",
            "kms:Decrypt",
            "kms:DescribeKey",
            "kms:Encrypt",
            "kms:GenerateDataKey*",
            "kms:ReEncrypt*",
        ],
        "Resource": "*",
        "Condition": {
            "StringEquals": {
                "kms:CallerAccount": placement.account_id,
                "kms:ViaService": f"{service}.{placement.location}.{placement.dns_suffix}",
            }
        },
    }


def _log_services(placement: Placement) -> list[Statement]:
    """CloudTrail and CloudWatch Logs encrypt what they write for this account, and nothing else."""
    trails = placement.arn("cloudtrail", "trail/*")
    groups = placement.arn("logs", "log-group:*")
    return [
        {
            "Sid": "Trail",
            "Effect": "Allow",
            "Principal": {"Service": "cloudtrail.amazonaws.com"},
            "Action": ["kms:DescribeKey", "kms:GenerateDataKey*"],
            "Resource": "*",
            "Condition": {"ArnLike": {"aws:SourceArn": trails}},
        },
        {
            "Sid": "Logs",
            "Effect": "Allow",
            "Principal": {"Service": f"logs.{placement.location}.{placement.dns_suffix}"},
            "Action": ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"],
            "Resource": "*",
            "Condition": {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups}},
        },
    ]


def _check(args: KeyVaultArgs, keys: list[str]) -> None:
    if args.service not in SERVICES:
        raise InputError(TYPE, "service", f"{args.service!r} is not built", SERVICE)
    service = catalog.load().service(args.placement.cloud, args.service)
    if service.offered_in(args.placement.location) is False:
        raise InputError(TYPE, "placement.location", f"{args.placement.location} has no {service.name}")
    manager = args.external_manager
    require_together(TYPE, args.service, external_keys.SERVICE, manager)
    if manager is not None:
        external_keys.check(TYPE, manager, args.external_credential, keys, args.placement.tags.jurisdiction)
    for name, value, allowed in (
        ("soft_delete_days", args.soft_delete_days, SOFT_DELETE_DAYS),
        ("rotation_days", args.rotation_days, ROTATION_DAYS),
    ):
        if value not in allowed:
            last = allowed[-1]
            nearest = str(min(max(value, allowed[0]), last))
            raise InputError(TYPE, name, f"{value} is not between {allowed[0]} and {last} days", nearest)
