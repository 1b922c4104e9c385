"""What every Kubernetes object has: a kind, a name, a namespace, and an API server that words its refusals.

Inside the emulated cluster an object's id is `<plural>[.<group>]/[<namespace>/]<name>`; a program sees Pulumi's own,
without the kind: `<namespace>/<name>`.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Final

from sandbox.clouds.resource import Account, Check, CloudError, Compute, Hook, Request, ResourceType, Undetermined, View
from sandbox.clouds.store import Object
from sandbox.values import Value, contains_unknown

NAMESPACES: Final = "namespaces"
PODS: Final = "pods"
DEFAULT_NAMESPACE: Final = "default"
SYSTEM_NAMESPACES: Final = ("default", "kube-node-lease", "kube-public", "kube-system")
"""Namespaces that every cluster has."""

_DNS_LABEL: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")

Identify = Callable[[Account, View], tuple[str, str]]


def kind_type(
    api_version: str,
    kind: str,
    plural: str,
    *,
    namespaced: bool = True,
    replace_on: tuple[str, ...] = (),
    checks: tuple[Check, ...] = (),
    outputs: Mapping[str, Compute] | None = None,
    started: Hook | None = None,
    stopped: Hook | None = None,
) -> ResourceType:
    """The type of a kind. `api_version` is `<group>/<version>`, the group of the core API being `core`."""
    group = api_version.split("/")[0]
    resource = plural if group == "core" else f"{plural}.{group}"
    return ResourceType(
        pulumi_type=f"kubernetes:{api_version}:{kind}",
        kind=resource,
        identify=_identify(resource, namespaced=namespaced),
        name_property=None,
        located="none",
        replace_on=("apiVersion", "kind", "metadata.name", "metadata.namespace", *replace_on),
        checks=tuple(map(_when_known, checks)),
        outputs=outputs or {},
        started=started,
        stopped=stopped,
    )


def _when_known(check: Check) -> Check:
    """A check that a preview leaves for the deployment where anything in the manifest is unknown yet."""

    def judge(request: Request) -> None:
        if contains_unknown(request.inputs.properties):
            raise Undetermined(request.id)
        check(request)

    return judge


def _identify(resource: str, *, namespaced: bool) -> Identify:
    def identify(account: Account, manifest: View) -> tuple[str, str]:
        name = manifest.text("metadata.name")
        if not namespaced:
            return f"{resource}/{name}", ""
        namespace = manifest.text("metadata.namespace") or account.location or DEFAULT_NAMESPACE
        return object_id(resource, namespace, name), object_id(NAMESPACES, "", namespace)

    return identify


def object_id(resource: str, namespace: str, name: str) -> str:
    return f"{resource}/{namespace}/{name}" if namespace else f"{resource}/{name}"


def is_namespaced(kind: ResourceType) -> bool:
    return kind.identify(Account(id=""), View({"metadata": {"name": "any"}}))[1] != ""


def api_version_of(kind: ResourceType) -> str:
    """`apps/v1`; `v1` for the core API."""
    return kind.pulumi_type.split(":")[1].removeprefix("core/")


def kind_name(kind: ResourceType) -> str:
    """`Deployment`."""
    return kind.pulumi_type.split(":")[2]


def namespace_of(item: Object | Request) -> str:
    """The namespace of an object; '' for one that is in none."""
    parts = item.id.split("/")
    return parts[1] if len(parts) == 3 else ""


def is_dns_label(text: str) -> bool:
    """Whether `text` is an RFC 1123 label."""
    return _DNS_LABEL.fullmatch(text) is not None


def labels_of(manifest: Mapping[str, Value]) -> dict[str, str]:
    metadata = manifest.get("metadata")
    labels = metadata.get("labels") if isinstance(metadata, Mapping) else None
    return dict(labels) if isinstance(labels, Mapping) else {}


def namespace_labels(name: str, namespace: Object | None) -> dict[str, str]:
    """A namespace's labels, with the one that the API server gives it; None is one that every cluster has."""
    return {"kubernetes.io/metadata.name": name} | (labels_of(namespace.inputs) if namespace else {})


def invalid(request: Request, path: str, problem: str) -> CloudError:
    """A value that the API server's validation refuses (field.Error of k8s.io/apimachinery)."""
    group = request.type.kind.partition(".")[2]
    qualified = kind_name(request.type) + (f".{group}" if group else "")
    return CloudError("Invalid", f'{qualified} "{request.name}" is invalid: {path}: {problem}')


def invalid_value(request: Request, path: str, value: Value, why: str) -> CloudError:
    return invalid(request, path, f"Invalid value: {json.dumps(value)}: {why}")


def forbidden(request: Request, why: str) -> CloudError:
    """A request that an admission plug-in refuses."""
    return CloudError("Forbidden", f'{request.type.kind} "{request.name}" is forbidden: {why}')


def bad_request(request: Request, why: str) -> CloudError:
    """A body that the API server cannot decode."""
    version, kind = api_version_of(request.type).rsplit("/", 1)[-1], kind_name(request.type)
    return CloudError("BadRequest", f'{kind} in version "{version}" cannot be handled as a {kind}: {why}')


_QUANTITY: Final = re.compile(r"([+-]?(?:\d+(?:\.\d*)?|\.\d+))(Ki|Mi|Gi|Ti|Pi|Ei|[numkMGTPE]?|[eE][+-]?\d+)")
_FACTORS: Final[Mapping[str, float]] = {
    "": 1, "n": 1e-9, "u": 1e-6, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18,
    "Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40, "Pi": 2.0**50, "Ei": 2.0**60,
}  # fmt: skip


def quantity(text: Value) -> float | None:
    """A resource quantity (`500m`, `4Gi`) as a number; None for what is no quantity."""
    match = _QUANTITY.fullmatch(str(text))
    if match is None:
        return None
    number, suffix = match.groups()
    return float(number) * _FACTORS[suffix] if suffix in _FACTORS else float(f"{number}{suffix}")
