"""Names that a cloud accepts, and the same ones in every run."""

import re
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.naming import AZURE, InvalidName, azure_name, deterministic_guid, digest, globally_unique

STACKS = st.from_regex(r"[a-z][a-z0-9-]{0,40}[a-z0-9]", fullmatch=True)


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("storage account", "has-hyphen"),
        ("storage account", "UPPER"),
        ("storage account", "a" * 25),
        ("storage account", "ab"),
        ("vault", "1starts-with-digit"),
        ("vault", "two--hyphens"),
        ("vault", "ends-"),
        ("vault", "a" * 25),
        ("virtual machine", "under_score"),
        ("virtual machine", "a" * 65),
        ("attestation provider", "has-hyphen"),
        ("resource group", "ends."),
        ("blob container", "Two--Hyphens"),
        ("log workspace", "abc"),
        ("private endpoint", "p"),
        ("key", "under_score"),
    ],
)
def test_what_azure_refuses_is_refused_with_a_name_that_fits(kind: str, name: str) -> None:
    with pytest.raises(InvalidName) as refusal:
        azure_name(kind, name)
    message = str(refusal.value)
    assert message.startswith(f"{kind} name {name!r}: Azure accepts ")
    nearest = re.search(r"nearest valid name: '([^']+)'$", message)
    assert nearest is not None
    assert azure_name(kind, nearest[1])


@pytest.mark.parametrize("kind", sorted(AZURE))
@given(name=st.text(max_size=100))
def test_any_name_is_accepted_or_refused_with_one_that_is_accepted(kind: str, name: str) -> None:
    if AZURE[kind].accepts(name):
        assert azure_name(kind, name) == name
        return
    with pytest.raises(InvalidName) as refusal:
        azure_name(kind, name)
    assert azure_name(kind, str(refusal.value).rpartition("'")[0].rpartition("'")[2])


@pytest.mark.parametrize("kind", ["storage account", "vault", "attestation provider"])
@given(stack=STACKS, other=STACKS)
def test_unique_names_are_valid_stable_and_differ_between_stacks(kind: str, stack: str, other: str) -> None:
    name = globally_unique(kind, f"kv-{stack}", subscription_id="one", stack=stack)
    assert name == globally_unique(kind, f"kv-{stack}", subscription_id="one", stack=stack)
    assert AZURE[kind].accepts(name)
    assert name != globally_unique(kind, f"kv-{stack}", subscription_id="two", stack=stack)
    if other != stack:
        assert name != globally_unique(kind, f"kv-{stack}", subscription_id="one", stack=other)


def test_a_digest_never_changes() -> None:
    assert digest("00000000-0000-0000-0000-000000000000", "azure-germany") == "iggnfhun"


def test_the_parts_of_a_digest_do_not_run_together() -> None:
    assert digest("a", "bc") != digest("ab", "c")
    assert deterministic_guid("a", "bc") != deterministic_guid("ab", "c")


@given(st.lists(st.text(), min_size=1))
def test_a_guid_is_a_version_5_uuid(parts: list[str]) -> None:
    assert uuid.UUID(deterministic_guid(*parts)).version == 5
