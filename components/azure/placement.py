"""Where the parts of one region are put, and what all of them carry."""

from dataclasses import dataclass, field

import pulumi

from components.naming import azure_name, globally_unique
from components.tags import Tags


@dataclass(frozen=True, slots=True)
class Placement:
    """Subscription, location and resource group of a component. Every Args has one, so that no part strays."""

    stack: str
    """Name of the stack; names of resources begin with it."""
    subscription_id: str
    """Azure subscription, a GUID."""
    tenant_id: str
    """Microsoft Entra tenant that the subscription trusts, a GUID."""
    location: str
    """Azure region, as the catalogue names it."""
    resource_group_name: pulumi.Input[str]
    """Resource group that holds the region's resources."""
    tags: Tags = field(repr=False)
    """The four tags that every resource carries."""

    def name(self, kind: str, *words: str) -> str:
        """The name of a resource of this kind: stack and words joined by '-', checked against Azure's rules."""
        return azure_name(kind, "-".join((self.stack, *words)))

    def unique_name(self, kind: str, stem: str) -> str:
        """A name that no other stack and no other subscription has, for kinds whose names are public DNS names."""
        return globally_unique(kind, stem, subscription_id=self.subscription_id, stack=self.stack)

    @property
    def subscription_scope(self) -> str:
        """ARM id of the subscription."""
        return f"/subscriptions/{self.subscription_id}"

    @property
    def resource_group_id(self) -> pulumi.Output[str]:
        """ARM id of the resource group."""
        return pulumi.Output.concat(self.subscription_scope, "/resourceGroups/", self.resource_group_name)

    @property
    def tag_mapping(self) -> dict[str, str]:
        """The tags as Azure takes them."""
        return self.tags.as_mapping()
