"""The verifier and key broker of a region, on confidential machines of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi
from pulumi_gcp import compute, dns

from components.component import Component, ComponentArgs
from components.errors import InputError
from components.gcp.confidential_vm import ConfidentialVm, ConfidentialVmArgs
from components.gcp.placement import Placement
from components.gcp.sovereign_network import RECORD_SECONDS
from components.guest_configuration import HEALTH_PATH, HOST, VERIFIER_PORT

TYPE = "bailiwick:index:GcpAttestationVerifier"


@dataclass(frozen=True, slots=True)
class AttestationVerifierArgs(ComponentArgs):
    """Inputs of `AttestationVerifier`."""

    placement: Placement
    """Where the verifier is."""
    replicas: int
    """Number of machines, 1 or more; they keep no session, so that any of them answers any request."""
    size: str
    """Machine type of each; it must have the TEE."""
    tee: str
    """Trusted execution environment of each: `snp` or `tdx`."""
    zones: Sequence[str]
    """Zones over which the machines are spread."""
    image_name: str
    """Guest image of the verifier."""
    image_version: str
    """Its exact version."""
    guest_configuration: Mapping[str, Any] = field(repr=False)
    """The verifier's own configuration; see `components.guest_configuration.verifier`."""
    network_id: pulumi.Input[str]
    """Network of the load balancer's address."""
    subnet_id: pulumi.Input[str]
    """Subnetwork of the machines and of the load balancer's address."""
    frontend_address: str
    """Static private address of the load balancer, inside that subnetwork."""
    domain: str
    """Private DNS domain in which the verifier's name is put."""
    domain_zone: pulumi.Input[str]
    """Name of that domain's managed zone."""
    disk_key_id: pulumi.Input[str]
    """Key under which the machines' OS disks are encrypted."""
    identity_id: pulumi.Input[str]
    """Service account that may unwrap with the model keys."""


class AttestationVerifier(Component):
    """`bailiwick:index:GcpAttestationVerifier`: verifies evidence in the region, unwraps keys for who passes.

    Creates `replicas` confidential VMs spread over the zones, an instance group for each zone, a reserved private
    address, an internal passthrough load balancer on it with a health check, and the name `verifier.<domain>` for it.

    Guarantees: evidence about the region's guests is verified in the region, by code that is itself measured and that
    nobody logs in to; it has no external address and answers within the region only; a lost zone or machine leaves the
    others serving.

    Does not: use Google Cloud Attestation, which knows no SEV-SNP report; `AttestedRelease` is for those who want it.
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
        if not args.zones:
            raise InputError(
                TYPE, "zones", "are empty, and a machine of Google Cloud is in one", args.placement.location
            )
        super().__init__(TYPE, name, args, opts)
        self._stem = name
        self._args = args
        self._child = pulumi.ResourceOptions(parent=self)
        self.host = f"{HOST}.{args.domain}"
        self.url = f"http://{self.host}:{VERIFIER_PORT}"
        address = self._address()
        # The machines take the free addresses of the subnetwork: the load balancer's must be taken before.
        behind = pulumi.ResourceOptions(parent=self, depends_on=[address])
        self.machines = [self._machine(index, behind) for index in range(args.replicas)]
        self._load_balancer(address)
        self._record()
        self.register_outputs({"url": self.url})

    def _address(self) -> "compute.Address":
        args = self._args
        return compute.Address(
            f"{self._stem}-address",
            name=args.placement.name(HOST),
            project=args.placement.project_id,
            region=args.placement.location,
            address_type="INTERNAL",
            purpose="GCE_ENDPOINT",
            address=args.frontend_address,
            subnetwork=args.subnet_id,
            labels=args.placement.labels,
            opts=self._child,
        )

    def _machine(self, index: int, opts: pulumi.ResourceOptions) -> ConfidentialVm:
        args = self._args
        return ConfidentialVm(
            f"{self._stem}-{index}",
            ConfidentialVmArgs(
                placement=args.placement,
                role=f"{HOST}-{index}",
                size=args.size,
                tee=args.tee,
                zone=args.zones[index % len(args.zones)],
                image_name=args.image_name,
                image_version=args.image_version,
                guest_configuration=args.guest_configuration,
                subnet_id=args.subnet_id,
                disk_key_id=args.disk_key_id,
                identity_id=args.identity_id,
            ),
            opts=opts,
        )

    def _group(self, zone: str) -> "compute.InstanceGroup":
        """The replicas of one zone: a backend holds machines of one zone only."""
        placement = self._args.placement
        return compute.InstanceGroup(
            f"{self._stem}-{zone}",
            name=placement.name(HOST, zone),
            project=placement.project_id,
            zone=zone,
            network=self._args.network_id,
            instances=[machine.id for machine in self.machines if machine.zone == zone],
            opts=self._child,
        )

    def _load_balancer(self, address: "compute.Address") -> None:
        args = self._args
        placement = args.placement
        check = compute.RegionHealthCheck(
            f"{self._stem}-health",
            name=placement.name(HOST, "health"),
            check_interval_sec=5,
            timeout_sec=5,
            unhealthy_threshold=2,
            http_health_check=compute.RegionHealthCheckHttpHealthCheckArgs(
                port=VERIFIER_PORT, request_path=HEALTH_PATH
            ),
            project=placement.project_id,
            region=placement.location,
            opts=self._child,
        )
        groups = [self._group(zone) for zone in dict.fromkeys(machine.zone for machine in self.machines)]
        backend = compute.RegionBackendService(
            f"{self._stem}-backend",
            name=placement.name(HOST),
            load_balancing_scheme="INTERNAL",
            protocol="TCP",
            health_checks=check.id,
            backends=[
                compute.RegionBackendServiceBackendArgs(group=group.id, balancing_mode="CONNECTION") for group in groups
            ],
            project=placement.project_id,
            region=placement.location,
            opts=self._child,
        )
        compute.ForwardingRule(
            f"{self._stem}-lb",
            name=placement.name(HOST, "lb"),
            load_balancing_scheme="INTERNAL",
            ip_protocol="TCP",
            ports=[str(VERIFIER_PORT)],
            ip_address=address.address,
            network=args.network_id,
            subnetwork=args.subnet_id,
            backend_service=backend.id,
            allow_global_access=False,
            labels=placement.labels,
            project=placement.project_id,
            region=placement.location,
            opts=self._child,
        )

    def _record(self) -> None:
        args = self._args
        dns.RecordSet(
            f"{self._stem}-record",
            name=f"{self.host}.",
            project=args.placement.project_id,
            managed_zone=args.domain_zone,
            type="A",
            ttl=RECORD_SECONDS,
            rrdatas=[args.frontend_address],
            opts=self._child,
        )
