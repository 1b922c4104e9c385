"""Mistakes with keys and external key stores, each with AWS's answer."""

from typing import Any

import pytest

from sandbox.provider import ProviderError
from tests.sandbox.clouds.aws.bench import ACCOUNT, Bench, policy, urn
from tests.sandbox.clouds.aws.mistakes import Making, Mistake

ROOT = f"arn:aws:iam::{ACCOUNT}:root"
ADMINISTER = {"Effect": "Allow", "Principal": {"AWS": ROOT}, "Action": "kms:*", "Resource": "*"}
_XKS: dict[str, Any] = {
    "customKeyStoreName": "outside",
    "customKeyStoreType": "EXTERNAL_KEY_STORE",
    "xksProxyConnectivity": "VPC_ENDPOINT_SERVICE",
    "xksProxyUriEndpoint": "https://keys.trustee.example",
    "xksProxyUriPath": "/sovereign/kms/xks/v1",
    "xksProxyVpcEndpointServiceName": "com.amazonaws.vpce.eu-west-1.vpce-svc-0123456789abcdef0",
    "xksProxyAuthenticationCredential": {"accessKeyId": "A" * 20, "rawSecretAccessKey": "s" * 43},
}


def _key_store(**changes: Any) -> Making:
    return lambda bench: bench.make("kms:CustomKeyStore", "outside", **(_XKS | changes))


def _outside(store: dict[str, Any] | None = None, **inputs: Any) -> Making:
    """A key in an external key store, both with changes."""

    def make(bench: Bench) -> Any:
        made = _key_store(**(store or {}))(bench)
        return bench.make("kms:Key", "wrong", **({"customKeyStoreId": made.id, "xksKeyId": "llm"} | inputs))

    return make


def _used_twice(bench: Bench) -> Any:
    store = _key_store()(bench)
    for name in ("first", "second"):
        bench.make("kms:Key", name, customKeyStoreId=store.id, xksKeyId="llm")


def _eleven_stores(bench: Bench) -> Any:
    for number in range(11):
        changes = {"customKeyStoreName": f"store-{number}", "xksProxyUriPath": f"/n{number}/kms/xks/v1"}
        bench.make("kms:CustomKeyStore", f"store-{number}", **(_XKS | changes))


def _second_store(**changes: Any) -> Making:
    def make(bench: Bench) -> Any:
        _key_store()(bench)
        return bench.make("kms:CustomKeyStore", "second", **(_XKS | changes))

    return make


def _store_with_a_deleted_key(bench: Bench) -> Any:
    store = _key_store()(bench)
    key = bench.make("kms:Key", "key", customKeyStoreId=store.id, xksKeyId="llm", deletionWindowInDays=30)
    bench.remove("kms:Key", "key", key)
    bench.remove("kms:CustomKeyStore", "outside", store)


KEYS = (
    Mistake(
        "a key that locks its owner out",
        lambda b: b.make("kms:Key", "w", policy=policy({**ADMINISTER, "Action": "kms:Decrypt"})),
        "The new key policy will not allow you to update the key policy in the future.",
    ),
    Mistake(
        "a key for a role that does not exist",
        lambda b: b.make(
            "kms:Key",
            "w",
            policy=policy(ADMINISTER, {**ADMINISTER, "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/nobody"}}),
        ),
        "Policy contains a statement with one or more invalid principals.",
    ),
    Mistake(
        "a deletion window of three days",
        lambda b: b.make("kms:Key", "w", deletionWindowInDays=3),
        "expected deletionWindowInDays to be in the range (7 - 30), got 3",
    ),
    Mistake(
        "a rotation every week",
        lambda b: b.make("kms:Key", "w", enableKeyRotation=True, rotationPeriodInDays=7),
        "expected rotationPeriodInDays to be in the range (90 - 2560), got 7",
    ),
    Mistake(
        "an alias without its prefix",
        lambda b: b.make("kms:Alias", "w", name="llm", targetKeyId=b.make("kms:Key", "key").id),
        "ValidationException: CreateAlias",
    ),
    Mistake(
        "an alias of AWS's own",
        lambda b: b.make("kms:Alias", "w", name="alias/aws/llm", targetKeyId=b.make("kms:Key", "key").id),
        "NotAuthorizedException: CreateAlias",
    ),
)
STORES = (
    Mistake(
        "a key store that is not there",
        _outside(customKeyStoreId="cks-0"),
        "CustomKeyStoreNotFoundException: CreateKey",
    ),
    Mistake(
        "a key store of another Region",
        _outside(region="eu-central-1"),
        "CustomKeyStoreNotFoundException: CreateKey: there is no key store",
    ),
    Mistake(
        "a key store that nobody could connect",
        _outside({"xksProxyUriEndpoint": "https://keys.invalid"}),
        "CustomKeyStoreInvalidStateException: CreateKey: key store",
    ),
    Mistake("a manager's key for two keys", _used_twice, "XksKeyAlreadyInUseException: CreateKey: external key llm"),
    Mistake(
        "a manager's key without a store",
        lambda b: b.make("kms:Key", "w", xksKeyId="llm"),
        "ValidationException: CreateKey: XksKeyId is for keys in an external key store",
    ),
    Mistake("a key store without the manager's key", _outside(xksKeyId=None), "XksKeyId '' is not valid"),
    Mistake(
        "a key outside that AWS rotates",
        _outside(enableKeyRotation=True),
        "UnsupportedOperationException: EnableKeyRotation: the key is in key store",
    ),
    Mistake("a key outside of several Regions", _outside(multiRegion=True), "multiRegion True in a custom key store"),
    Mistake(
        "an asymmetric key outside",
        _outside(customerMasterKeySpec="RSA_2048"),
        "UnsupportedOperationException: CreateKey: customerMasterKeySpec RSA_2048",
    ),
    Mistake(
        "a key store with a deleted key",
        _store_with_a_deleted_key,
        "CustomKeyStoreHasCMKsException: DeleteCustomKeyStore",
    ),
    Mistake("eleven key stores", _eleven_stores, "LimitExceededException: CreateCustomKeyStore: 10 custom key stores"),
    Mistake(
        "two key stores of one name",
        _second_store(xksProxyUriPath="/second/kms/xks/v1"),
        "CustomKeyStoreNameInUseException: CreateCustomKeyStore: outside",
    ),
    Mistake("two key stores of one proxy", _second_store(customKeyStoreName="second"), "XksProxyUriInUseException"),
    Mistake(
        "an endpoint service of another Region",
        _key_store(xksProxyVpcEndpointServiceName="com.amazonaws.vpce.eu-central-1.vpce-svc-0123456789abcdef0"),
        "XksProxyVpcEndpointServiceNotFoundException: CreateCustomKeyStore",
    ),
    Mistake(
        "an external key store without a credential",
        _key_store(xksProxyAuthenticationCredential=None),
        "value at 'xksProxyAuthenticationCredential.accessKeyId' failed to satisfy constraint",
    ),
    Mistake(
        "a proxy without TLS", _key_store(xksProxyUriEndpoint="http://keys.trustee.example"), "'xksProxyUriEndpoint'"
    ),
    Mistake(
        "a CloudHSM cluster that is not there",
        _key_store(customKeyStoreType=None, cloudHsmClusterId="cluster-1"),
        "CloudHsmClusterNotFoundException: CreateCustomKeyStore: no CloudHSM cluster 'cluster-1'",
    ),
)


@pytest.mark.parametrize("mistake", [*KEYS, *STORES], ids=lambda mistake: mistake.what)
def test_a_mistake_is_refused_as_aws_does(bench: Bench, mistake: Mistake) -> None:
    mistake.is_refused(bench)


def test_a_store_that_nobody_could_connect_is_mended_and_the_next_deployment_goes_on(bench: Bench) -> None:
    store = _key_store(xksProxyUriEndpoint="https://keys.invalid")(bench)
    key = {"customKeyStoreId": store.id, "xksKeyId": "llm"}
    bench.cloud.create(urn("kms:Key", "key"), {"region": "eu-west-1", **key}, preview=True)
    with pytest.raises(ProviderError, match="is not CONNECTED"):
        bench.make("kms:Key", "key", **key)
    bench.change("kms:CustomKeyStore", "outside", store, **_XKS)
    bench.make("kms:Key", "key", **key)
