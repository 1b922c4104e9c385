"""What only the operator of a site knows about it: its registry, its HSM, its stores. It holds no secret."""

import ipaddress
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel

import catalog
from components.errors import InputError
from components.spec import ImageSpec

KEY = "bailiwick-kubernetes:site"
"""Key of the stack file that states the site."""


def _network(text: str) -> str:
    return str(ipaddress.IPv4Network(text))


Cidr = Annotated[str, AfterValidator(_network)]
Digest = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
Pinned = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]*(:\d+)?(/[a-z0-9][a-z0-9._-]*)+@sha256:[0-9a-f]{64}$")]
ObjectName = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$")]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, validate_by_name=True)


class Endpoint(_Model):
    """Something at the site that pods may call."""

    cidr: Cidr
    """Its addresses, a private IPv4 range inside the region's `network.addressSpace`."""
    port: int = Field(ge=1, le=65535)
    """Its TCP port."""


class Hsm(_Model):
    """The site's HSM, through PKCS#11."""

    module: str = Field(pattern=r"^/\S+$")
    """Path of the vendor's PKCS#11 library in the verifier's image."""
    token: str = Field(min_length=1, max_length=32)
    """Label of the token (PKCS#11 v3.1, CK_TOKEN_INFO: 32 characters)."""
    pin_secret: ObjectName
    """Name of a Secret in the verifier's namespace, made by the site's people and not by this program, whose key `pin`
    is the token user's PIN."""
    endpoint: Endpoint | None = None
    """Where a network HSM is; None for a device in the nodes."""
    device: str | None = Field(default=None, pattern=r"^[a-z0-9.-]+/[A-Za-z0-9._-]+$")
    """Extended resource under which the node's device plug-in offers an HSM in the node; None for a network HSM."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.endpoint is None) == (self.device is None):
            raise ValueError("state either endpoint (a network HSM) or device (an HSM in the nodes)")
        return self


class ModelStoreSite(_Model):
    """The site's object store for encrypted models."""

    account: str = Field(pattern=r"^[a-z0-9]{3,24}$")
    """Name by which guests know the store."""
    endpoint: Endpoint
    """Where it is."""


class LockedBucket(_Model):
    """A bucket with object lock that the customer has, as the customer describes it."""

    url: str = Field(pattern=r"^https://\S+$")
    """Address of the bucket."""
    mode: Literal["compliance"]
    """Object-lock mode: `governance` lets a privileged user delete, and is refused."""
    jurisdiction: str
    """Where it is, as the catalogue names jurisdictions."""
    operator: str
    """Who runs it."""

    @model_validator(mode="after")
    def _known_place(self) -> Self:
        known = catalog.load().jurisdictions
        if self.jurisdiction not in known:
            near = catalog.nearest(self.jurisdiction, known)
            raise ValueError(f"jurisdiction {self.jurisdiction!r} is unknown; nearest: {near}")
        return self


class AuditSite(_Model):
    """Where the audit trail is kept."""

    storage_class: ObjectName | None = None
    """Storage class of the log's volume; None takes the cluster's default. It must offer ReadWriteMany."""
    bucket: LockedBucket | None = None
    """Bucket to which the site ships the log's checkpoints; None where the volume is all there is."""


class Site(_Model):
    """One site."""

    registry: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]*(:\d+)?(/[a-z0-9][a-z0-9._-]*)*$")
    """Registry and repository from which every image of the region comes, such as `registry.example.org/bailiwick`."""
    images: dict[str, Digest]
    """Digest of each container image, by `<name>-<version>`."""
    guest_images: str = Field(default="/opt/kata/share/bailiwick", pattern=r"^/\S+[^/]$")
    """Folder on the nodes with the measured guest images, `<name>-<version>.img`."""
    hsm: Hsm
    model_store: ModelStoreSite
    audit: AuditSite = AuditSite()
    collateral_server: Pinned | None = None
    """Image, pinned by digest, of the file server that serves the collateral cache; None where the region has none."""

    def container_image(self, component: str, image: ImageSpec) -> str:
        """The container image of one version, pinned by its digest."""
        id_ = f"{image.name}-{image.version}"
        if id_ not in self.images:
            near = catalog.nearest(id_, self.images)
            raise InputError(component, f"{KEY}.images", f"{id_} has no digest", near)
        return f"{self.registry}/{image.name}@{self.images[id_]}"

    @classmethod
    def from_mapping(cls, mapping: Any) -> Self:
        """The site in a mapping with camelCase keys; raises `InputError` with every problem."""
        try:
            return cls.model_validate(mapping)
        except ValidationError as error:
            problems = "; ".join(
                f"{'.'.join(map(str, item['loc'])) or 'site'}: {item['msg'].removeprefix('Value error, ')}"
                for item in error.errors(include_input=False, include_url=False)
            )
            raise InputError("stack file", KEY, problems) from None


def require_inside(component: str, field: str, endpoint: Endpoint, address_space: str) -> None:
    """Raise `InputError` for an endpoint outside the region's private range: pods would leave the site to reach it."""
    if not ipaddress.IPv4Network(endpoint.cidr).subnet_of(ipaddress.IPv4Network(address_space)):
        raise InputError(component, field, f"{endpoint.cidr} is outside the region's network", address_space)
