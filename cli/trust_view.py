"""How the pinned trust anchors look to a person."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from rich.markup import escape
from rich.table import Table

from verifier.anchors import Pinned

_STYLES: Final = {"valid": "green", "expired": "yellow", "not yet valid": "yellow", "differs": "red"}


def anchors_table(pins: Iterable[Pinned], at: datetime) -> Table:
    """One entry for each: whose it is and for what, until when, its fingerprint, and where the pin comes from."""
    table = Table(box=None, padding=(0, 2, 1, 0))
    for heading in ("vendor", "for", "subject", "until", "state", "SHA-256, source"):
        table.add_column(heading, overflow="fold")
    for pin in pins:
        certificate, state = pin.certificate, pin.state(at)
        source = f"{pin.fingerprint}\n{pin.pin.source}\n{pin.pin.date}: {pin.pin.checked}"
        table.add_row(
            pin.vendor,
            f"{pin.pin.product}\n[dim]{pin.pin.role}[/]",
            escape(certificate.common_name) if certificate else "-",
            f"{certificate.not_after:%Y-%m-%d}" if certificate else "-",
            f"[{_STYLES[state]}]{state}[/]",
            escape(source),
        )
    return table
