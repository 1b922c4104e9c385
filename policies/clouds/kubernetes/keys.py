"""Release policies of a Key Broker Service, which it reads from a ConfigMap."""

import re
from collections.abc import Iterator
from functools import partial

from policies.release.languages import analyse
from policies.release.model import Reading
from policies.subject import Property, Resource
from policies.terms import ReleaseDocument

_CONFIG_MAP = "kubernetes:core:ConfigMap"
_POLICY_FILE, _REGO = "policy.rego", ".rego"
_IS_POLICY = re.compile(r"^\s*package\s+policy\s*$", re.MULTILINE)


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
