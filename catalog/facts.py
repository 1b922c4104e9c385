"""The schema of the catalogue: one frozen model for each kind of fact.

Every fact names where it was read (`source`), when (`date`) and how far to trust it (`confidence`). The same
models hold the facts of every cloud: an Azure sovereign cloud, an AWS partition and a Google universe are each
one `Cloud`.
"""

import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Confidence = Literal["high", "medium", "low"]
Tee = Literal["snp", "tdx", "snp-child-vm"]
Text = Annotated[str, Field(min_length=1)]
HostName = Annotated[str, Field(pattern=r"^[a-z0-9{}<>*-]+(\.[a-z0-9{}<>*-]+)+$")]


class Record(BaseModel):
    """Frozen; refuses keys that the schema does not name."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Source(Record):
    """Where a fact was read: a document, a commit, an SDK version."""

    id: Text
    text: Text


class Fact(Record):
    """What every fact carries.

    `date` is the day on which the fact was last checked against its sources. `confidence` is `high` when a primary
    source says it, `medium` when a part was inferred or comes from secondary sources only, `low` when it must be
    checked before use.
    """

    source: tuple[Source, ...] = Field(min_length=1)
    date: datetime.date
    confidence: Confidence
    note: str | None = None


class Jurisdiction(Fact):
    """An area under one law, or a named union of such areas.

    `within` names the areas that directly contain it; `members` is computed at load: the ids of everything
    inside it, itself included.
    """

    id: Text
    name: Text
    kind: Literal["country", "union", "enclave", "boundary"]
    within: tuple[str, ...] = ()
    members: frozenset[str] = frozenset()

    def contains(self, inner: str) -> bool:
        """Whether the jurisdiction `inner` is this one or lies inside it."""
        return inner in self.members


class Cloud(Fact):
    """One cloud: a set of regions under one operator, one control plane and one set of host-name suffixes.

    `provider` is the Pulumi package family that provisions it (`azure`, `aws`, `gcp`), so that sovereign variants
    of one technology are clouds of their own.
    """

    id: Text
    provider: Literal["azure", "aws", "gcp"]
    name: Text
    operator: Text
    operator_jurisdiction: Text
    environment: str | None = None
    resource_manager: HostName | None = None
    login: HostName | None = None
    dns: dict[str, HostName] = Field(default_factory=dict)
    who_can_touch: str | None = None


class Region(Fact):
    """One region of a cloud.

    `jurisdiction` is the narrowest one; `jurisdictions`, computed at load, starts with it and goes outwards.
    `zone_names` is None where the sources do not say. `attestation_host` is the host of the attestation service
    that the operator shares between the region's tenants.
    """

    id: Text
    cloud: Text
    name: Text
    country: Annotated[str, Field(pattern="^[A-Z]{2}$")]
    jurisdiction: Text
    jurisdictions: tuple[str, ...] = ()
    paired_region: str | None = None
    zone_names: tuple[str, ...] | None = None
    restricted_access: bool = False
    announced_only: bool = False
    attestation_host: HostName | None = None

    @property
    def zones(self) -> bool | None:
        """Whether the region has availability zones; None where the sources do not say."""
        return None if self.zone_names is None else bool(self.zone_names)


class Gpu(Record):
    """The accelerator of a machine type; `memory_gb` is for one of them, in gigabytes."""

    model: Text
    count: int = Field(ge=1)
    memory_gb: int = Field(ge=1)
    cc: bool
    multi_gpu_cc: bool


class Size(Record):
    """One size of a machine family; `memory_gib` in gibibytes."""

    size: Text
    vcpu: int = Field(ge=1)
    memory_gib: float = Field(gt=0)


class MachineFamily(Fact):
    """Sizes that share processor, TEE and the regions that offer them.

    `tee` is None for machines without confidential computing. `offered` says how the regions are known:
    `confirmed` by the operator's own list, or `priced`: on its price list, which does not mean open to every
    subscription.
    """

    family: Text
    cloud: Text
    tee: Tee | None
    cpu: Text
    sizes: tuple[Size, ...]
    regions: frozenset[str]
    offered: Literal["confirmed", "priced"]
    local_disk: bool
    status: Literal["ga", "preview", "retiring", "unknown"]
    gpu: Gpu | None = None
    images: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()


class MachineType(Fact):
    """One size, with what its family says about it."""

    size: Text
    family: Text
    cloud: Text
    tee: Tee | None
    cpu: Text
    vcpu: int
    memory_gib: float
    regions: frozenset[str]
    offered: Literal["confirmed", "priced"]
    local_disk: bool
    status: Literal["ga", "preview", "retiring", "unknown"]
    gpu: Gpu | None = None
    images: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()


class Service(Fact):
    """A service that a region depends on: key service, attestation service, identity, control plane, storage.

    `location` says honestly where it does its work: in the `region` of the resource; in the region or its
    `pair`; on the `host` that runs the machine; or `global`: the operator names no place. `operator` and
    `operator_jurisdiction` are the cloud's where the data does not name others.
    """

    id: Text
    cloud: Text
    name: Text
    kind: Literal["key", "attestation", "collateral", "identity", "control-plane", "storage", "log", "name"]
    location: Literal["region", "pair", "global", "host"]
    reason: Text
    operator: str = ""
    operator_jurisdiction: str = ""
    resource_type: str | None = None
    api_version: str | None = None
    skus: tuple[str, ...] = ()
    status: Literal["ga", "preview", "retiring", "unknown"] = "ga"
    fips: str | None = None
    tenancy: str | None = None
    key_release: bool | None = None
    key_types: tuple[str, ...] = ()
    not_extendable_from: tuple[str, ...] = ()
    endpoints: dict[str, str] = Field(default_factory=dict)
    private_endpoint: str | None = None
    limits: tuple[str, ...] = ()


class PrivateEndpoint(Fact):
    """The private link of one service: the group id of the connection and the private DNS zones it needs.

    `{region}` in a zone stands for the region's id.
    """

    service: Text
    cloud: Text
    group_id: Text
    zones: tuple[HostName, ...] = Field(min_length=1)

    @property
    def zone(self) -> str:
        """The first, and for most services the only, private DNS zone."""
        return self.zones[0]


class GlobalType(Fact):
    """A resource type that has no region of its own, and why that is acceptable.

    `residence` is `parent` for a part of another resource, which stays where that one is, and `global` for
    control data that the operator replicates worldwide. `location` is the literal the resource must carry, where
    it carries one (Azure's private DNS zones say `Global`).
    """

    type: Annotated[str, Field(pattern=r"^[a-z-]+:[A-Za-z0-9/._-]+:[A-Za-z0-9]+$")]
    cloud: Text
    residence: Literal["parent", "global"]
    reason: Text
    location: str | None = None


class Application(Fact):
    """An application of the operator that must hold rights in the tenant; `app_id` is its client id."""

    id: Text
    cloud: Text
    name: Text
    app_id: Annotated[str, Field(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
    reason: Text
