"""A broker on a real log and key store, and guests on emulated SNP hardware that speak to it over HTTP."""

import asyncio
import base64
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap
from httpx import ASGITransport, AsyncClient, Cookies, Response
from starlette.applications import Starlette

from sandbox.hardware import Chip, LaunchPolicy, SandboxPki, SnpFirmware
from tests.verifier.signed_values import signed_values
from verifier import jwk, nvidia
from verifier.broker import WrappedKey, WrappedKeys, create_app
from verifier.broker.jwe import agreed_key
from verifier.config import VerifierConfig
from verifier.keystore import FileKeyStore, KeyStore
from verifier.log import TransparencyLog
from verifier.signer import SoftwareSigner, public_key_pem
from verifier.tdx import CollateralStore
from verifier.trust import TrustStore

DEK = b"planted-data-key-0123456789abcde"
PASSPHRASE = "planted-passphrase"
RESOURCE = "default/model-key/llm"
KEK = "model-kek"
IMAGE = "inference-guest-1.0.0"
MEASUREMENT = hashlib.sha384(b"inference guest 1.0.0").digest()
PRODUCTION = LaunchPolicy(abi=(1, 51), smt=True, migrate_ma=False, debug=False, single_socket=False)

ON_MILAN: Mapping[str, Any] = {
    "tee": "snp",
    "product": "milan",
    "minimum_tcb": {"bootloader": 3, "tee": 0, "snp": 8, "microcode": 115},
    "guest_policy": {"debug": False, "migrate_ma": False},
}
"""What reference values for SEV-SNP say besides measurements."""


def reference_values(signer: SoftwareSigner, image: str = "inference-guest", measurement: bytes = MEASUREMENT) -> Any:
    """The signed reference values of an image, version 1.0.0."""
    return signed_values(signer, image, measurement, launch_measurements=[measurement.hex()], **ON_MILAN)


class Client:
    """A blocking HTTP client of one replica, with a cookie jar of its own."""

    def __init__(self, app: Starlette) -> None:
        self._transport = ASGITransport(app)
        self.cookies = Cookies()

    def get(self, path: str, **arguments: Any) -> Response:
        return asyncio.run(self._request("GET", path, arguments))

    def post(self, path: str, **arguments: Any) -> Response:
        return asyncio.run(self._request("POST", path, arguments))

    async def _request(self, method: str, path: str, arguments: dict[str, Any]) -> Response:
        async with AsyncClient(
            transport=self._transport, base_url="http://verifier.test", cookies=self.cookies
        ) as client:
            response = await client.request(method, path, **arguments)
            self.cookies = client.cookies
            return response


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> SandboxPki:
    return SandboxPki(tmp_path_factory.mktemp("hardware"))


@dataclass
class Site:
    """Everything that replicas share, and a clock that tests can turn."""

    directory: Path
    pki: SandboxPki
    keystore: KeyStore
    config: VerifierConfig
    now: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))

    def __post_init__(self) -> None:
        self.log = TransparencyLog(self.directory / "log", self.keystore, "log-key")
        self.wrapped = WrappedKeys(self.directory / "wrapped")
        if KEK not in self.keystore.names():
            self.keystore.create_kek(KEK)
        self.wrapped.put(WrappedKey(RESOURCE, KEK, self.keystore.wrap(KEK, DEK), {"artefact": "llm.enc"}))

    @property
    def collateral(self) -> Path:
        """Where the verifier keeps Intel's collateral."""
        return self.directory / "collateral"

    @property
    def device_collateral(self) -> Path:
        """Where the verifier keeps NVIDIA's."""
        return self.directory / "nvidia"

    def devices(self) -> nvidia.Collateral:
        """What is there now."""
        directory = self.device_collateral
        return nvidia.Collateral.from_directory(directory) if directory.is_dir() else nvidia.Collateral()

    def pass_time(self, **duration: int) -> None:
        self.now += timedelta(**duration)

    def configure(self, **changes: Any) -> None:
        """Change the configuration, by the keys of its document."""
        self.config = VerifierConfig.model_validate(self.config.model_dump() | changes)

    def change_policy(self, **changes: Any) -> None:
        (resource,) = self.config.model_dump()["resources"]
        self.configure(resources=[resource | {"policy": resource["policy"] | changes}])

    def replica(self, *, trust: TrustStore | None = None) -> Client:
        roots, store = trust or TrustStore.production().with_sandbox(self.pki.roots), CollateralStore(self.collateral)
        return Client(
            create_app(
                self.config,
                self.keystore,
                roots,
                self.log,
                self.wrapped,
                lambda: self.now,
                collateral=store,
                devices=self.devices,
            )
        )

    def entries(self) -> list[dict[str, Any]]:
        return [receipt.entry for receipt in self.log.receipts()]


@pytest.fixture(scope="session")
def keystore_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("keys")


@pytest.fixture(scope="session")
def keystore(keystore_directory: Path) -> FileKeyStore:
    """One key store for all tests of this process: making its files is slow on purpose (scrypt)."""
    return FileKeyStore(keystore_directory, PASSPHRASE)


@pytest.fixture
def site(tmp_path: Path, pki: SandboxPki, keystore: FileKeyStore) -> Iterator[Site]:
    build = SoftwareSigner.generate()
    config = VerifierConfig.model_validate(
        {
            "version": 1,
            "role": "verifier",
            "port": 8443,
            "name": "verifier.test.bailiwick.internal",
            "region": {"cloud": "azure", "location": "germanywestcentral", "jurisdiction": "DE"},
            "trust_anchors": ["amd", "sandbox"],
            "reference_values": [reference_values(build)],
            "build_keys": [public_key_pem(build.public_key)],
            "resources": [
                {
                    "path": RESOURCE,
                    "kek": KEK,
                    "policy": {"tee": ["snp"], "images": [IMAGE], "max_token_seconds": 300},
                }
            ],
        }
    )
    made = Site(tmp_path, pki, keystore, config)
    yield made
    made.log.close()


@dataclass(frozen=True)
class Guest:
    """A confidential VM that asks for a key. What it launched, and the key pair it asks with, are the test's choice."""

    tee: ClassVar[str] = "snp"
    """How the Key Broker Service protocol names its evidence."""

    pki: SandboxPki
    private_key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
    measurement: bytes = MEASUREMENT
    policy: LaunchPolicy = PRODUCTION
    vmpl: int = 0
    host: str = "host-a"

    @property
    def tee_pubkey(self) -> dict[str, str]:
        alg = "RSA-OAEP-256" if isinstance(self.private_key, rsa.RSAPrivateKey) else "ECDH-ES+A256KW"
        return jwk.from_public_key(self.private_key.public_key()) | {"alg": alg}

    def report_data(self, nonce: str) -> bytes:
        """The binding of the protocol, computed here from its definition."""
        bound = json.dumps(
            {"additional-evidence": "", "nonce": nonce, "tee-pubkey": self.tee_pubkey},
            sort_keys=True,
            separators=(",", ":"),
        )
        return hashlib.sha384(bound.encode()).digest() + bytes(16)

    def evidence(self, nonce: str, report_data: bytes | None = None) -> dict[str, Any]:
        return self.endorsed(self.report(report_data or self.report_data(nonce)))

    @property
    def firmware(self) -> SnpFirmware:
        return SnpFirmware(self.pki, Chip(self.host))

    def report(self, report_data: bytes) -> bytes:
        launched = self.firmware.launch(self.measurement, self.policy, vmpl=self.vmpl)
        return self.firmware.report(launched, report_data)

    def endorsed(self, report: bytes) -> dict[str, Any]:
        """The evidence that is a report and the certificates which the host adds."""
        chain = self.firmware.certificates.named()
        return {
            "attestation_report": text(report),
            "cert_chain": [{"cert_type": name, "data": text(der)} for name, der in chain.items()],
        }

    def message(self, nonce: str, **changes: Any) -> dict[str, Any]:
        return {
            "runtime-data": {"nonce": nonce, "tee-pubkey": self.tee_pubkey},
            "tee-evidence": {"primary_evidence": self.evidence(nonce), "additional_evidence": ""},
        } | changes

    def auth(self, client: Client) -> str:
        response = client.post("/kbs/v0/auth", json={"version": "0.4.0", "tee": self.tee, "extra-params": {}})
        assert response.status_code == 200, response.text
        return str(response.json()["nonce"])

    def attest(self, client: Client) -> Response:
        return client.post("/kbs/v0/attest", json=self.message(self.auth(client)))

    def token(self, client: Client) -> str:
        response = self.attest(client)
        assert response.status_code == 200, response.text
        return str(response.json()["token"])

    def open(self, released: dict[str, str]) -> bytes:
        """Decrypt a JWE as a KBS client does."""
        header = json.loads(jwk.decode(released["protected"]))
        encrypted_key = jwk.decode(released["encrypted_key"])
        if isinstance(self.private_key, rsa.RSAPrivateKey):
            oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
            content_key = self.private_key.decrypt(encrypted_key, oaep)
        else:
            ephemeral = jwk.to_public_key(header["epk"])
            assert isinstance(ephemeral, ec.EllipticCurvePublicKey)
            content_key = aes_key_unwrap(agreed_key(self.private_key, ephemeral), encrypted_key)
        sealed = jwk.decode(released["ciphertext"]) + jwk.decode(released["tag"])
        return AESGCM(content_key).decrypt(jwk.decode(released["iv"]), sealed, released["protected"].encode())

    def but(self, **changes: Any) -> "Guest":
        return replace(self, **changes)


@pytest.fixture
def guest(pki: SandboxPki) -> Guest:
    return Guest(pki, ec.generate_private_key(ec.SECP256R1()))


@pytest.fixture
def client(site: Site) -> Client:
    return site.replica()


Refused = Callable[[Response, int, str], dict[str, Any]]


@pytest.fixture
def refused(site: Site) -> Refused:
    """Assert a refusal as a client sees it, and return the receipt's entry."""

    def check(response: Response, status: int, reason: str) -> dict[str, Any]:
        assert response.status_code == status, response.text
        problem = response.json()
        assert problem["type"].startswith("https://github.com/confidential-containers/kbs/errors/")
        assert reason in problem["detail"], problem["detail"]
        assert "\n" not in problem["detail"]
        entry: dict[str, Any] = site.log.receipt(int(response.headers["bailiwick-receipt"])).entry
        assert entry["decision"] == "deny"
        assert any(reason in line for line in (entry["check"], *entry["reasons"]))
        assert problem["receipt"]["entry"] == entry
        assert problem["detail"].startswith(f"{entry['check']}: ")
        return entry

    return check


def text(data: bytes) -> str:
    return base64.b64encode(data).decode()
