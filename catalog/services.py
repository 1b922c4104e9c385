"""The schema of the catalogue: services, their private names, and what the provider's own policies can hold."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from catalog.facts import Fact, HostName, Text
from catalog.machines import Status, Tee


class Service(Fact):
    """A service that a region depends on: key service, attestation service, identity, control plane, storage.

    `location` says honestly where it does its work: in the `region` of the resource; in the region or its
    `pair`; on the `host` that runs the machine; or `global`: the operator names no place. `operator_id` is given
    where the operator is not the cloud's; `operator`, `operator_jurisdiction` and `legal_reach` are computed.

    `regions` are those where it is known to be, `absent` those where it is known not to be; `elsewhere` says what
    holds for the others. A service at `pair` stays where it is in the `unpaired` regions. `skus` keep data in the
    region; `geo_redundant_skus` copy it to the paired region.

    `key_release`: keys can be bound to attested guests, by `release_by`: a `policy` on the key, the `recipient`
    document of the request, or the attested `identity` of the caller; `releases_to` are the TEEs whose evidence it
    takes by itself. In `endpoints`, `{region}` stands for the region's id, `{name}` for the resource's name and `{dns}`
    for the cloud's `dns["api"]`. `cacheable`: the answers can be kept in a cache of one's own, so that the region need
    not call it. `seconds_apart`: how long to wait between two requests from one address, where the service limits them.
    """

    id: Text
    cloud: Text
    name: Text
    kind: Literal[
        "key", "attestation", "collateral", "identity", "control-plane", "storage", "log", "name", "cluster", "network"
    ]
    location: Literal["region", "pair", "global", "host"]
    reason: Text
    operator_id: str | None = None
    operator: str = ""
    operator_jurisdiction: str = ""
    legal_reach: tuple[str, ...] | None = None
    regions: frozenset[str] = frozenset()
    absent: frozenset[str] = frozenset()
    unpaired: frozenset[str] = frozenset()
    elsewhere: Literal["offered", "unknown", "absent"] = "offered"
    resource_type: str | None = None
    api_version: str | None = None
    protection_levels: tuple[str, ...] = ()
    skus: tuple[str, ...] = ()
    geo_redundant_skus: tuple[str, ...] = ()
    status: Status = "ga"
    fips: str | None = None
    tenancy: str | None = None
    key_release: bool | None = None
    release_by: Literal["policy", "recipient", "identity"] | None = None
    releases_to: tuple[Tee, ...] = ()
    key_types: tuple[str, ...] = ()
    not_extendable_from: tuple[str, ...] = ()
    in_provider_sdk: bool = True
    cacheable: bool | None = None
    endpoints: dict[str, str] = Field(default_factory=dict)
    paths: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()
    private_endpoint: str | None = None
    limits: tuple[str, ...] = ()
    seconds_apart: Annotated[float, Field(gt=0)] | None = None

    def offered_in(self, region: str) -> bool | None:
        """Whether the service is in `region`; None where the sources do not say."""
        if region in self.regions:
            return True
        if region in self.absent:
            return False
        return {"offered": True, "unknown": None, "absent": False}[self.elsewhere]


class PrivateEndpoint(Fact):
    """How one service is reached from a network without leaving it.

    `target` is what the connection is made to: Azure's group id, AWS's service name, Google's bundle or regional
    host. `zones` are the private DNS zones it needs, empty where the cloud answers the names by itself. `{region}`
    stands for the region's id, `{prefix}` for the cloud's endpoint prefix.
    """

    service: Text
    cloud: Text
    kind: Literal["private-endpoint", "interface", "gateway", "bundle", "regional", "address-range"] = (
        "private-endpoint"
    )
    target: Text
    zones: tuple[HostName, ...] = ()
    addresses: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _zone_where_needed(self) -> "PrivateEndpoint":
        if self.kind == "private-endpoint" and not self.zones:
            raise ValueError("a private-endpoint needs a private DNS zone")
        return self

    @property
    def group_id(self) -> str:
        """Azure's word for the target."""
        return self.target

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


class Guardrail(Fact):
    """A rule of the provider's own policy engine that keeps holding after a deployment.

    `definition` is its name or id as the provider wants it. `values` maps a jurisdiction, or `{region}` for any
    region, to the value that stands for it; `wider` lists values that sound right and reach too far.
    """

    id: Text
    cloud: Text
    name: Text
    kind: Literal["policy-definition", "policy-set", "org-policy", "condition-key", "account-setting"]
    covers: Literal["residency", "confidential", "keys", "network", "identity", "storage", "types", "sizes"]
    definition: Text
    values: dict[str, str] = Field(default_factory=dict)
    denied_values: tuple[str, ...] = ()
    wider: tuple[str, ...] = ()
    regions: frozenset[str] = frozenset()


class ReleaseClaim(Fact):
    """A claim of attestation evidence that a release condition of the cloud can name.

    `service` is the service whose token or document carries it; `tees` are those whose evidence has it; `values` are
    the acceptable ones, empty for a measurement.
    """

    id: Text
    cloud: Text
    service: Text
    claim: Text
    tees: tuple[Tee, ...]
    values: tuple[str, ...] = ()
