"""Where the parts of one region are put, and what all of them carry."""

from dataclasses import dataclass, field

import catalog
from components.errors import InputError
from components.gcp.names import gcp_name, gcp_unique
from components.tags import Tags

TYPE = "bailiwick:index:GcpPlacement"


@dataclass(frozen=True, slots=True)
class Placement:
    """Project and location of a component. Every Args has one, and every resource names both, so that no part strays
    to what the provider happens to be configured with."""

    stack: str
    """Name of the stack; names of resources begin with it."""
    project_id: str
    """Project, with the universe's prefix where it has one."""
    location: str
    """Region, as the catalogue names it."""
    tags: Tags = field(repr=False)
    """The four tags that every resource carries, as labels."""
    cloud: str = "gcp"
    """Cloud of the catalogue: Google's own universe, or a sovereign one."""

    def __post_init__(self) -> None:
        facts = catalog.load()
        cloud = facts.cloud(self.cloud)
        if cloud.provider != "gcp":
            raise InputError(TYPE, "cloud", f"{self.cloud!r} is another provider's", "gcp")
        if cloud.project_prefix and not self.project_id.startswith(cloud.project_prefix):
            raise InputError(
                TYPE,
                "project_id",
                f"{self.project_id!r} is not a project of {cloud.name}",
                f"{cloud.project_prefix}{self.project_id}",
            )
        try:
            facts.region(self.cloud, self.location)
        except catalog.UnknownFact as error:
            raise InputError(TYPE, "location", str(error.message).split(";")[0], error.nearest) from error

    def name(self, *words: str) -> str:
        """The name of a compute resource: stack and words joined by '-', checked against Google Cloud's rules."""
        return self.name_of("compute", *words)

    def name_of(self, kind: str, *words: str) -> str:
        """The name of a resource of another kind."""
        return gcp_name(kind, "-".join((self.stack, *words)))

    def bucket_name(self, stem: str) -> str:
        """A bucket's name, which no other project in the world has."""
        return gcp_unique("bucket", f"{stem}{self.stack}", self.project_id, self.stack)

    @property
    def labels(self) -> dict[str, str]:
        """The tags as Google Cloud takes them."""
        return self.tags.as_labels()
