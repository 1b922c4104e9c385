"""Keys that AWS KMS has outside AWS, in a manager that it reaches through the VPC (external key store, XKS)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import pulumi
from pulumi_aws import kms

from components.aws.names import aws_name
from components.aws.placement import Placement
from components.errors import InputError
from components.external_manager import refuse_abroad
from components.spec import ExternalManagerSpec

SERVICE = "kms-external-key-store"
ROTATION_TAG = "key-rotation"
"""Tag that says how often the manager renews a key (ISO 8601): AWS renews none of a key store of one's own."""


@dataclass(frozen=True, slots=True)
class XksCredential:
    """With what AWS KMS signs its requests to the manager's proxy; both halves are secrets."""

    access_key_id: pulumi.Output[str] = field(repr=False)
    """20 to 30 letters A to Z and digits 2 to 7."""
    secret_access_key: pulumi.Output[str] = field(repr=False)
    """43 to 64 characters of base64."""


def key_store(
    name: str,
    placement: Placement,
    manager: ExternalManagerSpec,
    credential: XksCredential,
    opts: pulumi.ResourceOptions,
) -> "kms.CustomKeyStore":
    """The key store whose keys are the manager's. Somebody connects it before the first key is made in it."""
    return kms.CustomKeyStore(
        name,
        region=placement.location,
        custom_key_store_name=aws_name("key store", f"{placement.stack}-keys"),
        custom_key_store_type="EXTERNAL_KEY_STORE",
        xks_proxy_connectivity="VPC_ENDPOINT_SERVICE",
        xks_proxy_uri_endpoint=f"https://{manager.host}",
        xks_proxy_uri_path=manager.path,
        xks_proxy_vpc_endpoint_service_name=manager.connection,
        xks_proxy_authentication_credential=kms.CustomKeyStoreXksProxyAuthenticationCredentialArgs(
            access_key_id=_secret(credential.access_key_id), raw_secret_access_key=_secret(credential.secret_access_key)
        ),
        opts=opts,
    )


def _secret(value: pulumi.Input[str]) -> pulumi.Output[str]:
    return pulumi.Output.secret(value)


def check(
    component: str,
    manager: ExternalManagerSpec,
    credential: XksCredential | None,
    needed: Iterable[str],
    jurisdiction: str,
) -> None:
    """Raise `InputError` in the name of `component` unless `manager` has a key of its own for each of `needed`."""
    refuse_abroad(component, manager, jurisdiction)
    if credential is None:
        found = "is missing: AWS KMS signs what it asks the manager"
        settings = "the secrets bailiwick-aws:xksAccessKeyId and bailiwick-aws:xksSecretAccessKey"
        raise InputError(component, "external_credential", found, settings)
    for half in ("access_key_id", "secret_access_key"):
        if not isinstance(getattr(credential, half), pulumi.Output):
            found = "is plain text, and state would have it so"
            raise InputError(component, f"external_credential.{half}", found, "pulumi.Config().require_secret(…)")
    _check_keys(component, manager.keys, list(needed))


def _check_keys(component: str, named: Mapping[str, str], needed: list[str]) -> None:
    for key in needed:
        if key not in named:
            raise InputError(component, "external_manager.keys", f"names no key of the manager for {key!r}")
    for key in named:
        if key not in needed:
            found = f"{key!r} is no key of the region, which has {', '.join(needed)}"
            raise InputError(component, "external_manager.keys", found)
        if list(named.values()).count(named[key]) > 1:
            found = f"{named[key]!r} stands for more than one key, and AWS KMS takes each of the manager's once"
            raise InputError(component, "external_manager.keys", found)
