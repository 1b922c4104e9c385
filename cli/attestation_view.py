"""How attestation results and key-release receipts look to a person."""

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from sandbox.region import GuestOutcome

_TIER_STYLES: Final = {"affirming": "green", "warning": "yellow", "contraindicated": "red", "none": "dim"}
_STATUS_STYLES: Final = {"attested": "green", "refused": "red", "failed": "red"}
_DIGEST: Final = re.compile(r"\b[0-9a-f]{33,}\b")
_RECEIPT_LINES: Final = {
    "id": "receipt",
    "time": "time",
    "kek": "key-encryption key",
    "guest_key": "wrapped to",
    "policy_digest": "policy sha256",
    "verdict_digest": "verdict sha256",
    "evidence_digest": "evidence sha256",
    "collateral_digest": "collateral sha256",
    "device_collateral_digest": "device collateral sha256",
    "jurisdiction": "jurisdiction",
}


def print_outcome(console: Console, outcome: "GuestOutcome", *, brief: bool = False) -> None:
    """One guest: its verdict claim by claim, the receipt of its key, and the model that it opened; or one line."""
    style = _STATUS_STYLES[outcome.status]
    image = "/".join(outcome.image.split("/")[-3::2])
    console.print(
        f"\n[bold]Attestation[/]  {escape(outcome.machine)} ({escape(image)}): [{style} bold]{outcome.status}[/]"
    )
    if outcome.reason:
        console.print(f"  [{style}]{escape(outcome.reason)}[/]")
    if brief and outcome.status == "attested":
        console.print(f"  as of {outcome.started_at}: its key was released to it, and it opened its model")
        return
    if outcome.claims:
        for name, submodule in outcome.claims["submods"].items():
            console.print(claims_table(name, submodule["ear.veraison.policy-claims"].items()))
    if outcome.receipt:
        print_receipt(console, outcome.receipt)
    if outcome.artefact and outcome.artefact.decrypted:
        artefact = outcome.artefact
        console.print(f"  model {escape(artefact.model)} decrypted: {artefact.bytes:,} bytes, sha256 {artefact.sha256}")


def claims_table(submodule: str, claims: Iterable[tuple[str, Mapping[str, Any]]]) -> Table:
    """Claims of one submodule (`cpu`): what was found, how it was judged, why, and which reference value matched."""
    table = Table(title=f"{submodule} claims", title_justify="left", box=None, padding=(0, 2, 0, 0))
    for heading in ("claim", "value", "verdict", "why"):
        table.add_column(heading, overflow="fold")
    for name, claim in claims:
        tier = str(claim["tier"])
        why = str(claim["reason"])
        if claim.get("reference") is not None:
            why += f" ({_short(claim['reference'])})"
        table.add_row(escape(name), escape(_short(claim["value"])), f"[{_TIER_STYLES[tier]}]{tier}[/]", escape(why))
    return table


def print_receipt(console: Console, receipt: Mapping[str, Any]) -> None:
    """What the transparency log says of the last decision about a guest."""
    entry = receipt["entry"]
    allowed = entry["decision"] == "allow"
    verb, style = ("released", "green") if allowed else ("refused", "red")
    console.print(f"[bold]Key release[/]  {escape(entry['resource'] or 'no resource')}: [{style} bold]{verb}[/]")
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 2))
    for member, label in _RECEIPT_LINES.items():
        if entry.get(member):
            table.add_row(f"[dim]{label}[/]", escape(_plain(entry[member])))
    for reason in () if allowed else entry.get("reasons", ()):
        table.add_row("[dim]reason[/]", escape(_plain(reason)))
    where = f"entry {receipt['index']} under a signed checkpoint of {receipt['tree_size']}, inclusion proof attached"
    table.add_row("[dim]log[/]", where)
    console.print(table)


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_plain(item)}" for key, item in value.items())
    return str(value)


def _short(value: Any) -> str:
    """Digests and the like by their ends, wherever they are in the text."""
    return _DIGEST.sub(lambda found: f"{found[0][:16]}…{found[0][-8:]}", _plain(value))
