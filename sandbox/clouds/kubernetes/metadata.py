"""Names, labels and annotations: what the API server asks of every object's metadata."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from sandbox.clouds.kubernetes import api
from sandbox.clouds.resource import CloudError, Request
from sandbox.values import Value

_LABEL_PATTERN: Final = r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?"
_DNS_LABEL_PATTERN: Final = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN_PATTERN: Final = rf"{_DNS_LABEL_PATTERN}(\.{_DNS_LABEL_PATTERN})*"
_SERVICE_PATTERN: Final = r"[a-z]([-a-z0-9]*[a-z0-9])?"
_PATH_SEGMENT: Final = re.compile(r"[^/%]+")
_QUALIFIED: Final = re.compile(rf"({_SUBDOMAIN_PATTERN}/)?([A-Za-z0-9][-A-Za-z0-9_.]{{0,61}})?[A-Za-z0-9]")
_LABEL_CHARACTERS: Final = 63
_SUBDOMAIN_CHARACTERS: Final = 253
_ANNOTATION_BYTES: Final = 256 * 1024
_DNS_LABELS: Final = frozenset({"namespaces", "resourceclaims.resource.k8s.io"})
_SERVICE_LABELS: Final = frozenset({"services"})
_PATH_SEGMENTS: Final = frozenset(
    f"{plural}.rbac.authorization.k8s.io" for plural in ("roles", "rolebindings", "clusterroles", "clusterrolebindings")
)

_SUBDOMAIN: Final = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and"
    f" end with an alphanumeric character (e.g. 'example.com', regex used for validation is '{_SUBDOMAIN_PATTERN}')"
)
_DNS_LABEL: Final = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with"
    f" an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '{_DNS_LABEL_PATTERN}')"
)
_SERVICE: Final = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character,"
    " and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is"
    f" '{_SERVICE_PATTERN}')"
)
_LABEL: Final = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and"
    " end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is"
    f" '{_LABEL_PATTERN}')"
)
_QUALIFIED_NAME: Final = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric"
    " character, after an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
)


def judge(request: Request) -> None:
    """The name, the namespace and the metadata of an object."""
    _judge_name(request)
    _judge_namespace(request)
    metadata = request.inputs["metadata"]
    judge_labels(request, "metadata", metadata)
    annotations = dict(_entries(metadata.get("annotations")))
    for key in annotations:
        _judge_key(request, "metadata.annotations", key)
    size = sum(len(key) + len(text) for key, text in annotations.items() if isinstance(text, str))
    if size > _ANNOTATION_BYTES:
        raise api.invalid(request, "metadata.annotations", f"Too long: may not be more than {_ANNOTATION_BYTES} bytes")


def judge_labels(request: Request, path: str, metadata: Mapping[str, Value]) -> None:
    """The labels in a piece of metadata at `path`, a pod template's included."""
    for key, value in _entries(metadata.get("labels")):
        _judge_key(request, f"{path}.labels", key)
        judge_label(request, f"{path}.labels", value)


def judge_label(request: Request, path: str, value: Value) -> None:
    """One label value."""
    if not isinstance(value, str):
        return
    if len(value) > _LABEL_CHARACTERS:
        raise api.invalid_value(request, path, value, f"must be no more than {_LABEL_CHARACTERS} bytes")
    if not re.fullmatch(_LABEL_PATTERN, value):
        raise api.invalid_value(request, path, value, _LABEL)


def _judge_name(request: Request) -> None:
    name, resource = request.name, request.type.kind
    if resource in _PATH_SEGMENTS:
        if not _PATH_SEGMENT.fullmatch(name):
            raise api.invalid_value(request, "metadata.name", name, "may not contain '/' or '%'")
        return
    if resource in _DNS_LABELS:
        longest, pattern, why = _LABEL_CHARACTERS, _DNS_LABEL_PATTERN, _DNS_LABEL
    elif resource in _SERVICE_LABELS:
        longest, pattern, why = _LABEL_CHARACTERS, _SERVICE_PATTERN, _SERVICE
    else:
        longest, pattern, why = _SUBDOMAIN_CHARACTERS, _SUBDOMAIN_PATTERN, _SUBDOMAIN
    if not re.fullmatch(pattern, name):
        raise api.invalid_value(request, "metadata.name", name, why)
    if len(name) > longest:
        raise api.invalid_value(request, "metadata.name", name, f"must be no more than {longest} characters")


def _judge_namespace(request: Request) -> None:
    stated = request.inputs["metadata.namespace"]
    if not request.parent:
        if stated:
            raise CloudError(
                "BadRequest",
                f"the {api.kind_name(request.type)} is not namespaced, and metadata.namespace is '{stated}'",
            )
        return
    namespace = request.parent.rsplit("/", 1)[-1]
    if namespace in api.SYSTEM_NAMESPACES or request.session.lookup(request.parent, preview=request.preview):
        return
    raise CloudError("NotFound", f'namespaces "{namespace}" not found')


def _judge_key(request: Request, path: str, key: str) -> None:
    if not _QUALIFIED.fullmatch(key):
        raise api.invalid_value(request, path, key, _QUALIFIED_NAME)


def _entries(mapping: Value) -> Iterator[tuple[str, Value]]:
    if isinstance(mapping, Mapping):
        yield from mapping.items()
