"""One verifier as a process: `python -m verifier CONFIG --data DIR …`, on the verifier's own confidential VM."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import httpx
import uvicorn

from verifier.broker import WrappedKeys, create_app
from verifier.broker.service import utc_now
from verifier.collateral.cached import Cache
from verifier.collateral.live import DeviceCollateral, QuoteCollateral, RevocationLists
from verifier.collateral.source import Reader
from verifier.collateral.store import Store
from verifier.config import ConfigurationError, VerifierConfig
from verifier.errors import VerifierError
from verifier.http import http_server
from verifier.keystore import FileKeyStore, KeyStore, KeyStoreError, Pkcs11KeyStore, find_softhsm
from verifier.log import LogError, TransparencyLog
from verifier.signer import load_public_key
from verifier.tdx import CollateralStore
from verifier.trust import TrustStore

LOG_KEY = "transparency-log"


def serve(
    config: VerifierConfig,
    keystore: KeyStore,
    data: Path,
    *,
    sandbox_root: bytes | None = None,
    crls: Sequence[bytes] = (),
    collateral: Path | None = None,
    store: Path | None = None,
    host: str = "0.0.0.0",  # noqa: S104 - a network security group and no public address stand before it
    certificate: Path | None = None,
    private_key: Path | None = None,
) -> None:
    """Serve until stopped.

    data: directory that all replicas share; it holds the log and the wrapped keys. sandbox_root: PEM of an emulated
    vendor's root, used only if `config.trust_anchors` names it. certificate, private_key: PEM files for HTTPS.

    Collateral comes from the region's cache, where `config.collateral` names it; else from `store`, a folder that
    `bailiwick collateral` keeps; else from `crls` and `collateral`, a directory of Intel's, a folder for each FMSPC.
    ConfigurationError when there is none of them.
    """
    trust = TrustStore.production()
    if sandbox_root is not None:
        trust = trust.with_sandbox(sandbox_root)
    log = TransparencyLog(data / "log", keystore, LOG_KEY, origin=f"{config.name}/log")
    wrapped = WrappedKeys(data / "wrapped")
    reader = _reader(config, store)
    if reader is not None:
        crls, quotes, devices = RevocationLists(reader), QuoteCollateral(reader, utc_now), DeviceCollateral(reader)
        app = create_app(config, keystore, trust, log, wrapped, utc_now, crls, quotes, devices, reader)
    elif crls or collateral:
        app = create_app(config, keystore, trust, log, wrapped, utc_now, crls, CollateralStore(collateral))
    else:
        raise ConfigurationError(
            "collateral: missing, and nothing else holds the vendors' collateral; name the region's cache as "
            "collateral.url, or give a store with --collateral"
        )
    uvicorn.Server(
        http_server(app, host=host, port=config.port, ssl_certfile=certificate, ssl_keyfile=private_key)
    ).run()


def _reader(config: VerifierConfig, store: Path | None) -> Reader | None:
    if config.collateral is not None:
        signers = [load_public_key(key) for key in config.collateral.signers]
        return Cache(config.collateral.url, httpx.Client(trust_env=False), utc_now, signers=signers)
    return None if store is None else Store.existing(store)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; 1 and one line on standard error when the verifier cannot start."""
    options = _parser().parse_args(arguments)
    try:
        serve(
            VerifierConfig.from_file(options.config),
            _keystore(options),
            options.data,
            sandbox_root=_content(options.sandbox_root) if options.sandbox_root else None,
            crls=[_content(path) for path in options.crl],
            collateral=options.tdx_collateral,
            store=options.collateral,
            host=options.host,
            certificate=options.tls_certificate,
            private_key=options.tls_key,
        )
    except (ConfigurationError, KeyStoreError, LogError, VerifierError) as error:
        sys.stderr.write(f"verifier: {error}\n")
        return 1
    return 0


def _keystore(options: argparse.Namespace) -> KeyStore:
    secret = _content(options.pin_file).decode("utf-8").strip()
    if options.key_files is not None:
        store = FileKeyStore(options.key_files, secret)
        sys.stderr.write(f"verifier: {store.describe()}\n")
        return store
    module = options.pkcs11_module or find_softhsm()
    if module is None:
        raise KeyStoreError("no PKCS#11 module: name one with --pkcs11-module, or keep keys in files with --key-files")
    return Pkcs11KeyStore(module, options.token, secret, options.softhsm_configuration)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}") from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m verifier", description="Run one attestation verifier and key broker."
    )
    parser.add_argument("config", type=Path, help="the verifier's configuration (JSON)")
    parser.add_argument("--data", type=Path, required=True, help="directory of the log and the wrapped keys")
    parser.add_argument(
        "--pin-file", type=Path, required=True, help="file with the token's PIN, or the key files' passphrase"
    )
    parser.add_argument("--pkcs11-module", type=Path, help="PKCS#11 library; default: SoftHSM 2 where it is installed")
    parser.add_argument("--token", default="bailiwick", help="label of the token (default: bailiwick)")
    parser.add_argument("--softhsm-configuration", type=Path, help="softhsm2.conf; default: SOFTHSM2_CONF")
    parser.add_argument("--key-files", type=Path, help="keep keys in encrypted files here instead; this is not an HSM")
    parser.add_argument(
        "--sandbox-root", type=Path, help="root of emulated hardware (PEM), if the configuration names it"
    )
    parser.add_argument("--crl", type=Path, action="append", default=[], help="AMD revocation list (DER); repeatable")
    parser.add_argument(
        "--tdx-collateral", type=Path, help="directory of Intel's collateral, one folder for each FMSPC"
    )
    parser.add_argument("--collateral", type=Path, help="store that `bailiwick collateral` keeps")
    parser.add_argument("--host", default="0.0.0.0", help="address to listen on")  # noqa: S104 - as in serve
    parser.add_argument("--tls-certificate", type=Path, help="certificate chain (PEM)")
    parser.add_argument("--tls-key", type=Path, help="private key of the certificate (PEM)")
    return parser
