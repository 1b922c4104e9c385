"""AWS KMS: key stores of one's own, which moto does not know, and what keys can be in them.

The forms are those of `CreateCustomKeyStore` and `CreateKey` (botocore's model of AWS KMS, 2014-11-01). In AWS somebody
connects a store once it is made; here the manager's operator does so at once. A manager whose host is in the domain
`invalid` (RFC 2606) is never reached, and its store stays disconnected.
"""

import re
import secrets
from collections.abc import Mapping
from typing import Final

from sandbox.clouds.aws.resource import AwsType, Call, key_of
from sandbox.clouds.resource import CloudError
from sandbox.clouds.store import Object
from sandbox.values import Value

TOKEN: Final = "aws:kms/customKeyStore:CustomKeyStore"  # noqa: S105 - a resource's type token
_EXTERNAL: Final = "EXTERNAL_KEY_STORE"
_MOST: Final = 10
"""Custom key stores in one account and Region ("Resource quotas", AWS KMS Developer Guide)."""
_SYMMETRIC: Final = {"keyUsage": "ENCRYPT_DECRYPT", "customerMasterKeySpec": "SYMMETRIC_DEFAULT", "multiRegion": False}
_KEY_ID: Final = re.compile(r"[a-zA-Z0-9-_.]{1,128}")
_FORMS: Final = {
    "xksProxyUriEndpoint": re.compile(r"(?=.{10,128}$)https://[a-zA-Z0-9.-]+"),
    "xksProxyUriPath": re.compile(r"(?=.{10,128}$)(/[a-zA-Z0-9/_-]+)?/kms/xks/v\d{1,2}"),
    "xksProxyAuthenticationCredential.accessKeyId": re.compile(r"[A-Z2-7]{20,30}"),
    "xksProxyAuthenticationCredential.rawSecretAccessKey": re.compile(r"[a-zA-Z0-9/+=]{43,64}"),
}
"""What an external key store states, and in which form."""
_SERVICE: Final = re.compile(r"(?=.{20,64}$)(com|eu)\.amazonaws\.vpce\.((?:[a-z]+-){2,3}\d+)\.vpce-svc-[0-9a-z]+")


def _complete(call: Call) -> None:
    """All that KMS needs in order to reach an external manager, in the forms that it takes."""
    kind = call.inputs.text("customKeyStoreType") or "AWS_CLOUDHSM"
    if kind not in ("AWS_CLOUDHSM", _EXTERNAL):
        raise CloudError("ValidationException", f"CreateCustomKeyStore: customKeyStoreType {kind} is not valid")
    if kind != _EXTERNAL:
        cluster = call.inputs.text("cloudHsmClusterId")
        raise CloudError("CloudHsmClusterNotFoundException", f"CreateCustomKeyStore: no CloudHSM cluster '{cluster}'")
    for path, form in _FORMS.items():
        if not form.fullmatch(call.inputs.text(path)):
            raise CloudError(
                "ValidationException",
                f"CreateCustomKeyStore: value at '{path}' failed to satisfy constraint: Member must satisfy regular"
                f" expression pattern: {form.pattern}",
            )
    connectivity = call.inputs.text("xksProxyConnectivity")
    if connectivity not in ("PUBLIC_ENDPOINT", "VPC_ENDPOINT_SERVICE"):
        raise CloudError("ValidationException", f"CreateCustomKeyStore: xksProxyConnectivity '{connectivity}'")
    if connectivity == "VPC_ENDPOINT_SERVICE":
        _endpoint_service(call)


def _endpoint_service(call: Call) -> None:
    """The endpoint service is one of the store's own Region."""
    name = call.inputs.text("xksProxyVpcEndpointServiceName")
    found = _SERVICE.fullmatch(name)
    if found is None:
        raise CloudError("ValidationException", f"CreateCustomKeyStore: xksProxyVpcEndpointServiceName '{name}'")
    if found[2] != call.region:
        raise CloudError(
            "XksProxyVpcEndpointServiceNotFoundException",
            f"CreateCustomKeyStore: there is no VPC endpoint service {name} in {call.region}",
        )


def _is_new(call: Call) -> None:
    """Name and proxy are no other store's of the account and Region, which do not have too many."""
    others = [one for one in _stores(call) if one.urn != call.urn]
    if len(others) >= _MOST:
        raise CloudError("LimitExceededException", f"CreateCustomKeyStore: {_MOST} custom key stores in {call.region}")
    name, proxy = call.inputs["customKeyStoreName"], _proxy(call.inputs.properties)
    if any(one.inputs["customKeyStoreName"] == name for one in others):
        raise CloudError("CustomKeyStoreNameInUseException", f"CreateCustomKeyStore: {name} is another store's name")
    if any(_proxy(one.inputs) == proxy for one in others):
        raise CloudError("XksProxyUriInUseException", f"CreateCustomKeyStore: {''.join(proxy)} is another store's")


def _proxy(inputs: Mapping[str, Value]) -> tuple[str, str]:
    return str(inputs.get("xksProxyUriEndpoint")), str(inputs.get("xksProxyUriPath"))


def _stores(call: Call) -> list[Object]:
    kind = call.session.types[TOKEN]
    return [one for one in call.session.store.of_kind(TOKEN) if one.id.startswith(key_of(kind, call.region, ""))]


def _create(call: Call) -> str:
    _is_new(call)
    return f"cks-{secrets.token_hex(9)[:17]}"


def _remove(call: Call) -> None:
    """AWS deletes no store that has keys, those that wait for their deletion among them."""
    if call.session.store.claims.last(_space(call.id), "", "~") is not None:
        raise CloudError(
            "CustomKeyStoreHasCMKsException",
            f"DeleteCustomKeyStore: {call.id} has KMS keys, or did and their waiting period is not over",
        )


def _space(store_id: str) -> str:
    """Space of claims: the manager's keys that stand for keys of a store."""
    return f"xks:{store_id}"


def judge(call: Call) -> None:
    """A key is of a kind that its store can have, and the store is one of this account and Region, and connected.

    A preview says nothing of the connection: what it would change in the store may mend that.
    """
    inputs = call.inputs
    if not inputs["customKeyStoreId"]:
        if inputs["xksKeyId"]:
            raise CloudError("ValidationException", "CreateKey: XksKeyId is for keys in an external key store")
        return
    store_id = inputs.text("customKeyStoreId")
    for name, only in _SYMMETRIC.items():
        if inputs[name] not in (None, only):
            raise CloudError("UnsupportedOperationException", f"CreateKey: {name} {inputs[name]} in a custom key store")
    if inputs["enableKeyRotation"]:
        raise CloudError("UnsupportedOperationException", f"EnableKeyRotation: the key is in key store {store_id}")
    found = next(
        (one for one in _stores(call) if one.id == key_of(call.session.types[TOKEN], call.region, store_id)), None
    )
    if found is None:
        raise CloudError(
            "CustomKeyStoreNotFoundException", f"CreateKey: there is no key store {store_id} in {call.region}"
        )
    if not _KEY_ID.fullmatch(inputs.text("xksKeyId")):
        raise CloudError("ValidationException", f"CreateKey: XksKeyId '{inputs.text('xksKeyId')}' is not valid")
    if not call.preview and str(found.inputs["xksProxyUriEndpoint"]).endswith(".invalid"):
        raise CloudError(
            "CustomKeyStoreInvalidStateException",
            f"CreateKey: key store {store_id} is not CONNECTED, its ConnectionErrorCode is XKS_PROXY_NOT_REACHABLE",
        )
    holder = call.session.store.claims.holder(_space(store_id), inputs.text("xksKeyId"))
    if holder is not None and holder != call.id:
        raise CloudError("XksKeyAlreadyInUseException", f"CreateKey: external key {inputs['xksKeyId']} is in use")


def hold(call: Call) -> None:
    """From now on the manager's key stands for this key and no other."""
    if call.inputs["customKeyStoreId"]:
        call.session.store.claims.take(
            _space(call.inputs.text("customKeyStoreId")), call.inputs.text("xksKeyId"), call.id
        )


TYPES: Final = (
    AwsType(
        pulumi_type=TOKEN,
        create=_create,
        remove=_remove,
        in_place=frozenset(
            {
                "customKeyStoreName",
                "xksProxyAuthenticationCredential",
                "xksProxyConnectivity",
                "xksProxyUriEndpoint",
                "xksProxyUriPath",
                "xksProxyVpcEndpointServiceName",
            }
        ),
        defaults={"customKeyStoreType": "AWS_CLOUDHSM"},
        checks=(_complete,),
    ),
)
