"""KEY-02 at preview, when no key has a name yet: what it comes from tells in whose HSM it will be."""

import pytest

from policies import examples, pack
from policies.examples import aws
from policies.rule import Example, ExampleResource
from policies.testing import UNKNOWN, Violation, judge

SECRET = {"dataClass": "secret"}
IN_HSM = ExampleResource("pulumi-python:dynamic/azure:ManagedHsmKey", "hsm-key", {"properties": {"kty": "RSA-HSM"}})
IN_VAULT = examples.but(examples.WRAPPING_KEY, {}, name="vault-key")
STORE = ExampleResource("aws:kms:CustomKeyStore", "store", {"region": aws.LOCATION})


def disks(*keys: str) -> ExampleResource:
    return examples.but(examples.DISK_KEY, {"activeKey": {"keyUrl": UNKNOWN}}, uses={"activeKey": keys})


def findings(resource: ExampleResource, *others: ExampleResource, config: dict[str, str] = SECRET) -> list[Violation]:
    """What KEY-02 says of `resource`."""
    rule = next(rule for rule in pack.RULES if rule.id == "KEY-02")
    outcome = judge(list(rule.policies()), Example("", (resource, *others), config))
    return [one for one in outcome.violations if one.urn.endswith(f"::{resource.name}")]


def test_a_key_of_a_managed_hsm_of_the_stack_passes_before_it_has_a_url() -> None:
    assert findings(disks("hsm-key"), IN_HSM) == []


@pytest.mark.parametrize("keys", [(), ("vault-key",), ("hsm-key", "vault-key"), ("of-another-stack",)])
def test_any_other_origin_is_unknown_and_blocks(keys: tuple[str, ...]) -> None:
    found = findings(disks(*keys), IN_HSM, IN_VAULT)
    assert [(one.unknown, one.mandatory) for one in found] == [(True, True)]


def test_what_else_the_url_comes_from_is_no_key_and_does_not_matter() -> None:
    group = ExampleResource("azure-native:resources:ResourceGroup", "group", {"location": examples.LOCATION})
    assert findings(disks("hsm-key", "group"), IN_HSM, group) == []


@pytest.mark.parametrize(("uses", "unknown"), [({"customKeyStoreId": ("store",)}, []), ({}, [True])])
def test_a_key_store_of_aws_has_no_id_before_it_is_made(uses: dict[str, tuple[str, ...]], unknown: list[bool]) -> None:
    key = examples.but(aws.KEY, {"customKeyStoreId": UNKNOWN}, uses=uses)
    assert [one.unknown for one in findings(key, STORE, config={**aws.CONFIG, **SECRET})] == unknown
