"""`bailiwick waiver`: write a signed entry for `policies/waivers.yaml`."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
import yaml
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from pydantic import ValidationError

from cli.console import open_console
from cli.errors import CliError
from policies.pack import SEVERITIES
from policies.waivers import Waiver, objection, sign

app = typer.Typer(add_completion=False)


@app.command()
def waiver(
    rule: Annotated[str, typer.Argument(help="the rule, such as KEY-05")],
    urn: Annotated[str, typer.Argument(help="the resource's URN; * stands for any text")],
    owner: Annotated[str, typer.Option(help="who answers for it")],
    reason: Annotated[str, typer.Option(help="why, in one line")],
    expires: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="its last day")],
    key: Annotated[Path, typer.Option(metavar="FILE", help="Ed25519 private key, PEM without a passphrase")],
) -> None:
    """Print a signed waiver, to be added to policies/waivers.yaml in a reviewed change."""
    fields = {"rule": rule, "urn": urn, "owner": owner, "reason": reason, "expires": expires.date()}
    try:
        entry = Waiver.model_validate(fields)
    except ValidationError as error:
        first = error.errors()[0]
        raise CliError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    if problem := objection(entry, SEVERITIES):
        raise CliError(f"{rule}: {problem}")
    signed = sign(entry, _private_key(key)).model_dump()
    text = yaml.safe_dump([signed], sort_keys=False, width=1000, allow_unicode=True)
    open_console().file.write(text)


def _private_key(path: Path) -> Ed25519PrivateKey:
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (TypeError, ValueError):
        raise CliError(f"{path}: is not a private key in PEM without a passphrase") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise CliError(f"{path}: is not an Ed25519 key; make one with `openssl genpkey -algorithm ed25519`")
    return key
