"""Keys in a cluster: those that it keeps, those of its volumes, and the Key Broker Service's policies for releases."""

import re
from collections.abc import Iterator
from functools import partial

from policies.conditions import Matching
from policies.release.languages import analyse
from policies.release.model import Reading
from policies.subject import Property, Resource
from policies.terms import Key, ReleaseDocument, Setting

_CONFIG_MAP = "kubernetes:core:ConfigMap"
_SECRET = "kubernetes:core:Secret"  # noqa: S105 - a type
_STORAGE_CLASS = "kubernetes:storage.k8s.io:StorageClass"
_SEALED = Matching(r"sealed\.\S+|c2VhbGVkL\S+", "a sealed secret (sealed.…), which only an attested guest opens")
"""As such, or in the base64 that `data` takes (Confidential Containers, sealed secrets)."""
_SWITCHED = ("encryptionKMSID", "kmsKeyId")
"""Where the storage drivers of Ceph and AWS are told whose key encrypts a volume, which `encrypted` switches on."""
_VOLUME_KEYS = (*_SWITCHED, "disk-encryption-kms-key", "diskEncryptionSetID")
"""And those of Google Cloud and Azure."""
_POLICY_FILE, _REGO = "policy.rego", ".rego"
_IS_POLICY = re.compile(r"^\s*package\s+policy\s*$", re.MULTILINE)


def key(resource: Resource) -> Key | None:
    """`resource` as a key: what the cluster keeps as a secret, whoever runs its control plane reads, unless a key in
    hardware has sealed it. Of several values the first that is not."""
    if resource.type != _SECRET:
        return None
    props = resource.props
    values = [props.at(key, name) for key in ("stringData", "data") for name in props.at(key).names()]
    open_ones = [one for one in values if one.unknown or not _SEALED.holds(one.value)]
    never = Property("", {}).at("none")
    return Key(
        hardware=Setting((open_ones or values or [props.at("data")])[0], _SEALED),
        exportable=never,
        releasable=None,
        release_document=never,
        wraps=False,
        rotation=(),
        expiry=(),
    )


def service_keys(resource: Resource) -> Iterator[Property]:
    """The customer's key of the volumes that a storage class makes, where the driver is told to encrypt with it."""
    if resource.type != _STORAGE_CLASS:
        return
    parameters = resource.props.at("parameters")
    named = next((name for name in _VOLUME_KEYS if parameters.at(name).stated), _VOLUME_KEYS[0])
    switched_off = named in _SWITCHED and parameters.at("encrypted").text != "true"
    yield Property("parameters", {}).at("encrypted") if switched_off else parameters.at(named)


def release_documents(resource: Resource) -> Iterator[ReleaseDocument]:
    """The Rego files of a ConfigMap that are resource policies: other packages are other components' policies."""
    if resource.type == _CONFIG_MAP:
        data = resource.props.at("data")
        for name in data.names():
            if name == _POLICY_FILE or (name.endswith(_REGO) and _is_policy(data.at(name))):
                yield ReleaseDocument(data.at(name), partial(_read, data.at(name)))


def _is_policy(file: Property) -> bool:
    return file.unknown or bool(_IS_POLICY.search(file.text or ""))


def _read(file: Property) -> Reading:
    return analyse("kbs", file.text or "")
