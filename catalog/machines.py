"""The schema of the catalogue: machines, their TEEs, where and how they are offered, and what a guest needs."""

from typing import Literal

from pydantic import Field

from catalog.facts import Fact, Record, Text

Tee = Literal["snp", "tdx", "snp-child-vm", "sev", "nitro"]
Status = Literal["ga", "preview", "retiring", "unknown"]
Tenancy = Literal["shared", "dedicated-host"]
Purchase = Literal["on-demand", "spot", "flex-start"]

ATTESTED_TEES: frozenset[Tee] = frozenset({"snp", "tdx"})
"""TEEs of a whole machine whose processor signs a report that a verifier of one's own can check. `snp-child-vm`
isolates a container inside a node, `sev` encrypts memory but reports nothing, and `nitro` is vouched for by the
operator itself."""


class Gpu(Record):
    """The accelerator of a machine type.

    `name` is the short name that is asked for (`h100`), `type` the cloud's own id. `memory_gb` is for one of them, in
    gigabytes; None where the sources do not say. `cc` says whether its confidential-computing mode is offered.
    """

    name: Text
    model: Text
    count: int = Field(ge=1)
    cc: bool
    multi_gpu_cc: bool = False
    memory_gb: int | None = Field(default=None, ge=1)
    type: str | None = None


class Size(Record):
    """One size of a machine family; `memory_gib` in gibibytes."""

    size: Text
    vcpu: int = Field(ge=1)
    memory_gib: float = Field(gt=0)


class _Machine(Fact):
    """What a family says of each of its sizes.

    `tee` is None for machines without confidential computing; `other_tees` are those that the machine can be started
    with instead.

    `zones` has the zones of a region where the machine comes with its TEE, for the regions whose zones are known;
    `regions` defaults to those. `offered` says how the regions are known: `confirmed` by the operator's own list,
    `listed` by a third party's copy of it, `priced`: on its price list, which does not mean open to every
    subscription, or `unknown`: no region was read. `disputed` are regions on which the sources disagree.

    `dedicated_host` are the regions where the machine comes with its TEE on a Dedicated Host; `shared`, where it does
    on a shared one, None meaning everywhere it is offered. `purchase` is how it can be bought with its TEE.

    `min_cpu_platform` and `on_host_maintenance` are the settings that Google Compute Engine needs.
    """

    family: Text
    cloud: Text
    tee: Tee | None
    other_tees: tuple[Tee, ...] = ()
    cpu: str | None = None
    zones: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    regions: frozenset[str] = Field(default_factory=lambda data: frozenset(data["zones"]))
    offered: Literal["confirmed", "listed", "priced", "unknown"]
    disputed: frozenset[str] = frozenset()
    shared: frozenset[str] | None = None
    dedicated_host: frozenset[str] = frozenset()
    purchase: tuple[Purchase, ...] = ("on-demand",)
    local_disk: bool | None = None
    status: Status
    gpu: Gpu | None = None
    images: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    min_cpu_platform: str | None = None
    on_host_maintenance: str | None = None
    nitro_tpm: bool | None = None
    nitro_enclaves: bool | None = None

    @property
    def attested(self) -> bool:
        """Whether the machine's TEE gives evidence that a verifier of one's own can check."""
        return self.tee in ATTESTED_TEES

    def tenancy(self, region: str) -> tuple[Tenancy, ...]:
        """The tenancies that keep the TEE in `region`; none where the machine is not offered."""
        if region not in self.regions:
            return ()
        shared: tuple[Tenancy, ...] = ("shared",) if self.shared is None or region in self.shared else ()
        dedicated: tuple[Tenancy, ...] = ("dedicated-host",) if region in self.dedicated_host else ()
        return shared + dedicated

    def in_zone(self, region: str, zone: str) -> bool | None:
        """Whether `zone` of `region` has the machine with its TEE; None where its zones are not known."""
        if region not in self.regions:
            return False
        return zone in self.zones[region] if region in self.zones else None


class MachineFamily(_Machine):
    """Sizes that share processor, TEE and where they are offered; no sizes where none were read."""

    sizes: tuple[Size, ...] = ()


class MachineType(_Machine):
    """One size, with what its family says about it."""

    size: Text
    vcpu: int
    memory_gib: float


class MachineRequirement(Fact):
    """What a confidential machine needs to be accepted, or must not have.

    `subject` is the thing that is set and `setting` its property as the provider's API spells it; `value` or one of
    `values` is needed. For `kind` `forbidden`, `setting` names what does not work together with the TEE.
    """

    id: Text
    cloud: Text
    tees: tuple[Tee, ...]
    kind: Literal["required", "advised", "forbidden"]
    subject: Literal["machine", "disk", "image", "network", "host", "key", "cluster"]
    setting: Text
    value: str | bool | None = None
    values: tuple[str, ...] = ()


class ClusterFeature(Fact):
    """Confidential computing in a managed Kubernetes service.

    `supported` is None where no page says so. `families` are the machine families that node pools can use, empty
    where any family with the TEE does. `in_provider_sdk` is False where the Pulumi SDK's enumeration lacks the
    setting, `settings` the properties that turn it on.
    """

    id: Text
    cloud: Text
    service: Literal["aks", "gke", "eks", "kubernetes"]
    kind: Literal["confidential-nodes", "confidential-containers", "gpu-confidential-nodes"]
    supported: bool | None
    status: Status
    tees: tuple[Tee, ...] = ()
    families: tuple[str, ...] = ()
    runtime_class: str | None = None
    feature_flag: str | None = None
    settings: dict[str, str] = Field(default_factory=dict)
    os_skus: tuple[str, ...] = ()
    os_skus_excluded: tuple[str, ...] = ()
    in_provider_sdk: bool = True
    limits: tuple[str, ...] = ()
