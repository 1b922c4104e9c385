"""The required tags."""

import dataclasses

import pytest

from components.errors import InputError
from components.tags import Tags

TAGS = Tags(jurisdiction="DE", data_class="secret", owner="platform@example.org", stack="azure-germany")


def test_all_four_are_there_under_their_published_names() -> None:
    assert TAGS.as_mapping() == {
        "jurisdiction": "DE",
        "data-class": "secret",
        "owner": "platform@example.org",
        "stack": "azure-germany",
    }


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(Tags)])
@pytest.mark.parametrize("value", ["", "x" * 257])
def test_a_missing_or_endless_tag_is_refused_by_name(field: str, value: str) -> None:
    with pytest.raises(InputError, match=f"tags: {field}: must have 1 to 256 characters, has {len(value)}"):
        dataclasses.replace(TAGS, **{field: value})
