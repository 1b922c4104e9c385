"""moto as the object model of one emulated account: isolated, and kept across runs.

moto answers boto3 in process, through a handler on our own clients: nothing else in the process is intercepted.
moto keeps its backends in global dictionaries by account, and every emulated account has the same number. So each
`Backends` puts its own in place for as long as it holds the one lock, and takes them out again.

What a run leaves is pickled into `cloud.db`, each service and region apart, in the transaction that wrote the object:
the ids that moto gave out stay what they were, which replaying the calls would not promise. Key material is left out.
The file is its owner's alone and is as trusted as the code beside it.
"""

import copyreg
import io
import os
import pickle
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any, Final

os.environ.setdefault("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")  # read by moto; 1,291 images that no stack here boots

import boto3
import moto.backends
from botocore.config import Config
from cryptography.hazmat.bindings._rust import openssl
from moto.core.botocore_stubber import BotocoreStubber
from moto.ec2.models.availability_zones_and_regions import RegionsAndZonesBackend, Zone
from moto.s3.models import s3_backends

import catalog
from sandbox.clouds.aws.store import AwsStore

ACCOUNT: Final = "000000000000"
"""The emulated account."""

SERVICES: Final = (
    "autoscaling", "cloudtrail", "ec2", "eks", "elbv2", "iam", "kms", "logs", "organizations", "route53", "s3", "sts",
)  # fmt: skip
"""What is emulated, as boto3 names it. moto's own names are the same."""

_MOTO: Final = threading.RLock()


class Backends:
    """The moto backends of one emulated account."""

    def __init__(self, store: AwsStore) -> None:
        self._store = store
        self._own: dict[str, dict[str, Any]] = {}
        self._touched: set[str] = set()
        self._clients: dict[tuple[str, str], Any] = {}
        self._loaded = False

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Be the process's emulated account for as long as the context lasts. Re-entrant."""
        with _MOTO:
            outer = {service: _global(service).pop(ACCOUNT, None) for service in SERVICES}
            outer_buckets = dict(s3_backends.bucket_accounts)
            self._put_in_place()
            try:
                yield
            finally:
                self._own = {service: _global(service).pop(ACCOUNT) for service in SERVICES}
                for service, backends in outer.items():
                    if backends is not None:
                        _global(service)[ACCOUNT] = backends
                s3_backends.bucket_accounts = outer_buckets

    def client(self, service: str, region: str) -> Any:
        """A boto3 client of a service in a region, answered by moto. Only inside `installed`."""
        self._touched.add(service)
        key = (service, region)
        if key not in self._clients:
            self._clients[key] = _client(service, region)
        return self._clients[key]

    def save(self) -> None:
        """Write what was touched since the last save, in the caller's transaction. Only inside `installed`."""
        for service in sorted(self._touched):
            for region, backend in dict.items(_global(service)[ACCOUNT]):
                self._store.keep_backend(service, region, _pickled(backend))
        self._touched.clear()

    def restore(self) -> None:
        """Forget what was not saved: the state is again that of the last transaction."""
        self._loaded = False
        self._own = {}
        self._touched.clear()
        for service in SERVICES:
            _global(service).pop(ACCOUNT, None)
        self._put_in_place()

    def _put_in_place(self) -> None:
        for service, backends in self._own.items():
            _global(service)[ACCOUNT] = backends
        if not self._loaded:
            _know_zones()
            for service, region, content in self._store.backends():
                backend = pickle.loads(content)  # noqa: S301 - the emulated region's own file, mode 0600
                dict.__setitem__(_global(service)[ACCOUNT], region, backend)
            self._loaded = True
        for service in SERVICES:
            _global(service)[ACCOUNT]  # created when first asked for
        # Whose a bucket's name is, moto keeps beside the backends.
        partitions = dict.items(s3_backends[ACCOUNT])
        s3_backends.bucket_accounts = {name: (id_, ACCOUNT) for id_, backend in partitions for name in backend.buckets}


@cache
def _global(service: str) -> Any:
    return moto.backends.get_backend(service)  # type: ignore[call-overload]  # a literal for each service


def _no_key(_key: Any) -> tuple[Any, ...]:
    """Private keys that moto makes up are not kept: whatever is encrypted here, the emulated HSM does it."""
    return type(None), ()


_REDUCERS: Final[Mapping[type, Callable[[Any], Any]]] = {
    **copyreg.dispatch_table,
    openssl.rsa.RSAPrivateKey: _no_key,
    openssl.ec.ECPrivateKey: _no_key,
}
"""By exact class, so that the pickler looks up and does not call for each of a backend's many objects."""


def _pickled(backend: Any) -> bytes:
    buffer = io.BytesIO()
    pickler = pickle.Pickler(buffer, protocol=5)
    pickler.dispatch_table = _REDUCERS
    pickler.dump(backend)
    return buffer.getvalue()


def _client(service: str, region: str) -> Any:
    session = boto3.Session(aws_access_key_id="emulated", aws_secret_access_key="emulated", region_name=region)  # noqa: S106
    config = Config(retries={"max_attempts": 0})
    client: Any = session.client(service, config=config)
    stubber = BotocoreStubber()
    stubber.enabled = True
    client.meta.events.register("before-sign", _name_account)
    client.meta.events.register("before-send", stubber)
    return client


def _name_account(request: Any, **_: Any) -> None:
    request.headers["x-moto-account-id"] = ACCOUNT


@cache
def _know_zones() -> None:
    """Tell moto the zones of regions that it has none for, such as those of the European Sovereign Cloud."""
    for cloud in catalog.load().clouds.values():
        for region in catalog.load().regions(cloud=cloud.id) if cloud.provider == "aws" else ():
            zones = [
                Zone(region_name=region.id, name=name, zone_id=f"{region.id.replace('-', '')}-az{number}")
                for number, name in enumerate(region.zone_names or (), 1)
            ]
            RegionsAndZonesBackend.zones.setdefault(region.id, zones)
