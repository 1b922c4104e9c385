"""`bailiwick verify`: is this evidence genuine, and is it acceptable?"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from cli.errors import CliError
from cli.times import read_time
from verifier import ear
from verifier.command import Verdict, verify_files, verify_token
from verifier.signer import load_public_key
from verifier.trust import TrustStore

app = typer.Typer(add_completion=False)


@app.command()
def verify(
    evidence: Annotated[
        Path,
        typer.Argument(
            help="SNP report, TDX quote, NVIDIA device report or list of them, Azure HCL report, AWS Nitro attestation "
            "document, a Google vTPM's attestation (with its processor's report or without), or with --keys and "
            "--issuer a token that somebody else issued"
        ),
    ],
    collateral: Annotated[
        Path | None,
        typer.Option(
            "--collateral",
            "--endorsements",
            help="collateral store, or folder with what endorses it: vcek.der or vlek.der and any ASK, ARK and CRL, or "
            "the host's certificate table (auxblob), for SNP; tcb_info.json and its companions for TDX; rims and ocsp "
            "for NVIDIA; nothing for a Nitro document or a Google vTPM alone",
        ),
    ] = None,
    policy: Annotated[
        Path | None, typer.Option(help="appraisal policy; without one, nonce and image count only if given")
    ] = None,
    nonce: Annotated[
        str | None, typer.Option(help="what the evidence must be bound to (REPORT_DATA, a nonce), in hex")
    ] = None,
    at: Annotated[str | None, typer.Option(help="time of verification, ISO 8601; default now")] = None,
    reference_values: Annotated[list[Path] | None, typer.Option(help="signed reference values of an image")] = None,
    build_key: Annotated[list[Path] | None, typer.Option(help="public key (PEM) that signs reference values")] = None,
    sandbox_root: Annotated[Path | None, typer.Option(help="also trust this emulated hardware root (PEM)")] = None,
    event_log: Annotated[
        Path | None, typer.Option(help="what firmware measured: a TD's CCEL log, or the TCG log of an Azure VM's vTPM")
    ] = None,
    keys: Annotated[
        Path | None, typer.Option(help="of a token: its issuer's keys (JWKS), or the root of its signers (PEM)")
    ] = None,
    issuer: Annotated[str | None, typer.Option(help="of a token: name of its issuer, or its `iss`")] = None,
    explain: Annotated[bool, typer.Option("--explain", help="every claim with its reason")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="the whole verdict as JSON")] = False,
) -> None:
    """Verify attestation evidence offline. Exit code 0: affirming, 1: not, 2: malformed or unreadable."""
    if (keys is None) is not (issuer is None):
        raise CliError("--keys and --issuer belong together: a token is checked with the keys of a named issuer")
    if keys is not None and issuer is not None:
        _require_unused(
            {
                "--collateral": collateral,
                "--reference-values": reference_values,
                "--build-key": build_key,
                "--sandbox-root": sandbox_root,
                "--event-log": event_log,
            }
        )
        verdict = verify_token(evidence, keys, issuer, at=read_time(at), policy=policy, nonce=_hex(nonce))
        _show(verdict, explain=explain, as_json=as_json)
        return
    trust = TrustStore.production()
    if sandbox_root is not None:
        trust = trust.with_sandbox(_read(sandbox_root))
    verdict = verify_files(
        evidence,
        collateral,
        at=read_time(at),
        policy=policy,
        nonce=_hex(nonce),
        reference_values=reference_values or (),
        build_keys=[load_public_key(_read(path)) for path in build_key or ()],
        event_log=event_log,
        trust=trust,
    )
    _show(verdict, explain=explain, as_json=as_json)


def _require_unused(options: Mapping[str, object]) -> None:
    """CliError when one was given: what a person asks for and a token does not get must not seem to hold."""
    given = next((name for name, value in options.items() if value), None)
    if given is not None:
        raise CliError(f"{given}: for evidence, not for a token, which rests on its issuer's word (--keys, --issuer)")


def _show(verdict: Verdict, *, explain: bool, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(verdict.as_json(), indent=2))
    else:
        _print(verdict, explain=explain)
    if verdict.exit_code:
        raise typer.Exit(verdict.exit_code)


def _print(verdict: Verdict, *, explain: bool) -> None:
    if verdict.error is not None:
        raise CliError(verdict.error, code=verdict.exit_code)
    word, colour = ("affirming", typer.colors.GREEN) if verdict.acceptable else ("not affirming", typer.colors.RED)
    typer.echo(f"{typer.style(word, fg=colour, bold=True)}  {verdict.summary}")
    if explain and verdict.result is not None:
        # Rich is imported for tables alone, as a verdict in one line should come fast.
        from cli.attestation_view import claims_table
        from cli.console import open_console

        console = open_console()
        for name, appraisal in verdict.result.submods.items():
            claims = ((claim.name, ear.claim_members(claim)) for claim in appraisal.claims)
            console.print(claims_table(name, claims))


def _hex(text: str | None) -> bytes | None:
    try:
        return None if text is None else bytes.fromhex(text)
    except ValueError:
        raise CliError(f"--nonce: {text!r} is not hexadecimal") from None


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CliError(f"{path}: {error.strerror}") from None
