"""The emulated AWS behind the provider protocol: moto has the objects, boto3 judges the requests.

What the provider itself adds is here: defaults and names, the region of each resource, what replaces and what changes
in place, and the record of each resource in `cloud.db`, in one transaction with the calls that moto answered for it.
"""

import hashlib
import importlib.metadata
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sandbox.clouds import schema
from sandbox.clouds.aws import (
    audit,
    balancing,
    clusters,
    compute,
    groups,
    identity,
    images,
    key_stores,
    keys,
    names,
    network,
    network_filters,
    organizations,
    places,
    private_dns,
    storage,
)
from sandbox.clouds.aws.backends import ACCOUNT, Backends
from sandbox.clouds.aws.errors import translated
from sandbox.clouds.aws.resource import AwsType, Call, key_of
from sandbox.clouds.aws.store import AwsStore
from sandbox.clouds.difference import differing, without_indices
from sandbox.clouds.hardware import Hardware
from sandbox.clouds.resource import CloudError, Undetermined, View
from sandbox.clouds.store import Object, Store
from sandbox.engine.urn import name_of, type_of
from sandbox.provider import Checked, CheckFailure, Created, Diff, Properties, ProviderError, Read
from sandbox.values import UNKNOWN, Value, contains_unknown

MODULES = (
    audit,
    balancing,
    clusters,
    compute,
    groups,
    identity,
    key_stores,
    keys,
    names,
    network,
    network_filters,
    organizations,
    storage,
)
DEFAULT_REGION = "us-east-1"
"""The region of moto's global services, and of a provider that names none."""


class AwsCloud:
    """One emulated account. Its objects live in `cloud.db` under `data_dir`. Thread-safe."""

    package = "aws"
    version = importlib.metadata.version("pulumi-aws")

    def __init__(self, data_dir: Path, hardware: Hardware, *, clock: Callable[[], float] = time.time) -> None:
        records = AwsStore(data_dir / "cloud.db")
        self.store: Store = records
        self.hardware = hardware
        self.types: Mapping[str, AwsType] = {kind.pulumi_type: kind for module in MODULES for kind in module.TYPES}
        self._backends = Backends(records)
        self._clock = clock
        self._lock = threading.RLock()
        self._closed = False
        self._region = DEFAULT_REGION
        self._default_tags: dict[str, Value] = {}

    def configure(self, config: Properties) -> None:
        """Take the provider's configuration. Raises `CloudError` where it names an account that is not emulated."""
        region = str(config.get("region") or DEFAULT_REGION)
        places.place(region)
        allowed, forbidden = (_plain(config.get(key)) or [] for key in ("allowedAccountIds", "forbiddenAccountIds"))
        if (allowed and ACCOUNT not in allowed) or ACCOUNT in forbidden:
            raise CloudError(
                "AccountNotAllowed", f"AWS account ID not allowed: {ACCOUNT}. The emulated AWS has no other account."
            )
        self._region = region
        self._default_tags = (_plain(config.get("defaultTags")) or {}).get("tags") or {}
        self._purge_expired()

    def check(self, urn: str, olds: Properties, news: Properties) -> Checked:
        inputs = {name: value for name, value in news.items() if value is not None}
        token = type_of(urn)
        kind = self.types.get(token)
        if kind is None:
            return Checked(inputs, (CheckFailure("", self._not_emulated(token)),))
        known = schema.resource(token).inputs
        for name, value in kind.defaults.items():
            inputs.setdefault(name, value)
        if "region" in known.properties:
            inputs.setdefault("region", self._region)
        if kind.name_property is not None and inputs.get(kind.name_property) is None:
            digest = hashlib.sha256(urn.encode()).hexdigest()[:7]
            inputs[kind.name_property] = olds.get(kind.name_property) or f"{name_of(urn)}-{digest}"
        # The SDK's enums are examples: AWS and the catalogue judge values.
        found = [mismatch for mismatch in schema.judge(inputs, known) if mismatch.kind != "enum"]
        return Checked(inputs, tuple(_described(mismatch) for mismatch in found))

    def diff(self, urn: str, id: str, olds: Properties, outputs: Properties, news: Properties) -> Diff:  # noqa: A002, ARG002 - the protocol's signature
        kind = self._type(urn)
        changed = tuple(differing(olds, news, _same))
        replaces = tuple(path for path in changed if without_indices(path).split(".")[0] not in kind.in_place)
        return Diff(changed, replaces, delete_before_replace=bool(replaces) and kind.name_property is not None)

    def create(self, urn: str, inputs: Properties, *, preview: bool) -> Created:
        kind = self._type(urn)
        call = Call(self, kind, urn, View(inputs), preview=preview)
        if preview:
            return self._foretell(call)
        with self.operation():
            for judge in kind.checks:
                judge(call)
            made = call.at(kind.create(call))
            outputs = self._outputs(made)
            item = self._object(made, outputs)
            self.store.put(item, ())
            if kind.started is not None:
                self.store.mark_unstarted(item.id)
        try:
            self._start(made, item)
        except ProviderError:
            with self.operation():
                kind.remove(made)
                self.store.remove(item.id)
            raise
        return Created(made.id, outputs)

    def read(self, urn: str, id: str, inputs: Properties) -> Read | None:  # noqa: A002 - the protocol's signature
        """The live object; with `id` empty, the one that was made for the URN: a killed run does not know more.

        What such a run left switched off is switched on.
        """
        kind = self._type(urn)
        with self._lock:
            if id:
                item = self.store.get(key_of(kind, str(inputs.get("region") or self._region), id))
            else:
                item = self.store.of_urn(kind.pulumi_type, urn)
            unstarted = item is not None and self.store.is_unstarted(item.id)
        if item is None:
            return None
        found = item.id.split("|", 2)[2]
        if unstarted:
            self._start(Call(self, kind, urn, View(item.inputs), found), item)
        return Read(found, item.inputs, item.outputs)

    def update(
        self,
        urn: str,
        id: str,  # noqa: A002 - the protocol's signature
        olds: Properties,  # noqa: ARG002 - the cloud goes by what it has
        news: Properties,
        *,
        preview: bool,
    ) -> Properties:
        kind = self._type(urn)
        with self._lock:
            before = self.store.get(key_of(kind, str(news.get("region") or self._region), id))
        if before is None:
            raise CloudError("ResourceNotFound", f"couldn't find resource {id}")
        call = Call(self, kind, urn, View(news), id, View(before.inputs), preview)
        if preview:
            self._foretell(call)
            return {**before.outputs, **news}
        with self.operation():
            for judge in kind.checks:
                judge(call)
            kind.change(call)
            outputs = self._outputs(call)
            self.store.put(self._object(call, outputs), ())
        if kind.changed is not None:
            kind.changed(call)
        return outputs

    def delete(self, urn: str, id: str, outputs: Properties) -> None:  # noqa: A002 - the protocol's signature
        kind = self._type(urn)
        key = key_of(kind, str(outputs.get("region") or self._region), id)
        with self._lock:
            item = self.store.get(key)
        if item is None:
            return
        call = Call(self, kind, item.urn, View(item.inputs), id)
        if kind.stopped is not None:
            kind.stopped(call)
        with self.operation():
            kind.remove(call)
            self.store.remove(key)

    def invoke(self, token: str, args: Properties) -> Properties:
        region = str(args.get("region") or self._region)
        with self.operation():
            match token:
                case "aws:ec2/getAmi:getAmi":
                    return images.lookup(self, region, args)
                case "aws:index/getCallerIdentity:getCallerIdentity":
                    arn = places.place(region).arn("iam", "user/emulated", account=ACCOUNT, everywhere=True)
                    return {"accountId": ACCOUNT, "arn": arn, "id": ACCOUNT, "userId": "AIDAEMULATED"}
                case "aws:index/getPartition:getPartition":
                    place = places.place(region)
                    return {"partition": place.partition, "id": place.partition}
                case "aws:index/getRegion:getRegion":
                    return {"region": region, "id": region, "name": region}
        raise CloudError("NotEmulated", f"the function '{token}' is not emulated; aws resources are")

    def resolve(self, host: str, from_network_id: str) -> list[str]:
        """The ids of the machines that answer to a private DNS name, as seen from a VPC."""
        with self.operation():
            return private_dns.resolve(self, host, from_network_id)

    def object_url(self, location: str) -> str:
        """S3's virtual-hosted-style address in a region: `https://BUCKET.s3.REGION.SUFFIX/KEY`."""
        return f"https://{{account}}.{storage.host(location)}/{{container}}/{{blob}}"

    def object_obstacle(self, host: str, from_network_id: str) -> str | None:
        """Why a VPC does not lead to S3; None where an endpoint of the VPC does."""
        with self.operation():
            return private_dns.storage_obstacle(self, host, from_network_id)

    def client(self, service: str, region: str) -> Any:
        """A boto3 client, answered by this account's moto. Only during an operation."""
        return self._backends.client(service, region)

    def location(self) -> str:
        """The provider's region."""
        return self._region

    def now(self) -> float:
        """The moment, in POSIX seconds."""
        return self._clock()

    def close(self) -> None:
        """Write what makes the next start quick. Closed again, it stays closed."""
        with self._lock:
            if not self._closed:
                with self.store.transaction():
                    self._backends.snapshot()
                self.store.close()
            self._closed = True

    def record(self, token: str, region: str, object_id: str) -> Object:
        """The record of an object. Raises `CloudError` where there is none."""
        found = self.store.get(key_of(self.types[token], region, object_id))
        if found is None:
            raise CloudError("ResourceNotFound", f"couldn't find resource {object_id}")
        return found

    @contextmanager
    def operation(self) -> Iterator[None]:
        """All of it or nothing: what moto was asked to change and the record of the resource, in one transaction."""
        with self._lock:
            try:
                with translated(), self.store.transaction(), self._backends.operation():
                    yield
            except BaseException:
                self._backends.forget()
                raise
            self._backends.confirm()

    def _type(self, urn: str) -> AwsType:
        token = type_of(urn)
        try:
            return self.types[token]
        except KeyError:
            raise CloudError("NotEmulated", self._not_emulated(token)) from None

    def _not_emulated(self, token: str) -> str:
        try:
            schema.resource(token)
        except schema.UnknownType:
            return f"the installed aws SDK has no resource type '{token}'"
        return f"'{token}' is not emulated: add an AwsType for it to a module of sandbox/clouds/aws and to its TYPES"

    def _start(self, call: Call, item: Object) -> None:
        if call.type.started is not None:
            call.type.started(call)
            with self._lock:
                self.store.mark_started(item.id)

    def _foretell(self, call: Call) -> Created:
        """Judge what can be judged before the deployment; what AWS computes is not known yet."""
        with self._lock:
            for judge in call.type.checks:
                with suppress(Undetermined):
                    judge(call)
        given = call.inputs.properties
        known = schema.resource(call.type.pulumi_type).outputs.properties
        foretold = {
            name: given.get(name, UNKNOWN) for name, item in known.items() if name in given or not item.optional
        }
        return Created("", foretold)

    def _outputs(self, call: Call) -> Properties:
        """The inputs that the SDK also shows as outputs, the region, all tags, and what AWS answers."""
        known = schema.resource(call.type.pulumi_type).outputs.properties
        tags = call.inputs["tags"] or {}  # a list for an Auto Scaling group, which has no tagsAll
        common: Properties = {"region": call.region}
        if isinstance(tags, Mapping):
            common["tagsAll"] = {**self._default_tags, **tags}
        answered = {**call.inputs.properties, **common, **call.type.answer(call)}
        return {name: value for name, value in answered.items() if name in known and value is not None}

    def _object(self, call: Call, outputs: Properties) -> Object:
        token = call.type.pulumi_type
        return Object(call.key, token, token, call.urn, call.region, dict(call.inputs.properties), outputs)

    def _purge_expired(self) -> None:
        with self.operation():
            for grave in self.store.graves_until(self._clock()):
                self.store.exhume(grave)
                keys.purged(self.hardware, grave)


def _plain(value: Value) -> Any:
    """A provider's setting: the SDK sends what is no text as JSON."""
    if isinstance(value, str):
        with suppress(ValueError):
            return json.loads(value)
    return value


def _same(_path: str, old: Value, new: Value) -> bool:
    """Whether two values mean the same; policy documents are compared as JSON."""
    if old == new:
        return True
    if isinstance(old, str) and isinstance(new, str) and old.startswith("{") and not contains_unknown(new):
        with suppress(ValueError):
            return bool(json.loads(old) == json.loads(new))
    return False


def _described(mismatch: schema.Mismatch) -> CheckFailure:
    """A mismatch in the words of the Terraform provider that pulumi-aws is made from."""
    path = mismatch.path
    match mismatch.kind:
        case "unknown":
            hint = f" Did you mean '{mismatch.nearest}'?" if mismatch.nearest else ""
            reason = f'Invalid or unknown key: An argument named "{mismatch.found}" is not expected here.{hint}'
        case "missing":
            reason = f'Missing required argument: The argument "{path}" is required, but no definition was found.'
        case _:
            reason = f"Incorrect attribute value type: {path}: {mismatch.subject} required, but have {mismatch.found}."
    return CheckFailure(path, reason)
