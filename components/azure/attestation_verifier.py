"""The verifier and key broker of a region, on confidential machines of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi
from pulumi_azure_native import attestation, network, privatedns

import catalog
from components.azure.confidential_vm import ConfidentialVm, ConfidentialVmArgs
from components.azure.placement import Placement
from components.azure.private_endpoint import private_endpoint
from components.component import Component, ComponentArgs
from components.errors import InputError
from components.guest_configuration import HEALTH_PATH, HOST, VERIFIER_PORT

TYPE = "bailiwick:index:AzureAttestationVerifier"
_FRONTEND = "private"
_POOL = "verifiers"
_PROBE = "healthy"
_RECORD_SECONDS = 300


@dataclass(frozen=True, slots=True)
class AttestationVerifierArgs(ComponentArgs):
    """Inputs of `AttestationVerifier`."""

    placement: Placement
    """Where the verifier is."""
    replicas: int
    """Number of machines, 1 or more; they keep no session, so that any of them answers any request."""
    size: str
    """Azure size of each machine; it must have the TEE."""
    tee: str
    """Trusted execution environment of each machine: `snp` or `tdx`."""
    zones: Sequence[str]
    """Availability zones over which the machines are spread; empty in a region without zones."""
    image_name: str
    """Guest image of the verifier in the gallery."""
    image_version: str
    """Its exact version."""
    guest_configuration: Mapping[str, Any] = field(repr=False)
    """The verifier's own configuration; see `components.guest_configuration.verifier`."""
    subnet_id: pulumi.Input[str]
    """Subnet of the machines and of the load balancer's address."""
    frontend_address: str
    """Static private address of the load balancer, inside that subnet."""
    endpoint_subnet_id: pulumi.Input[str]
    """Subnet of the attestation provider's private endpoint."""
    domain: str
    """Private DNS domain in which the verifier's name is put."""
    zone_ids: Mapping[str, pulumi.Output[str]] = field(repr=False)
    """Private DNS zones by name, from the network."""
    disk_encryption_set_id: pulumi.Input[str]
    """Disk encryption set for the machines' OS disks."""
    identity_id: pulumi.Input[str]
    """Identity that may unwrap with the model keys."""


class AttestationVerifier(Component):
    """`bailiwick:index:AzureAttestationVerifier`: verifies evidence in the region, unwraps keys for who passes.

    Creates `replicas` confidential VMs spread over the zones, an internal load balancer with a static private address,
    the name `verifier.<domain>` for it, and an Azure Attestation provider of the stack's own with a private endpoint.

    Guarantees: evidence about the region's guests is verified in the region, by code that is itself measured and that
    nobody logs in to; it has no public address; a lost zone or machine leaves the others serving.

    Two verifiers, because two key stores ask. Our broker guards the model keys and believes our verifier only. Key
    Vault releases the key of a confidential OS disk by itself, while the machine starts, and believes Azure
    Attestation tokens only: for that one key the stack has its own provider, in the jurisdiction, without public
    access. Azure's firmware asks the region's shared provider at boot, so that the key's policy names that one as
    well.

    Does not: set the attestation provider's policy, which is a data-plane operation; the default policy stands.
    """

    url: str
    """Base URL of the verifier, known before it exists. Plain HTTP: the key broker protocol encrypts every key to the
    guest's own key, which the evidence binds, and signs every result."""
    host: str
    """Its DNS name."""
    machines: Sequence[ConfidentialVm]
    """The replicas."""
    provider_uri: pulumi.Output[str]
    """URL of the stack's own Azure Attestation provider."""

    def __init__(self, name: str, args: AttestationVerifierArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        if args.replicas < 1:
            raise InputError(TYPE, "replicas", f"{args.replicas} machines verify nothing", "1")
        super().__init__(TYPE, name, args, opts)
        self._stem = name
        self._args = args
        self._child = pulumi.ResourceOptions(parent=self)
        self.host = f"{HOST}.{args.domain}"
        self.url = f"http://{self.host}:{VERIFIER_PORT}"
        pool_id = self._load_balancer()
        self._record()
        self.machines = [self._machine(index, pool_id) for index in range(args.replicas)]
        self.provider_uri = self._attestation_provider()
        self.register_outputs({"url": self.url, "providerUri": self.provider_uri})

    def _machine(self, index: int, pool_id: pulumi.Output[str]) -> ConfidentialVm:
        args = self._args
        return ConfidentialVm(
            f"{self._stem}-{index}",
            ConfidentialVmArgs(
                placement=args.placement,
                role=f"{HOST}-{index}",
                size=args.size,
                tee=args.tee,
                zone=args.zones[index % len(args.zones)] if args.zones else None,
                image_name=args.image_name,
                image_version=args.image_version,
                guest_configuration=args.guest_configuration,
                subnet_id=args.subnet_id,
                disk_encryption_set_id=args.disk_encryption_set_id,
                identity_id=args.identity_id,
                backend_pool_id=pool_id,
            ),
            opts=self._child,
        )

    def _load_balancer(self) -> pulumi.Output[str]:
        """The internal load balancer; returns the id of its backend pool."""
        args = self._args
        placement = args.placement
        balancer_name = placement.name("load balancer", HOST)

        def part(kind: str, name: str) -> pulumi.Output[str]:
            """A rule names the parts of its own load balancer by their ids, before these exist."""
            return pulumi.Output.concat(
                placement.resource_group_id,
                f"/providers/Microsoft.Network/loadBalancers/{balancer_name}/{kind}/{name}",
            )

        balancer = network.LoadBalancer(
            f"{self._stem}-lb",
            load_balancer_name=balancer_name,
            resource_group_name=placement.resource_group_name,
            location=placement.location,
            sku=network.LoadBalancerSkuArgs(name=network.LoadBalancerSkuName.STANDARD),
            frontend_ip_configurations=[
                network.FrontendIPConfigurationArgs(
                    name=_FRONTEND,
                    private_ip_address=args.frontend_address,
                    private_ip_allocation_method=network.IPAllocationMethod.STATIC,
                    subnet={"id": args.subnet_id},  # SubnetArgs would add settings of the subnet to the reference
                    zones=list(args.zones) or None,
                )
            ],
            backend_address_pools=[network.BackendAddressPoolArgs(name=_POOL)],
            probes=[
                network.ProbeArgs(
                    name=_PROBE,
                    protocol=network.ProbeProtocol.HTTP,
                    port=VERIFIER_PORT,
                    request_path=HEALTH_PATH,
                    interval_in_seconds=5,
                    probe_threshold=2,
                )
            ],
            load_balancing_rules=[
                network.LoadBalancingRuleArgs(
                    name="attest",
                    protocol=network.TransportProtocol.TCP,
                    frontend_port=VERIFIER_PORT,
                    backend_port=VERIFIER_PORT,
                    frontend_ip_configuration=network.SubResourceArgs(id=part("frontendIPConfigurations", _FRONTEND)),
                    backend_address_pool=network.SubResourceArgs(id=part("backendAddressPools", _POOL)),
                    probe=network.SubResourceArgs(id=part("probes", _PROBE)),
                    disable_outbound_snat=True,
                    enable_tcp_reset=True,
                )
            ],
            tags=placement.tag_mapping,
            opts=self._child,
        )
        return pulumi.Output.concat(balancer.id, f"/backendAddressPools/{_POOL}")

    def _record(self) -> None:
        args = self._args
        privatedns.PrivateRecordSet(
            f"{self._stem}-record",
            relative_record_set_name=HOST,
            record_type="A",
            # The zone by name, once it is linked: `zone_ids` resolve when it is.
            private_zone_name=args.zone_ids[args.domain].apply(lambda _: args.domain),
            resource_group_name=args.placement.resource_group_name,
            ttl=_RECORD_SECONDS,
            a_records=[privatedns.ARecordArgs(ipv4_address=args.frontend_address)],
            opts=self._child,
        )

    def _attestation_provider(self) -> pulumi.Output[str]:
        args = self._args
        placement = args.placement
        provider = attestation.AttestationProvider(
            f"{self._stem}-provider",
            provider_name=provider_name(placement),
            resource_group_name=placement.resource_group_name,
            location=placement.location,
            properties=attestation.AttestationServiceCreationSpecificParamsArgs(
                public_network_access=attestation.PublicNetworkAccessType.DISABLED
            ),
            tags=placement.tag_mapping,
            opts=self._child,
        )
        private_endpoint(
            f"{self._stem}-provider-endpoint",
            placement=placement,
            service="attestation",
            target_id=provider.id,
            subnet_id=args.endpoint_subnet_id,
            zone_ids=args.zone_ids,
            opts=self._child,
        )
        attest_uri: pulumi.Output[str] = provider.attest_uri
        return attest_uri


def provider_name(placement: Placement) -> str:
    """Name of the stack's own Azure Attestation provider."""
    return placement.unique_name("attestation provider", f"att{placement.stack}")


def provider_origin(placement: Placement) -> str:
    """https origin of the stack's own provider, as Azure forms it from its name and its region's code."""
    host = catalog.load().service("azure", "azure-attestation").endpoints["attestation"]
    code = shared_provider_host(placement.location).split(".")[1]
    return "https://" + host.format_map({"name": provider_name(placement), "region-code": code})


def shared_provider_host(location: str) -> str:
    """Host of the Azure Attestation provider that all tenants of a region share."""
    host = catalog.load().region("azure", location).attestation_host
    if host is None:
        raise InputError(TYPE, "placement.location", f"{location} has no Azure Attestation provider in the catalogue")
    return host
