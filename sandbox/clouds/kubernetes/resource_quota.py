"""ResourceQuota: what the pods of a namespace may ask for together (admission plug-in `ResourceQuota`)."""

from collections.abc import Mapping
from typing import Any, Final

from sandbox.clouds.kubernetes import api
from sandbox.clouds.resource import CloudError
from sandbox.clouds.store import Store

KIND: Final = "resourcequotas"
_SECTIONS: Final[Mapping[str, tuple[str, str]]] = {
    "cpu": ("requests", "cpu"),
    "memory": ("requests", "memory"),
    "requests.cpu": ("requests", "cpu"),
    "requests.memory": ("requests", "memory"),
    "limits.cpu": ("limits", "cpu"),
    "limits.memory": ("limits", "memory"),
}
"""What a quota counts besides the number of pods, and where a container states it."""


def require_within(store: Store, namespace_id: str, name: str, spec: Mapping[str, Any]) -> None:
    """Raise `CloudError` for a pod that exceeds a quota of its namespace, or does not state what a quota counts."""
    for quota in store.children(namespace_id, KIND):
        hard = (quota.inputs.get("spec") or {}).get("hard") or {}
        pods = [pod.inputs["spec"] for pod in store.children(namespace_id, api.PODS) if pod.name != name]
        for counted, limit in hard.items():
            asked = _asked(counted, spec)
            if asked is None:
                continue
            if asked == 0:
                raise _forbidden(name, f"failed quota: {quota.name}: must specify {counted} for: {_containers(spec)}")
            used = sum(_asked(counted, each) or 0 for each in pods)
            if used + asked > (api.quantity(limit) or 0):
                raise _forbidden(
                    name,
                    f"exceeded quota: {quota.name}, requested: {counted}={asked:g}, used: {counted}={used:g},"
                    f" limited: {counted}={limit}",
                )


def _asked(counted: str, spec: Mapping[str, Any]) -> float | None:
    """What a pod adds to a count; None for what this cluster does not count."""
    if counted in ("pods", "count/pods"):
        return 1
    if counted not in _SECTIONS:
        return None
    section, resource = _SECTIONS[counted]
    total = 0.0
    for container in spec.get("containers") or ():
        resources = container.get("resources") or {}
        stated = (resources.get(section) or {}).get(resource) or (resources.get("limits") or {}).get(resource)
        total += api.quantity(stated or 0) or 0
    return total


def _containers(spec: Mapping[str, Any]) -> str:
    return ", ".join(container["name"] for container in spec.get("containers") or ())


def _forbidden(name: str, why: str) -> CloudError:
    return CloudError("Forbidden", f'pods "{name}" is forbidden: {why}')
