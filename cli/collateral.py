"""`bailiwick collateral`: the vendors' collateral in a store of one's own, so that verification asks nobody."""

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from cli.collateral_view import findings_table, outcome_line
from cli.console import open_console
from cli.errors import EXIT_VIOLATION, CliError
from cli.times import read_time
from verifier.collateral import bundle as bundles
from verifier.collateral import needs
from verifier.collateral.checking import Finding, check, state_of
from verifier.collateral.fetch.fetcher import Fetcher, Outcome
from verifier.collateral.fetch.http import Client
from verifier.collateral.fetch.origins import Origins, Service, Vendor
from verifier.collateral.gathering import needs_of
from verifier.collateral.needs import Need
from verifier.collateral.record import CollateralError
from verifier.collateral.store import Store
from verifier.command import read_evidence
from verifier.signer import SoftwareSigner, load_public_key
from verifier.snp import Product, SigningKey
from verifier.trust import TrustStore

app = typer.Typer(add_completion=False, no_args_is_help=True)

DEFAULT_STORE: Final = Path("collateral")
MIRROR_VARIABLE: Final = "BAILIWICK_COLLATERAL_MIRROR"

_SERVICES: Final = {
    Vendor.AMD: ("amd-kds", "api"),
    Vendor.INTEL: ("intel-pcs", "api"),
    Vendor.INTEL_ROOT: ("intel-pcs", "root"),
    Vendor.NVIDIA_RIM: ("nvidia-rim", "api"),
    Vendor.NVIDIA_OCSP: ("nvidia-ocsp", "ocsp"),
    Vendor.GOOGLE: ("google-launch-endorsements", "api"),
}
"""Service and endpoint of the catalogue's vendors."""

StoreOption = Annotated[Path, typer.Option("--store", help="folder of the store", metavar="DIR")]
RootOption = Annotated[Path | None, typer.Option(help="also trust this emulated hardware root (PEM)", metavar="FILE")]
JsonOption = Annotated[bool, typer.Option("--json", help="as JSON")]
AtOption = Annotated[str | None, typer.Option(help="as of this time, ISO 8601; default now")]


@app.callback()
def collateral_() -> None:
    """Fetch, list, check and carry the vendors' collateral."""


@app.command()
def fetch(
    evidence: Annotated[list[Path] | None, typer.Argument(help="evidence whose collateral is needed")] = None,
    store: StoreOption = DEFAULT_STORE,
    mirror: Annotated[
        list[str] | None,
        typer.Option(
            envvar=MIRROR_VARIABLE,
            metavar="[SERVICE=]URL",
            help="mirror inside the jurisdiction: of all vendors (URL/host/path), or of one service "
            f"(URL/path): {', '.join(Vendor)}. A PCCS is intel=URL",
        ),
    ] = None,
    from_vendors: Annotated[
        bool, typer.Option("--from-vendors", help="ask the vendors' own hosts, wherever they are")
    ] = False,
    product: Annotated[list[Product] | None, typer.Option(help="chains and CRLs of a line of AMD's processors")] = None,
    fmspc: Annotated[list[str] | None, typer.Option(help="TCB info of Intel's platforms with this FMSPC (hex)")] = None,
    rim: Annotated[list[str] | None, typer.Option(help="NVIDIA's RIM with this id")] = None,
    google: Annotated[bool, typer.Option("--google", help="also Google's launch endorsement of the firmware")] = False,
    update: Annotated[
        str, typer.Option(help="TCB info and QE identity: standard, early, or the number of a TCB recovery")
    ] = needs.STANDARD,
    again: Annotated[bool, typer.Option("--again", help="fetch also what is not due")] = False,
    ca: Annotated[Path | None, typer.Option(help="CAs of the mirror's certificate (PEM)", metavar="FILE")] = None,
    sandbox_root: RootOption = None,
    as_json: JsonOption = False,
) -> None:
    """Fetch what evidence needs and is missing or due; without any, what is in the store and due. Exit 1: not all."""
    if update not in {needs.STANDARD, needs.EARLY} and not (update.isascii() and update.isdigit() and len(update) < 6):
        raise CliError(f"--update: {update!r}: standard, early or a tcbEvaluationDataNumber such as 20 expected")
    trust = _trust(sandbox_root)
    origins = _origins(mirror or [], from_vendors=from_vendors)
    client = Client(authority=ca)
    try:
        fetcher = Fetcher(Store(store), origins, client, trust, lambda: datetime.now(UTC))
        asked = [
            *(need for name in product or () for need in _of_product(name)),
            *(need for name in fmspc or () for need in _of_fmspc(name, update)),
            *(needs.rim(name) for name in rim or ()),
        ]
        if evidence or asked:
            found = _needs(fetcher, evidence or [], asked, update, google=google)
            outcomes = list(fetcher.fetch(found, again=again))
        else:
            outcomes = list(fetcher.refresh())
    finally:
        client.close()
    _report(outcomes, as_json=as_json)
    if any(outcome.state == "failed" for outcome in outcomes):
        raise typer.Exit(EXIT_VIOLATION)


@app.command("list")
def list_(store: StoreOption = DEFAULT_STORE, at: AtOption = None, as_json: JsonOption = False) -> None:
    """List what the store has, with age and expiry."""
    when = read_time(at)
    _print([state_of(record, when) for record in Store.existing(store).records()], when, as_json=as_json)


@app.command()
def verify(
    store: StoreOption = DEFAULT_STORE,
    at: AtOption = None,
    sandbox_root: RootOption = None,
    as_json: JsonOption = False,
) -> None:
    """Verify every object up to the pinned roots. Exit 0: all are genuine and valid, 1: not, 2: unreadable."""
    when = read_time(at)
    findings = list(check(Store.existing(store), _trust(sandbox_root), when))
    _print(findings, when, as_json=as_json)
    if not all(finding.holds for finding in findings):
        raise typer.Exit(EXIT_VIOLATION)


@app.command("export")
def export_(
    output: Annotated[Path, typer.Argument(help="the bundle to write")],
    key: Annotated[Path, typer.Option(help="ECDSA P-384 private key, PEM without a passphrase", metavar="FILE")],
    store: StoreOption = DEFAULT_STORE,
) -> None:
    """Write the whole store as one signed file, to be carried across an air gap."""
    content = bundles.export(Store.existing(store), SoftwareSigner(_private_key(key)), datetime.now(UTC))
    output.write_bytes(content)
    open_console().print(f"[bold]Bundle[/]  {output}, {len(content):,} bytes")


@app.command("import")
def import_(
    bundle: Annotated[Path, typer.Argument(help="the bundle")],
    key: Annotated[list[Path], typer.Option(help="public key (PEM) that may sign bundles", metavar="FILE")],
    store: StoreOption = DEFAULT_STORE,
    sandbox_root: RootOption = None,
) -> None:
    """Take in a bundle, all or nothing. Exit 1: its signature, a hash or an object in it is wrong."""
    content = _read(bundle, bundles.MAX_BUNDLE_BYTES)
    keys = [_public_key(path) for path in key]
    try:
        objects = bundles.read(content, keys, _trust(sandbox_root))
    except CollateralError as error:
        raise CliError(f"{bundle}: {str(error).removeprefix('bundle: ')}", code=EXIT_VIOLATION) from None
    stored = bundles.store_all(Store(store), objects)
    open_console().print(f"[bold]Stored[/]  {len(stored)} of {len(objects)} objects; the others were not newer")


def _needs(
    fetcher: Fetcher, evidence: Iterable[Path], asked: Iterable[Need], update: str, *, google: bool
) -> Iterator[Need]:
    yield from asked
    for path in evidence:
        parsed = read_evidence(path)
        try:
            fetcher.add_given(parsed, path.parent)
        except CollateralError as error:
            raise CliError(f"{path}: {error}", code=EXIT_VIOLATION) from None
        yield from needs_of(parsed, fetcher.store, fetcher.trust, update=update, google=google)


def _of_product(product: Product) -> list[Need]:
    return [*(needs.amd_chain(product, kind) for kind in SigningKey), needs.amd_crl(product)]


def _of_fmspc(fmspc: str, update: str) -> list[Need]:
    """What the platforms need whichever CA issued their PCKs."""
    try:
        is_fmspc = len(bytes.fromhex(fmspc)) == 6
    except ValueError:
        is_fmspc = False
    if not is_fmspc:
        raise CliError(f"--fmspc: {fmspc!r:.40} is not 6 bytes in hex, such as 90c06f000000")
    return [*needs.intel(fmspc.lower(), update), *needs.pck_crls()]


def _origins(mirrors: list[str], *, from_vendors: bool) -> Origins:
    # The catalogue is loaded for this alone: `list` and `verify` do not need it.
    import catalog

    vendors = catalog.load().vendor_services
    services = {
        vendor: Service(vendors[id_].endpoints[endpoint], vendors[id_].seconds_apart or 0.0)
        for vendor, (id_, endpoint) in _SERVICES.items()
    }
    if not mirrors and not from_vendors:
        hosts = ", ".join(service.host for service in services.values())
        raise CliError(
            f"no mirror is configured: name one inside the jurisdiction with --mirror URL or {MIRROR_VARIABLE}; "
            f"--from-vendors asks the vendors' own hosts instead: {hosts}"
        )
    origins = Origins.vendors(services) if from_vendors else Origins()
    for mirror in mirrors:
        name, separator, url = mirror.partition("=")
        if separator and name in set(Vendor):
            origins = origins.overridden(Vendor(name), url)
        elif from_vendors:
            raise CliError(f"--mirror {mirror} with --from-vendors: a mirror of one service, such as amd=URL, expected")
        else:
            origins = Origins({**Origins.mirror(mirror, services).urls, **origins.urls}, origins.seconds_apart)
    return origins


def _report(outcomes: list[Outcome], *, as_json: bool) -> None:
    if as_json:
        entries = [
            {
                "object": outcome.need.name,
                "state": outcome.state,
                "reason": outcome.reason or None,
                "record": outcome.record.model_dump(mode="json") if outcome.record else None,
            }
            for outcome in outcomes
        ]
        typer.echo(json.dumps(entries, indent=2))
        return
    console = open_console()
    for outcome in outcomes:
        console.print(outcome_line(outcome), soft_wrap=True)
    if not outcomes:
        console.print("nothing is due")


def _print(findings: list[Finding], at: datetime, *, as_json: bool) -> None:
    if as_json:
        entries = [
            {"state": it.state, "reason": it.reason or None, **it.record.model_dump(mode="json")} for it in findings
        ]
        typer.echo(json.dumps(entries, indent=2))
    else:
        open_console().print(findings_table(findings, at))


def _trust(sandbox_root: Path | None) -> TrustStore:
    trust = TrustStore.production()
    return trust if sandbox_root is None else trust.with_sandbox(_read(sandbox_root))


def _private_key(path: Path) -> ec.EllipticCurvePrivateKey:
    try:
        key = load_pem_private_key(_read(path), password=None)
    except (TypeError, ValueError):
        raise CliError(f"{path}: is not a private key in PEM without a passphrase") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP384R1):
        raise CliError(f"{path}: is not an ECDSA P-384 key; make one with `openssl ecparam -genkey -name secp384r1`")
    return key


def _public_key(path: Path) -> ec.EllipticCurvePublicKey:
    try:
        return load_public_key(_read(path))
    except ValueError as error:
        raise CliError(f"{path}: {error}") from None


def _read(path: Path, limit: int = 1_048_576) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(limit + 1)
    except OSError as error:
        raise CliError(f"{path}: {error.strerror}") from None
    if len(content) > limit:
        raise CliError(f"{path}: larger than {limit} bytes")
    return content
