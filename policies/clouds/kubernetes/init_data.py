"""Init data of Confidential Containers: what the host tells a pod's guest before anything starts in it.

The annotation is base64 of gzip of a TOML document with one text for each file (confidential-containers/trustee,
`kbs/docs/initdata.md`): `policy.rego`, by which Kata's agent refuses what the host asks of it, `aa.toml` and
`cdh.toml`, which say where the guest attests and gets its keys.
"""

import base64
import gzip
import io
import tomllib
from collections.abc import Iterator
from typing import Any, Final

from policies.clouds.kubernetes.data import InCluster
from policies.clouds.kubernetes.pods import pod_template_of
from policies.conditions import Matching, OneOf
from policies.release import rego
from policies.release.model import MalformedDocument
from policies.subject import MalformedProperty, Property, Resource
from policies.terms import Setting

_PREFIX: Final = "io.katacontainers.config.hypervisor."
_ANNOTATION, _KERNEL = _PREFIX + "cc_init_data", _PREFIX + "kernel_params"
_LARGEST: Final = 1024 * 1024
"""Bytes of the document; Kubernetes keeps 256 KiB for all annotations of an object."""
_DEEPEST: Final = 16
_EXPECTED: Final = "init data: base64 of gzip of TOML, with version, algorithm and a table [data] of texts"
_PACKAGE: Final = "agent_policy"
_NEVER: Final = (
    "AllowRequestsFailingPolicy",
    "ExecProcessRequest",
    "ReadStreamRequest",
    "SetPolicyRequest",
    "WriteStreamRequest",
)
"""What would let the host run commands in the guest, read what its processes write, and change these rules."""
_NOT_ALWAYS: Final = ("CopyFileRequest", "CreateContainerRequest")
"""What a pod needs, of some files and of some images."""
_DENIED: Final = OneOf(("denied",))
_CONFINED: Final = OneOf(("denied", "conditional"))
_AGENTS: Final = ("aa.toml", "cdh.toml")
_NO_CONSOLE: Final = Matching(r"(?!.*\bagent\.debug_console).*", "no console of Kata's agent (agent.debug_console)")


def side_doors(resource: Resource) -> Iterator[Setting]:
    """What the guest's own agent does for the host; where no policy is told, that of the guest's image decides."""
    yield Setting(_annotation(resource, _KERNEL), _NO_CONSOLE, unless_stated=True)
    policy = _files(resource).at("policy.rego")
    if not policy.stated:
        return
    module = _module(policy)
    for request in _NEVER:
        answer = "allowed" if request in module and module.alternatives(request) else "denied"
        yield Setting(Property(f"{policy.path} {request}", answer), _DENIED, ("allowed",))
    for request in _NOT_ALWAYS:
        answer = "always allowed" if module.always(request) else "conditional"
        yield Setting(Property(f"{policy.path} {request}", answer), _CONFINED, ("always allowed",))


def brokers(resource: Resource) -> Iterator[Setting]:
    """Where the guest's agents attest and fetch keys, images and settings."""
    files = _files(resource)
    for name in _AGENTS:
        if files.at(name).stated:
            for url in _addresses(_toml(files.at(name)), 0):
                yield Setting(url, InCluster())
    for parameter in (_annotation(resource, _KERNEL).text or "").split():
        if parameter.startswith("agent.aa_kbc_params="):
            yield Setting(Property(_KERNEL, parameter.rpartition("::")[2]), InCluster())


def _annotation(resource: Resource, name: str) -> Property:
    template = pod_template_of(resource)
    return template.at("metadata", "annotations", name) if template else Property("", {}).at(name)


def _files(resource: Resource) -> Property:
    """The files, by name; raises `MalformedProperty`, and `UnknownProperty` for what is known only after deployment."""
    stated = _annotation(resource, _ANNOTATION)
    if not stated.stated:
        return stated
    try:
        with gzip.open(io.BytesIO(base64.b64decode(stated.text or "", validate=True))) as unpacked:
            document = unpacked.read(_LARGEST + 1)
    except (ValueError, OSError, EOFError):
        raise MalformedProperty(stated.path, _EXPECTED) from None
    if len(document) > _LARGEST:
        raise MalformedProperty(stated.path, f"{_EXPECTED}, of {_LARGEST} bytes or less")
    return Property(stated.path, _loaded(stated.path, document).get("data"))


def _toml(file: Property) -> Property:
    return Property(file.path, _loaded(file.path, (file.text or "").encode()))


def _loaded(path: str, text: bytes) -> dict[str, Any]:
    try:
        return tomllib.loads(text.decode())
    except (ValueError, RecursionError):
        raise MalformedProperty(path, "TOML") from None


def _module(policy: Property) -> rego.Module:
    try:
        module = rego.read(policy.text or "")
    except MalformedDocument:
        raise MalformedProperty(policy.path, "a policy of Kata's agent, in Rego") from None
    if module.package != _PACKAGE:
        raise MalformedProperty(policy.path, f"of the package {_PACKAGE}, which the agent asks")
    return module


def _addresses(found: Property, depth: int) -> Iterator[Property]:
    """Every address in a table, at whatever key: agents of several releases name it differently."""
    value = found.value
    if isinstance(value, dict | list):
        if depth > _DEEPEST:
            raise MalformedProperty(found.path, f"nested less than {_DEEPEST} levels deep")
        parts = found.items() if isinstance(value, list) else tuple(map(found.at, found.names()))
        for part in parts:
            yield from _addresses(part, depth + 1)
    elif isinstance(value, str) and value.lower().startswith(("http://", "https://")):
        yield found
