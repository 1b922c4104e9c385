"""Whose word a release policy takes, and where that verifier is."""

import re
from collections.abc import Callable

import catalog
from policies.release.model import Flaw, Reading, Weakness

_ORIGIN = re.compile(r"https?://([a-z0-9]([a-z0-9.-]*[a-z0-9])?)(:[0-9]{1,5})?/?")


def foreign(reading: Reading, jurisdiction: str, jurisdiction_of: Callable[[str], str | None]) -> tuple[Weakness, ...]:
    """The authorities outside `jurisdiction`, one weakness for each place in the document that names one.

    `jurisdiction_of` answers for the host of an origin, None for a verifier that nobody knows. A way without an
    authority is the key service's own word.
    """
    within = catalog.load().within
    places = dict.fromkeys((way.path, way.authority) for way in reading.ways if way.authority)
    allowed = f"verifiers inside {jurisdiction}"
    found = []
    for path, authority in places:
        host = host_of(authority)
        where = jurisdiction_of(host) if host else None
        if where is None:
            what = "trusts an authority that is not a known verifier"
            found.append(Weakness(Flaw.FOREIGN_AUTHORITY, path, what, allowed))
        elif not within(where, jurisdiction):
            found.append(Weakness(Flaw.FOREIGN_AUTHORITY, path, f"trusts a verifier in {where}", allowed))
    return tuple(found)


def host_of(authority: str) -> str | None:
    """The host of `authority`, if that is an origin (RFC 6454) and nothing more: no two readers differ on it."""
    match = _ORIGIN.fullmatch(authority.lower())
    return match.group(1) if match else None
