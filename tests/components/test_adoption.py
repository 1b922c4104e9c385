"""What exists already is taken over in place of being created, by every component of every cloud, at any depth."""

import contextvars
from collections.abc import Mapping

import pulumi
import pytest

from components.component import import_ids
from components.errors import InputError
from tests.components.emulated import Bench


def test_what_another_stack_made_is_imported_and_protected(deployed: Bench) -> None:
    first = deployed.up("first")
    assert first.ok, first.error
    ids = {suffix: child.id for suffix, child in deployed.children("first").items()}
    second = deployed.up("second", ids)
    assert second.ok, second.error
    adopted = deployed.children("second")
    assert {suffix: child.import_id for suffix, child in adopted.items()} == ids
    assert all(child.protect for child in adopted.values())
    assert second.changes["import"] == len(ids) > 0


def test_a_child_that_does_not_exist_is_refused_with_the_nearest(deployed: Bench) -> None:
    first = deployed.up("first")
    assert first.ok, first.error
    (suffix, child), *_ = deployed.children("first").items()
    refused = deployed.up("second", {f"{suffix}s": child.id})
    assert not refused.ok
    assert f"import_ids: '{suffix}s' is no child of identity; nearest supported: {suffix}" in str(refused.error)
    assert "Traceback" not in str(refused.error)


def _read(value: str | None) -> Mapping[str, str] | None:
    """What an operator's configuration says, in a context of its own."""

    def read() -> Mapping[str, str] | None:
        pulumi.runtime.set_all_config({} if value is None else {"bailiwick-aws:importIds": value})
        return import_ids(pulumi.Config("bailiwick-aws"))

    return contextvars.copy_context().run(read)


def test_an_operator_says_what_a_region_takes_over() -> None:
    assert _read(None) is None
    assert _read('{"keys-vault": "an id"}') == {"keys-vault": "an id"}


@pytest.mark.parametrize("value", ["an id", '["an id"]', '{"keys-vault": 3}', '{"keys-vault": ""}', '""'])
def test_anything_but_names_and_ids_is_refused(value: str) -> None:
    with pytest.raises(InputError, match=r"^stack: bailiwick-aws:importIds: is not a mapping of children to ids"):
        _read(value)
