"""The words that rules speak. A cloud's module fills them in from its own property paths (`policies.clouds`).

A `Setting` is a property together with the values that satisfy the control behind it, so that a rule can require
"secure boot" without knowing how any cloud spells it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from policies.conditions import Condition
from policies.release.model import Reading
from policies.subject import Principal, Property, Resource


def region_id(location: str) -> str:
    """`location` as the catalogue spells it: Azure takes `Germany West Central` for `germanywestcentral`."""
    return location.replace(" ", "").lower()


@dataclass(frozen=True, slots=True)
class Setting:
    """A property that must satisfy `condition`.

    `words` are values that may be printed although they do not satisfy it: a cloud's own enumeration, never free
    text. `unless_stated` tells that the cloud's default satisfies the condition too. `switch` tells that the first of
    `OneOf`'s values can be set at any time, and leaves the resource what it is: nothing is replaced, moved or opened.
    """

    property: Property
    condition: Condition
    words: tuple[str, ...] = ()
    unless_stated: bool = False
    switch: bool = False


@dataclass(frozen=True, slots=True)
class Unwanted:
    """A property whose mere presence breaks the control, whatever it holds; `what` names what it would make."""

    property: Property
    what: str


@dataclass(frozen=True, slots=True)
class Reference:
    """A property that points at another resource. Its id is unknown until that one exists; the engine still knows
    which resource it comes from, by the top-level property `through`."""

    property: Property
    through: str


@dataclass(frozen=True, slots=True)
class Origin:
    """A name that must satisfy `setting`, or, until it is known, come through the top-level property `through` from
    resources of `makers`, by type, and from no other key or store of keys."""

    setting: Setting
    through: str
    makers: frozenset[str]


@dataclass(frozen=True, slots=True)
class Machine:
    """A virtual machine, or a set of equal ones. What is left out the cloud decides, or has not."""

    confidential: Setting | None
    """None where a runtime decides, which another resource describes."""
    secure_boot: Setting | None = None
    virtual_tpm: Setting | None = None
    """None for both where the image decides and not the machine."""
    disk_binding: Setting | None = None
    """The OS disk and the guest state are encrypted together, with a key that only the TEE can use; None where the
    cloud has no such thing."""
    disk_key: Reference | None = None
    """The customer's key for them."""
    guest_configurations: tuple[Property, ...] = ()
    """What the machine is told at boot, JSON or base64 of it; may hold secrets, never printed."""
    size: Property | None = None
    """The cloud's name for its size; None where it has none that a program would choose."""
    image: Setting | None = None
    """That the image is one for ever: by version or digest, not by a name that moves. None where the cloud chooses."""
    runtime: Reference | None = None
    """What puts it into a confidential guest."""
    template: Reference | None = None
    """What says its TEE, and its size and image where it does not, if that is a resource of its own."""
    integrity_monitoring: Setting | None = None
    """That each boot is held against the first one; None where that would be an extension, which runs inside."""
    tees: Mapping[str, str] = field(default_factory=dict)
    """By the words of `confidential`, the TEE that each asks for, as the catalogue names it; none where only the size
    decides."""
    accelerators: Property | None = None
    """GPUs that are attached to it beside those of its size; None where a cloud has no such thing."""

    @property
    def is_confidential(self) -> bool:
        """Whether it says so itself, in a value that is known."""
        setting = self.confidential
        return setting is not None and not setting.property.unknown and setting.condition.holds(setting.property.value)


@dataclass(frozen=True, slots=True)
class DiskKey:
    """The resource that ties disks to a key; `for_confidential_machines` tells that the TEE, too, must agree."""

    for_confidential_machines: Setting


@dataclass(frozen=True, slots=True)
class KeyStore:
    """A vault or HSM. `service` is its id in the catalogue's private endpoints."""

    service: str
    hardware: Setting | None
    """That its keys can live in an HSM; None where nothing else is possible."""
    purge_protection: Setting | None
    deletion_delay: Setting | None
    """None for both where each key decides."""
    closed: tuple[Setting, ...]
    """What keeps the public network out."""
    openings: tuple[Unwanted, ...]
    """Exceptions to that."""
    api: str | None = None
    """The API that is reached and watched as a whole, where a store is not by itself."""
    region: Property | None = None
    """Where that API answers for it."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key. `release_document` is the policy that says to whom it may be released, in the cloud's own language."""

    hardware: Setting | None
    """That it lives in an HSM; None where nothing else is possible."""
    exportable: Property
    releasable: bool | None
    """Whether its operations include release; None where they are not stated."""
    release_document: Property
    wraps: bool | None
    """Whether it encrypts other keys; None where its operations are not stated."""
    rotation: tuple[Setting, ...]
    """How often a new version is made, one for each schedule; at least one must hold."""
    expiry: tuple[Property, ...]
    """Where an end of validity may be stated; at least one must be. None where the cloud's keys have no end."""
    deletion_delay: Setting | None = None
    """How long a destroyed key can be restored, where that is the key's own setting."""
    closed: tuple[Setting, ...] = ()
    """What keeps the public network off the way to it, where that is the key's own setting."""


@dataclass(frozen=True, slots=True)
class ReleaseDocument:
    """A policy that says to whom keys may be released, beside those that a key carries for a managed service.

    `read` raises `MalformedDocument` and, for what is known only after deployment, `UnknownProperty`.
    """

    property: Property
    read: Callable[[], Reading]


@dataclass(frozen=True, slots=True)
class LogSink:
    """Where records, metrics or traces go. `region` is the one that the place's own name states; `inside` tells that
    it is in the same cluster or network; `computed`, that the cloud fills it in where the program says nothing."""

    property: Property
    through: str
    region: str | None = None
    inside: bool = False
    computed: bool = False


@dataclass(frozen=True, slots=True)
class ModelSource:
    """Where a workload gets a model's weights: `digest` that they cannot change, `signature` that it is checked who
    made them."""

    digest: Setting
    signature: Property


@dataclass(frozen=True, slots=True)
class ProvenanceDemand:
    """What a cluster asks of container images before they start: all of `settings` must hold for it to count, and
    `images` (patterns with `*`) says for which images."""

    settings: tuple[Setting, ...]
    images: tuple[Property, ...]


@dataclass(frozen=True, slots=True)
class Redundancy:
    """Where copies of stored data are kept: `far` if in another region, which the cloud pairs with `location`."""

    setting: Property
    far: bool
    location: Property


@dataclass(frozen=True, slots=True)
class Role:
    """What a role allows: operations of the control plane and on data."""

    actions: tuple[Property, ...]
    data_actions: tuple[Property, ...]
    managing: tuple[Property, ...] = ()
    """Those of `actions` that make, change or destroy things, or say who may use them."""
    relabelling: tuple[Property, ...] = ()
    """Those of `actions` that change tags or labels."""


@dataclass(frozen=True, slots=True)
class KeyRight:
    """What one statement lets a principal do with keys: use them, or `governs`, which changes them or their rules."""

    holder: Principal
    resource: Resource
    """What states it."""
    property: Property
    governs: bool
    keys: frozenset[str] = frozenset()
    """Which keys, as one text wherever it is the same one; none for whichever there are."""

    def meets(self, other: "KeyRight") -> bool:
        """Whether the same principal has the other right too, on a key that both may be about."""
        return self.holder.may_be(other.holder) and (not self.keys or not other.keys or bool(self.keys & other.keys))


@dataclass(frozen=True, slots=True)
class PrivateDoor:
    """A private endpoint: `target` is what it leads to, `groups` which of the target's services; or, where it leads to
    a whole service and not to one resource, `host` is the name by which that is called."""

    target: Reference | None
    groups: tuple[Property, ...]
    host: Property | None = None


@dataclass(frozen=True, slots=True)
class Destination:
    """Where an egress rule lets traffic go. `location` is the region that the cloud's own name for it states."""

    property: Property
    private: bool
    location: str | None = None


@dataclass(frozen=True, slots=True)
class EgressRule:
    """One outbound rule of a guard: `denies_all` tells that it refuses every protocol, port and address."""

    property: Property
    allows: bool
    denies_all: bool
    destinations: tuple[Destination, ...]


@dataclass(frozen=True, slots=True)
class EgressGuard:
    """The outbound rules of a network security group, firewall policy or the like."""

    rules: tuple[EgressRule, ...]
    complete: bool = True
    """Whether these are all its rules; a single rule that is a resource of its own is not."""


@dataclass(frozen=True, slots=True)
class Subnet:
    """One subnet, or a machine's attachment where guards belong to that: which guard it has."""

    default_outbound: Setting | None
    """That the cloud gives it no way out by default; None where nothing here decides on that."""
    guard: Reference


@dataclass(frozen=True, slots=True)
class RecordStore:
    """Storage that keeps what is written to it, unchanged, for a time: all of these must hold."""

    settings: tuple[Setting, ...]
    complete: bool = True
    """Whether that is all; if not, another resource must say how long."""
    keeps: Reference | None = None
    """The storage that this resource says it for; None where it is the storage itself."""


@dataclass(frozen=True, slots=True)
class AuditStream:
    """A stream of audit records from `observed` to a store."""

    observed: Reference
    store: Reference
    enabled: tuple[Setting, ...]
    """One for each category of records; at least one must hold."""
