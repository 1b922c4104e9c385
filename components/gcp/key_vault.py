"""Keys that are born in an HSM, Google's or one's own outside the cloud, and never leave it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
from pulumi_gcp import kms

import catalog
from components.component import Component, ComponentArgs
from components.errors import InputError
from components.external_manager import refuse_abroad, require_together
from components.gcp import external_keys
from components.gcp.names import gcp_name
from components.gcp.placement import Placement
from components.gcp.sovereign_network import SovereignNetwork
from components.guest_configuration import model_key_name
from components.spec import ExternalManagerSpec

TYPE = "bailiwick:index:GcpKeyVault"
SERVICE = "cloud-hsm"
SERVICES = (SERVICE, external_keys.SERVICE)
DISK_KEY = "os-disk"
UNWRAP_ROLE = "roles/cloudkms.cryptoKeyDecrypter"
"""Decrypt with a key and do nothing else."""
WRAP_ROLE = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
SOFT_DELETE_DAYS = range(30, 121)
"""Days for which a destroyed key version can be restored: Google allows 1 to 120, and less than 30 is too short to
notice."""
ROTATION_DAYS = range(7, 731)
"""Days after which a key gets a new version."""
SECONDS_PER_DAY = 86_400


@dataclass(frozen=True, slots=True)
class KeyVaultArgs(ComponentArgs):
    """Inputs of `KeyVault`."""

    placement: Placement
    """Where the key ring is."""
    service: str
    """Key service, as the catalogue names it; `cloud-hsm`, or `cloud-ekm` with an `external_manager`."""
    soft_delete_days: int
    """For how many days a destroyed key version can be restored; 30 to 120."""
    rotation_days: int
    """After how many days a key gets a new version; 7 to 730."""
    model_keys: Sequence[str]
    """Names of the models; each gets a KEK of its own, which never leaves the HSM."""
    disk_agents: Mapping[str, str]
    """Service agents that encrypt and decrypt with the disk key, by a stable label: `compute` for machines' disks,
    `container` for clusters' secrets. IAM members, such as `serviceAccount:service-<project number>@...`."""
    external_manager: ExternalManagerSpec | None = None
    """A key manager outside Google Cloud, inside the region's jurisdiction, in which the keys are made and stay."""
    adopt: bool = False
    """Take over the ring, the keys and the connection to an external manager that an earlier deployment left. Google
    Cloud never deletes them: after a `destroy` their names stay taken for ever, and the next deployment finds them
    there."""
    destroyable_keys: bool = False
    """Weakness: `destroy` destroys the versions of every key, and with them everything that was ever encrypted under
    them. For emulated regions. Off, Pulumi refuses to delete ring and keys."""


class KeyVault(Component):
    """`bailiwick:index:GcpKeyVault`: a key ring in the region with the region's keys.

    Creates the key ring; a KEK for each model (`model-<name>`: symmetric, in a FIPS 140-2 level 3 HSM, rotated); one
    key for disks (`os-disk`), with the right of the named service agents to use it. With an `external_manager`, it
    creates the connection through the VPC network to that, and Cloud KMS has the same keys made and rotated there.

    Guarantees: keys are generated in the HSM, or by the external manager, cannot be exported from Cloud KMS by anybody,
    and are in no state file; a destroyed version can be restored for `soft_delete_days`; nobody is granted a right on
    the ring as a whole; Pulumi does not delete a key; an external manager is inside the jurisdiction of the placement's
    tags.

    Does not: release a key under attestation by itself. On Google Cloud release means the right to decrypt: the region
    gives it to the verifier's identity alone, whose broker checks the evidence; `AttestedRelease` gives it to an
    attested identity directly. It creates neither the external manager nor the Service Directory service that leads
    to it, nor grants Cloud KMS's service agent (`service-<project number>@gcp-sa-ekms.iam.gserviceaccount.com`) the
    roles `servicedirectory.viewer` and `servicedirectory.pscAuthorizedService` there (docs/runbooks/external-keys.md);
    what the manager is, and how it keeps keys, its operator answers for. Single-tenant HSMs have no resource in the
    provider, and are refused.
    """

    id: pulumi.Output[str]
    """Resource id of the key ring."""
    uri: str
    """Base URL of the ring at the region's private endpoint, known before it exists."""
    model_key_ids: Mapping[str, pulumi.Output[str]]
    """Resource id of each model's KEK."""
    disk_key_id: pulumi.Output[str]
    """Resource id of the disk key, available when the service agents may use it."""
    unwrap_role_id: str
    """Role that may unwrap with a key and do nothing else."""

    def __init__(self, name: str, args: KeyVaultArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        _check(args)
        placement = args.placement
        self.uri = self.uri_in(placement)
        self.unwrap_role_id = UNWRAP_ROLE
        super().__init__(TYPE, name, args, opts)
        self._stem = name
        self._args = args
        ring = kms.KeyRing(
            f"{name}-ring",
            name=self.ring_name(placement),
            project=placement.project_id,
            location=placement.location,
            opts=self._kept(_ring_id(placement)),
        )
        self.id = ring.id
        self._backend = self._connection(args.external_manager)
        self.model_key_ids = {model: self._key(model_key_name(model)).id for model in args.model_keys}
        disk_key = self._key(DISK_KEY)
        grants = [
            kms.CryptoKeyIAMMember(
                f"{name}-{DISK_KEY}-{label}",
                crypto_key_id=disk_key.id,
                role=WRAP_ROLE,
                member=member,
                opts=pulumi.ResourceOptions(parent=self),
            ).id
            for label, member in args.disk_agents.items()
        ]
        self.disk_key_id = pulumi.Output.all(disk_key.id, *grants).apply(lambda ids: str(ids[0]))
        self.register_outputs({"id": self.id, "uri": self.uri, "unwrapRoleId": self.unwrap_role_id})

    @staticmethod
    def ring_name(placement: Placement) -> str:
        """Name of the region's key ring."""
        return placement.name_of("key ring", "keys")

    @staticmethod
    def uri_in(placement: Placement) -> str:
        """URL of the region's key ring at the private endpoint of Cloud KMS in the region."""
        return f"https://{SovereignNetwork.service_host(placement, 'cloud-kms')}/v1/{_ring_id(placement)}"

    def _connection(self, manager: ExternalManagerSpec | None) -> pulumi.Output[str] | None:
        if manager is None:
            return None
        placement = self._args.placement
        kept = self._kept(external_keys.connection_id(placement))
        id_: pulumi.Output[str] = external_keys.ekm_connection(f"{self._stem}-external", placement, manager, kept).id
        return id_

    def _key(self, key_name: str) -> "kms.CryptoKey":
        args = self._args
        outside = self._backend is not None
        return kms.CryptoKey(
            f"{self._stem}-{key_name}",
            name=gcp_name("crypto key", key_name),
            key_ring=self.id,
            purpose="ENCRYPT_DECRYPT",
            version_template=kms.CryptoKeyVersionTemplateArgs(
                algorithm=external_keys.ALGORITHM if outside else "GOOGLE_SYMMETRIC_ENCRYPTION",
                protection_level=external_keys.PROTECTION_LEVEL if outside else "HSM",
            ),
            crypto_key_backend=self._backend,
            rotation_period=f"{args.rotation_days * SECONDS_PER_DAY}s",
            destroy_scheduled_duration=f"{args.soft_delete_days * SECONDS_PER_DAY}s",
            labels=args.placement.labels,
            opts=self._kept(f"{_ring_id(args.placement)}/cryptoKeys/{key_name}"),
        )

    def _kept(self, id_: str) -> pulumi.ResourceOptions:
        kept = not self._args.destroyable_keys
        return pulumi.ResourceOptions(
            parent=self, protect=kept, retain_on_delete=kept, import_=id_ if self._args.adopt else None
        )


def _ring_id(placement: Placement) -> str:
    return f"projects/{placement.project_id}/locations/{placement.location}/keyRings/{KeyVault.ring_name(placement)}"


def _check(args: KeyVaultArgs) -> None:
    if args.service not in SERVICES:
        raise InputError(TYPE, "service", f"{args.service!r} is not built", SERVICE)
    service = catalog.load().service(args.placement.cloud, args.service)
    if service.offered_in(args.placement.location) is False:
        raise InputError(TYPE, "placement.location", f"{args.placement.location} has no {service.name}")
    require_together(TYPE, args.service, external_keys.SERVICE, args.external_manager)
    if args.external_manager is not None:
        _check_manager(args.external_manager, args.placement)
    for name, value, allowed in (
        ("soft_delete_days", args.soft_delete_days, SOFT_DELETE_DAYS),
        ("rotation_days", args.rotation_days, ROTATION_DAYS),
    ):
        if value not in allowed:
            last = allowed[-1]
            nearest = str(min(max(value, allowed[0]), last))
            raise InputError(TYPE, name, f"{value} is not between {allowed[0]} and {last} days", nearest)


def _check_manager(manager: ExternalManagerSpec, placement: Placement) -> None:
    if not manager.certificates:
        raise InputError(TYPE, "external_manager.certificates", "is missing: Cloud KMS could not know the manager")
    if manager.keys:
        found = "names keys, and Cloud KMS has the manager make them"
        raise InputError(TYPE, "external_manager.keys", found, "leave it out")
    refuse_abroad(TYPE, manager, placement.tags.jurisdiction)
