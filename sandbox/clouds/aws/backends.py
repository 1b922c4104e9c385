"""moto as the object model of one emulated account: isolated, and kept across runs.

moto answers boto3 in process, through a handler on our own clients: nothing else in the process is intercepted.
moto keeps its backends in global dictionaries by account, and every emulated account has the same number. So each
`Backends` puts its own in place for as long as it holds the one lock, and takes them out again.

What outlives the process is in `cloud.db`: a snapshot of the backends, and every call since then that may have changed
them, written in the transaction of the record it was made for. To open the account is to load the one and make the
others again. A call draws its ids from a seed of its own that is written with it, so that they come out the same;
key material does not, and nothing is encrypted with it: the emulated HSM does that. Moments that moto notes are those
of the replay. Another process's calls are made here too, before the next of our own.

The file is its owner's alone and is as trusted as the code beside it.
"""

import copyreg
import io
import os
import pickle
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache, partial
from typing import Any, Final

os.environ.setdefault("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")  # read by moto; 1,291 images that no stack here boots

import boto3
import moto.backends
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import ClientError
from cryptography.hazmat.bindings._rust import openssl
from moto.core.botocore_stubber import BotocoreStubber
from moto.ec2.models.availability_zones_and_regions import RegionsAndZonesBackend, Zone
from moto.moto_api._internal import mock_random
from moto.s3.models import s3_backends

import catalog
from sandbox.clouds.aws import managed_policies, places
from sandbox.clouds.aws.store import ApiCall, AwsStore, Snapshot

ACCOUNT: Final = "000000000000"
"""The emulated account."""

SERVICES: Final = (
    "autoscaling", "cloudtrail", "ec2", "eks", "elbv2", "iam", "kms", "logs", "organizations", "route53", "s3", "sts",
)  # fmt: skip
"""What is emulated, as boto3 names it. moto's own names are the same."""

_QUESTIONS: Final = ("Describe", "Get", "Head", "List")
"""How the operations begin that change nothing."""
_FEWEST_CALLS: Final = 1000
"""How many calls are worth a snapshot before the account is closed."""
_SEED_BITS: Final = 63

_MOTO: Final = threading.RLock()


class Backends:
    """The moto backends of one emulated account. The caller holds a transaction of the store, and a lock."""

    def __init__(self, store: AwsStore) -> None:
        self._store = store
        self._own: dict[str, dict[str, Any]] = {}
        self._buckets: dict[str, Any] = {}
        self._clients: dict[tuple[str, str], Any] = {}
        self._position: int | None = None
        """The number of the last call that the backends have seen; None: they are not loaded, or not to be trusted."""
        self._made: list[ApiCall] = []
        self._replaying = False

    @contextmanager
    def operation(self) -> Iterator[None]:
        """Be the process's emulated account; what was called is written when the context ends well."""
        with self._installed():
            self._catch_up()
            yield
            if self._made:
                self._store.append(self._made)
                self._position = self._store.position()
            since = self._seen() - self._store.snapshot_position()
            if since >= max(_FEWEST_CALLS, self._store.snapshot_position()):
                self._take_snapshot()  # at twice the calls each time, so that the work stays in proportion

    def confirm(self) -> None:
        """The transaction was committed."""
        self._made.clear()

    def forget(self) -> None:
        """The transaction was rolled back: what it called did not happen."""
        if self._made:
            self._position = None
            self._made.clear()

    def snapshot(self) -> None:
        """Write the state itself where calls were made since the last time, so that the next start is quick."""
        if self._position is not None and self._store.position() > self._store.snapshot_position():
            with self._installed():
                self._catch_up()
                self._take_snapshot()

    def client(self, service: str, region: str) -> Any:
        """A boto3 client of a service in a region, answered by moto. Only during an operation."""
        _furnish(region)
        key = (service, region)
        if key not in self._clients:
            self._clients[key] = _client(service, region, partial(self._before, service, region))
        return self._clients[key]

    @contextmanager
    def _installed(self) -> Iterator[None]:
        with _MOTO:
            outer = {service: _global(service).pop(ACCOUNT, None) for service in SERVICES}
            outer_buckets, s3_backends.bucket_accounts = s3_backends.bucket_accounts, self._buckets
            for service, backends in self._own.items():
                _global(service)[ACCOUNT] = backends
            try:
                yield
            finally:
                self._own = {service: _global(service).pop(ACCOUNT, {}) for service in SERVICES}
                self._buckets, s3_backends.bucket_accounts = s3_backends.bucket_accounts, outer_buckets
                for service, backends in outer.items():
                    if backends is not None:
                        _global(service)[ACCOUNT] = backends

    def _seen(self) -> int:
        return self._position or 0

    def _catch_up(self) -> None:
        """Bring the backends to the last call that anybody wrote."""
        if self._position is None or self._position < self._store.snapshot_position():
            self._load()
        seen = self._seen()
        calls = self._store.calls_after(seen)
        if calls:
            self._position = None  # until all are made
            self._replay(calls)
        self._position = seen + len(calls)

    def _replay(self, calls: list[ApiCall]) -> None:
        self._replaying = True
        try:
            for call in calls:
                make = getattr(self.client(call.service, call.region), xform_name(call.operation))
                mock_random.seed(call.seed)
                with suppress(ClientError):  # refused the first time too
                    make(**pickle.loads(call.parameters))  # noqa: S301 - as in _load
        finally:
            self._replaying = False

    def _load(self) -> None:
        _know_zones()
        snapshot = self._store.snapshot()
        for service in SERVICES:
            _global(service).pop(ACCOUNT, None)
            _global(service)[ACCOUNT]  # created when first asked for
        kept = pickle.loads(snapshot.backends) if snapshot else {}  # noqa: S301 - the region's own file, mode 0600
        for service, backends in kept.items():
            dict.update(_global(service)[ACCOUNT], backends)
        # Whose a bucket's name is, moto keeps beside the backends.
        partitions = dict.items(s3_backends[ACCOUNT])
        s3_backends.bucket_accounts = {name: (id_, ACCOUNT) for id_, backend in partitions for name in backend.buckets}
        self._position = snapshot.position if snapshot else 0

    def _take_snapshot(self) -> None:
        backends = {service: dict(dict.items(_global(service)[ACCOUNT])) for service in SERVICES}
        self._store.replace_snapshot(Snapshot(self._seen(), _pickled(backends)))

    def _before(self, service: str, region: str, params: dict[str, Any], model: Any, **_: Any) -> None:
        """Called by botocore before each request."""
        if (service, model.name) == ("iam", "AttachRolePolicy"):
            partition = places.place(region).partition
            iam = _global("iam")[ACCOUNT][partition]
            managed_policies.know(
                iam, str(params.get("PolicyArn")), partition=partition, account=ACCOUNT, region=region
            )
        if not self._replaying and not model.name.startswith(_QUESTIONS):
            seed = secrets.randbits(_SEED_BITS)
            self._made.append(ApiCall(service, region, model.name, pickle.dumps(params), seed))
            mock_random.seed(seed)


@cache
def _global(service: str) -> Any:
    return moto.backends.get_backend(service)  # type: ignore[call-overload]  # a literal for each service


def _furnish(region: str) -> None:
    """Have EC2 in a region, with the default VPC that moto makes there: its ids follow from the region's name."""
    regions = _global("ec2")[ACCOUNT]
    if not dict.__contains__(regions, region):
        mock_random.seed(region)
        regions[region]


def _no_key(_key: Any) -> tuple[Any, ...]:
    """Private keys that moto makes up are not kept: whatever is encrypted here, the emulated HSM does it."""
    return type(None), ()


_REDUCERS: Final[Mapping[type, Callable[[Any], Any]]] = {
    **copyreg.dispatch_table,
    openssl.rsa.RSAPrivateKey: _no_key,
    openssl.ec.ECPrivateKey: _no_key,
}
"""By exact class, so that the pickler looks up and does not call for each of a backend's many objects."""


def _pickled(backends: Any) -> bytes:
    buffer = io.BytesIO()
    pickler = pickle.Pickler(buffer, protocol=5)
    pickler.dispatch_table = _REDUCERS
    pickler.dump(backends)
    return buffer.getvalue()


def _client(service: str, region: str, before: Callable[..., None]) -> Any:
    session = boto3.Session(aws_access_key_id="emulated", aws_secret_access_key="emulated", region_name=region)  # noqa: S106
    config = Config(retries={"max_attempts": 0})
    client: Any = session.client(service, config=config)
    stubber = BotocoreStubber()
    stubber.enabled = True
    client.meta.events.register("provide-client-params", before)
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
