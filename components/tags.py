"""The tags that every resource of a region carries, so that a bill, a search and a policy can tell whose it is."""

import re
from dataclasses import dataclass, fields

from components.errors import InputError

LONGEST_LABEL = 63
"""Characters in a label value of Google Cloud and of Kubernetes."""
LONGEST_VALUE = 256
"""Characters in an Azure tag value (Azure Resource Manager, tag limitations); other clouds allow fewer, never more."""


@dataclass(frozen=True, slots=True)
class Tags:
    """The four required tags. Policies read `jurisdiction` and `data-class` from every resource that can carry tags."""

    jurisdiction: str
    """Jurisdiction that the resource must not leave, as the catalogue names it (`DE`, `EU`)."""
    data_class: str
    """Highest class of data that the resource may hold: public, internal, confidential or secret."""
    owner: str
    """Who answers for the resource: a mailbox of a team, not a person's."""
    stack: str
    """Name of the stack that made the resource."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not value or len(value) > LONGEST_VALUE:
                raise InputError("tags", field.name, f"must have 1 to {LONGEST_VALUE} characters, has {len(value)}")

    def as_mapping(self) -> dict[str, str]:
        """The tags as a cloud takes them."""
        return {
            "jurisdiction": self.jurisdiction,
            "data-class": self.data_class,
            "owner": self.owner,
            "stack": self.stack,
        }

    def as_labels(self) -> dict[str, str]:
        """The tags as a cloud takes them whose labels know lower-case letters, digits, '_' and '-' only.

        `platform@example.org` becomes `platform_at_example-org`, `DE` becomes `de`.
        """
        return {key: label_value(value) for key, value in self.as_mapping().items()}


def label_value(text: str) -> str:
    """`text` as a label value: lower-case letters, digits, '_' and '-', 63 at most."""
    return re.sub(r"[^a-z0-9_-]", "-", text.lower().replace("@", "_at_"))[:LONGEST_LABEL]
