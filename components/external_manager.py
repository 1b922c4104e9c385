"""A key manager outside the cloud, as every cloud's key component sees it: where it is, and that it may be there."""

import catalog
from components.errors import InputError
from components.graph import Carries, Dependency, Kind
from components.spec import ExternalManagerSpec


def refuse_abroad(component: str, manager: ExternalManagerSpec, jurisdiction: str) -> None:
    """Raise `InputError` in the name of `component` unless the manager is inside `jurisdiction`."""
    known = catalog.load().jurisdictions
    for area in (manager.jurisdiction, *manager.legal_reach):
        if area not in known:
            found = f"{area!r} is not a jurisdiction of the catalogue"
            raise InputError(component, "external_manager", found, catalog.nearest(area, known))
    if not catalog.load().within(manager.jurisdiction, jurisdiction):
        found = f"is in {manager.jurisdiction}, and the keys must not leave {jurisdiction}"
        raise InputError(component, "external_manager.jurisdiction", found)


def require_together(component: str, service: str, external: str, manager: ExternalManagerSpec | None) -> None:
    """Raise `InputError` in the name of `component` unless the key service `external` has a manager, and no other."""
    if manager is None and service == external:
        raise InputError(component, "external_manager", f"is missing: {service} has no keys of its own")
    if manager is not None and service != external:
        raise InputError(
            component, "service", f"{service!r} makes keys itself, and external_manager is given", external
        )


def dependency(manager: ExternalManagerSpec) -> Dependency:
    """The edge of the jurisdiction graph to the manager. Its place is a jurisdiction: it is in no region of a cloud."""
    return Dependency(
        kind=Kind.KEYS,
        name="external key manager",
        endpoint=f"https://{manager.host}",
        location=manager.jurisdiction,
        operator=manager.operator,
        jurisdiction=manager.jurisdiction,
        legal_reach=manager.legal_reach,
        carries=Carries.KEYS,
        source="the stack file (bailiwick:keys.externalManager)",
    )
