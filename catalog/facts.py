"""The schema of the catalogue: what every fact carries, and the facts on places and on who operates them.

Every fact names where it was read (`source`), when (`date`) and how far to trust it (`confidence`). The same
models hold the facts of every cloud: an Azure sovereign cloud, an AWS partition, a Google universe and a
customer's own data centre are each one `Cloud`. A value that the sources do not give is None, which is neither yes
nor no.
"""

import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Confidence = Literal["high", "medium", "low"]
Offer = Literal["commercial", "sovereign", "government", "classified", "national", "customer"]
Text = Annotated[str, Field(min_length=1)]
HostName = Annotated[str, Field(pattern=r"^[a-z0-9{}<>*-]+(\.[a-z0-9{}<>*-]+)+$")]


class Record(BaseModel):
    """Frozen; refuses keys that the schema does not name."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Source(Record):
    """Where a fact was read: a document, a commit, an SDK version, or the customer's own statement."""

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


class Law(Fact):
    """A law of `jurisdiction` that reaches data held abroad through the operator that it binds."""

    id: Text
    name: Text
    jurisdiction: Text
    reaches: Text


class Operator(Fact):
    """Who runs a cloud or a service.

    `jurisdiction` is where it is established; None where the sources do not say. `parents` are the operators that
    own or control it. `legal_reach`, computed at load, is every jurisdiction whose courts reach it: its own and its
    parents', its own first; None if one of them is not known.
    """

    id: Text
    name: Text
    jurisdiction: str | None
    parents: tuple[str, ...] = ()
    legal_reach: tuple[str, ...] | None = None


class Cloud(Fact):
    """One cloud: a set of regions under one operator, one control plane and one set of host-name suffixes.

    `provider` is the Pulumi package family that provisions it, so that sovereign variants of one technology are
    clouds of their own. `offer` says what it is sold as; only `legal_reach` says who reaches it. `operator`,
    `operator_jurisdiction` (empty where the sources do not say) and `legal_reach` come from `operator_id`.

    `partition`, `arn_prefix` and `endpoint_prefix` are AWS's; `universe_domain`, `project_prefix` and
    `workload_identity_domain` are Google's; `environment` is the provider setting of Azure. `service_names` are the
    service ids that the operator's SDK lists for the cloud, None where no list was read; `absent_services` are those
    that a sovereign region would use and that the list lacks.
    """

    id: Text
    provider: Literal["azure", "aws", "gcp", "kubernetes"]
    name: Text
    offer: Offer
    operator_id: Text
    operator: str = ""
    operator_jurisdiction: str = ""
    legal_reach: tuple[str, ...] | None = None
    environment: str | None = None
    partition: str | None = None
    arn_prefix: str | None = None
    endpoint_prefix: str | None = None
    universe_domain: HostName | None = None
    project_prefix: str | None = None
    workload_identity_domain: HostName | None = None
    resource_manager: HostName | None = None
    login: HostName | None = None
    dns: dict[str, HostName] = Field(default_factory=dict)
    who_can_touch: str | None = None
    service_names: frozenset[str] | None = None
    absent_services: frozenset[str] = frozenset()
    limits: tuple[str, ...] = ()


class Region(Fact):
    """One region of a cloud.

    `jurisdiction` is the narrowest one; `jurisdictions`, computed at load, starts with it and goes outwards.
    `zone_names` is None where the sources do not name them; `zone_count` is given where they say only how many.
    `attestation_host` is the host of the attestation service that the operator shares between the region's tenants.

    `confidential_vm` and `confidential_nodes` are what the operator says of the whole region; None where it says
    nothing, and then the machine types tell. `operator_id` is given where the region's operator is not the cloud's;
    `operator`, `operator_jurisdiction` and `legal_reach` are computed at load, as for `Cloud`.
    """

    id: Text
    cloud: Text
    name: Text
    country: Annotated[str, Field(pattern="^[A-Z]{2}$")]
    jurisdiction: Text
    jurisdictions: tuple[str, ...] = ()
    city: str | None = None
    paired_region: str | None = None
    zone_names: tuple[str, ...] | None = None
    zone_count: int | None = Field(default=None, ge=0)
    restricted_access: bool = False
    announced_only: bool = False
    attestation_host: HostName | None = None
    endpoint_suffix: HostName | None = None
    confidential_vm: bool | None = None
    confidential_nodes: bool | None = None
    machine_series: tuple[str, ...] = ()
    disks: tuple[str, ...] = ()
    operator_id: str | None = None
    operator: str = ""
    operator_jurisdiction: str = ""
    legal_reach: tuple[str, ...] | None = None

    @property
    def zones(self) -> bool | None:
        """Whether the region has availability zones; None where the sources do not say."""
        if self.zone_names is not None:
            return bool(self.zone_names)
        return None if self.zone_count is None else self.zone_count > 0


class Boundary(Fact):
    """A partner's controls over regions that another operator runs: the infrastructure keeps its own legal reach."""

    id: Text
    cloud: Text
    name: Text
    operator_id: Text
    regions: frozenset[str]
    controls: Text
    settings: dict[str, str] = Field(default_factory=dict)
