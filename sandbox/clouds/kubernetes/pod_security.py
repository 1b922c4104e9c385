"""Pod Security Admission: the `baseline` and `restricted` levels that a namespace's label enforces.

The controls are those of "Pod Security Standards" (kubernetes.io/docs/concepts/security/pod-security-standards). What
concerns Windows, AppArmor and sysctls is left out.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

LABEL: Final = "pod-security.kubernetes.io/enforce"
_BASELINE_CAPABILITIES: Final = frozenset(
    {
        "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "SETFCAP",
        "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
    }
)  # fmt: skip
_RESTRICTED_VOLUMES: Final = frozenset(
    {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}
)
_SECCOMP: Final = ("RuntimeDefault", "Localhost")

Spec = Mapping[str, Any]


def violations(level: str, spec: Spec) -> list[str]:
    """What a pod spec does that the level forbids, in the admission plug-in's words."""
    if level not in ("baseline", "restricted"):
        return []
    containers = [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]
    found = list(_baseline(spec, containers))
    return found + list(_restricted(spec, containers)) if level == "restricted" else found


def _baseline(spec: Spec, containers: Sequence[Spec]) -> Iterator[str]:
    for field in ("hostNetwork", "hostPID", "hostIPC"):
        if spec.get(field) is True:
            yield f"host namespaces ({field}=true)"
    yield from _containers("privileged", "must not set securityContext.privileged=true", containers, _privileged)
    for volume in spec.get("volumes") or ():
        if "hostPath" in volume:
            yield f'hostPath volumes (volume "{volume["name"]}")'
    for container in containers:
        if any(port.get("hostPort") for port in container.get("ports") or ()):
            yield f'hostPort (container "{container["name"]}")'
        added = set((_context(container).get("capabilities") or {}).get("add") or ())
        if added - _BASELINE_CAPABILITIES:
            named = ", ".join(sorted(added - _BASELINE_CAPABILITIES))
            yield f'non-default capabilities (container "{container["name"]}" must not include "{named}")'


def _restricted(spec: Spec, containers: Sequence[Spec]) -> Iterator[str]:
    pod = spec.get("securityContext") or {}
    for volume in spec.get("volumes") or ():
        kinds = set(volume) - {"name"}
        if kinds - _RESTRICTED_VOLUMES:
            yield f'restricted volume types (volume "{volume["name"]}" uses restricted volume type "{min(kinds)}")'
    yield from _containers(
        "allowPrivilegeEscalation != false",
        "must set securityContext.allowPrivilegeEscalation=false",
        containers,
        lambda container: _context(container).get("allowPrivilegeEscalation") is not False,
    )
    yield from _containers(
        "unrestricted capabilities",
        'must set securityContext.capabilities.drop=["ALL"]',
        containers,
        lambda container: "ALL" not in ((_context(container).get("capabilities") or {}).get("drop") or ()),
    )
    yield from _containers(
        "runAsNonRoot != true",
        "must set securityContext.runAsNonRoot=true",
        containers,
        lambda container: _context(container).get("runAsNonRoot", pod.get("runAsNonRoot")) is not True,
    )
    yield from _containers(
        "seccompProfile",
        'must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"',
        containers,
        lambda container: (
            (_context(container).get("seccompProfile") or pod.get("seccompProfile") or {}).get("type") not in _SECCOMP
        ),
    )


def _containers(control: str, demand: str, containers: Sequence[Spec], breaks: Any) -> Iterator[str]:
    named = ", ".join(f'"{container["name"]}"' for container in containers if breaks(container))
    if named:
        yield f"{control} (container {named} {demand})"


def _privileged(container: Spec) -> bool:
    return _context(container).get("privileged") is True


def _context(container: Spec) -> Spec:
    context: Spec = container.get("securityContext") or {}
    return context
