"""Who may issue tokens: the list in issuers.yaml, each with the law it is under. No other issuer is believed."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

from verifier import yaml_files
from verifier.errors import InvalidToken

_DATA: Final = Path(__file__).parent / "issuers.yaml"

Kind = Literal["azure", "confidential-space", "intel", "nvidia"]


@dataclass(frozen=True, slots=True)
class Issuer:
    """One issuer.

    issuer: `iss` of its tokens, exactly; former: what it was in older ones. keys: where it publishes its keys, which a
    header's `jku` must then be. algorithms: the only ones that its tokens are signed with. country: where it says it
    runs; None: it does not say. operator_country: whose law its operator is under. sources: `issuer`, `keys` and
    `algorithms` → with what the value was compared, and when.
    """

    kind: Kind
    name: str
    issuer: str
    keys: str
    algorithms: tuple[str, ...]
    operator: str
    operator_country: str
    country: str | None
    sources: Mapping[str, str]
    former: tuple[str, ...] = ()

    @property
    def jurisdiction(self) -> str:
        """Where it runs and whose law reaches it, in words."""
        place = self.country or "no stated country"
        return place if place == self.operator_country else f"{place}, under the law of {self.operator_country}"


def find(name: str) -> Issuer:
    """The issuer with this name or `iss`; of Azure, also a customer's own provider in a listed region.

    InvalidToken names the nearest when it is not listed.
    """
    listed = _listed()
    for issuer in listed:
        if name in {issuer.name, issuer.issuer}:
            return issuer
    own = _own_provider(name, listed)
    if own is not None:
        return own
    nearest = difflib.get_close_matches(name, [text for it in listed for text in (it.name, it.issuer)], n=1)
    hint = f"; nearest is {nearest[0]}" if nearest else ""
    raise InvalidToken(f"issuer: {name!r:.80} is not on the list of issuers{hint}")


@cache
def _listed() -> tuple[Issuer, ...]:
    content = yaml_files.packaged(_DATA)
    return (*(_service(entry) for entry in content["services"]), *_azure(content["azure"]))


def _service(entry: dict[str, Any]) -> Issuer:
    lists = {name: tuple(entry.get(name, ())) for name in ("algorithms", "former")}
    return Issuer(**{**entry, **lists})


def _azure(entry: dict[str, Any]) -> Iterator[Issuer]:
    for provider in entry["providers"]:
        issuer = f"https://{provider['host']}"
        yield Issuer(
            kind="azure",
            name=f"azure-attestation-{provider['region']}",
            issuer=issuer,
            keys=f"{issuer}/certs",
            algorithms=tuple(entry["algorithms"]),
            operator=entry["operator"],
            operator_country=entry["operator_country"],
            country=provider["country"],
            sources=entry["sources"],
        )


def _own_provider(url: str, listed: tuple[Issuer, ...]) -> Issuer | None:
    """`https://<name>.<code>.attest.azure.net`: a customer's provider is where the shared one of its region is."""
    label, _, domain = url.removeprefix("https://").partition(".")
    if not url.startswith("https://") or not label.isascii() or not label.isalnum():
        return None
    for shared in listed:
        if shared.kind == "azure" and shared.issuer.partition(".")[2] == domain:
            return Issuer(
                "azure",
                url,
                url,
                f"{url}/certs",
                shared.algorithms,
                shared.operator,
                shared.operator_country,
                shared.country,
                shared.sources,
            )
    return None
