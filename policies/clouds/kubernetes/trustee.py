"""The configuration of Trustee's Key Broker Service, in a ConfigMap: how long what it attested counts.

Its protocol takes no evidence without its own nonce and the guest's key, and no setting changes that. How long a
session and a token last, and whether a token's key must be one of the verifier's, are settings
(confidential-containers/trustee, `kbs/docs/config.md`).
"""

import tomllib
from collections.abc import Iterator
from typing import Any, Final

from policies.conditions import AtMost, OneOf
from policies.release import documents
from policies.release.model import MalformedDocument
from policies.subject import MalformedProperty, Property, Resource
from policies.terms import Setting

_CONFIG_MAP: Final = "kubernetes:core:ConfigMap"
_NAMES: Final = ("kbs-config.toml", "kbs-config.json")
"""The files that its operator reads."""
_HOUR: Final = AtMost(60, "minutes")
_UNSIGNED: Final = ("insecure_header_jwk", "insecure_key")
"""Takes a token of whoever made a key for it; the second is what earlier releases call it."""


def freshness(resource: Resource) -> Iterator[Setting]:
    """What keeps attestation results fresh, and the verifier's own; raises `MalformedProperty`."""
    data = resource.props.at("data") if resource.type == _CONFIG_MAP else Property("", {})
    for name in _NAMES:
        if data.at(name).stated:
            configuration = Property(data.at(name).path, _read(data.at(name)))
            service = configuration.at("attestation_service")
            yield Setting(service.at("timeout"), _HOUR, unless_stated=True)
            yield Setting(service.at("attestation_token_broker", "duration_min"), _HOUR, unless_stated=True)
            for key in _UNSIGNED:
                yield Setting(configuration.at("attestation_token", key), OneOf((False,)), unless_stated=True)


def _read(file: Property) -> Any:
    try:
        return (tomllib.loads if file.path.endswith(".toml") else documents.load)(file.text or "")
    except (ValueError, RecursionError, MalformedDocument):
        raise MalformedProperty(file.path, "a configuration of the Key Broker Service") from None
