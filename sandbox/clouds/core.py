"""An emulated cloud behind the provider protocol: the part that no cloud's API shows in.

A subclass brings the table of resource types and the cloud's wording. Everything here is about objects: what a create,
an update, a delete and a read do to the store, in one transaction each, and what a preview may foretell.
"""

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace

from sandbox.clouds import schema
from sandbox.clouds.claims import Claims
from sandbox.clouds.difference import differing, is_within, without_indices
from sandbox.clouds.hardware import Hardware
from sandbox.clouds.naming import AUTO_NAMED, fill_name
from sandbox.clouds.resource import Account, CloudError, Request, ResourceType, Undetermined, View
from sandbox.clouds.store import Grave, Object, Store
from sandbox.engine.urn import type_of
from sandbox.provider import Checked, CheckFailure, Created, Diff, Properties, ProviderError, Read
from sandbox.values import UNKNOWN, Value


class EmulatedCloud(ABC):
    """Objects, their rules and their life. Thread-safe: one lock, one SQLite transaction for each operation."""

    package: str

    def __init__(
        self,
        store: Store,
        hardware: Hardware,
        account: Account,
        types: Mapping[str, ResourceType],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.store = store
        self.hardware = hardware
        self.account = account
        self.types = types
        self._clock = clock
        self._lock = threading.RLock()
        self.forget_previews()

    @abstractmethod
    def describe(self, mismatch: schema.Mismatch) -> CheckFailure:
        """A schema mismatch in the cloud's wording."""

    @abstractmethod
    def complete(self, kind: ResourceType, inputs: Properties, olds: Properties) -> None:
        """Fill in the provider's defaults (a location), in place."""

    @abstractmethod
    def admit(self, request: Request) -> None:
        """What holds for every type: the parent exists, names and tags are well formed, the location is known."""

    @abstractmethod
    def links(self, request: Request) -> Iterable[tuple[str, str]]:
        """The (path, id) pairs of what the inputs name. Raises `CloudError` for what does not exist."""

    @abstractmethod
    def answer(self, request: Request) -> dict[str, Callable[[Request], Value]]:
        """The outputs that every type has."""

    @abstractmethod
    def guard(self, request: Request) -> None:
        """What holds for every delete (management locks)."""

    @abstractmethod
    def same(self, path: str, old: Value, new: Value) -> bool:
        """Whether two plain values mean the same to the cloud."""

    def resolve(self, host: str, from_network_id: str) -> list[str]:  # noqa: ARG002 - a cloud with private DNS overrides it
        """The ids of the machines that answer to a private DNS name, as seen from a network."""
        return []

    def already_exists(self, request: Request) -> CloudError:
        return CloudError("Conflict", f"cannot create already existing resource '{request.id}'")

    def not_found(self, object_id: str) -> CloudError:
        return CloudError("ResourceNotFound", f"The Resource '{object_id}' was not found.")

    def unchangeable(self, path: str) -> CloudError:
        return CloudError("PropertyChangeNotAllowed", f"Changing property '{path}' is not allowed.")

    def automatic_name(self, logical: str, digest: str) -> str:
        """The name of a resource that the program left unnamed; `digest` is hexadecimal."""
        return f"{logical}{digest[:8]}"

    def check(self, urn: str, olds: Properties, news: Properties) -> Checked:
        inputs = {name: value for name, value in news.items() if value is not None}
        token = type_of(urn)
        kind = self.types.get(token)
        if kind is None:
            return Checked(inputs, (CheckFailure("", self._not_emulated(token)),))
        with self._lock:
            fill_name(kind, urn, inputs, olds, self.automatic_name, lambda: self._is_taken(kind, inputs))
            self.complete(kind, inputs, olds)
        mismatches = schema.judge(inputs, schema.resource(token).inputs)
        failures = [
            self.describe(found)
            for found in mismatches
            if not (found.kind == "enum" and without_indices(found.path) in kind.open_enums)
        ]
        return Checked(inputs, tuple(failures))

    def diff(self, urn: str, id: str, olds: Properties, outputs: Properties, news: Properties) -> Diff:  # noqa: A002, ARG002 - the protocol's signature
        changed = tuple(differing(olds, news, self.same))
        replaces = self._replaces(self._type(urn), changed)
        return Diff(changed, replaces, delete_before_replace=bool(replaces) and not olds.get(AUTO_NAMED))

    def create(self, urn: str, inputs: Properties, *, preview: bool) -> Created:
        kind = self._type(urn)
        with self._lock:
            if preview:
                return self._foretell(kind, urn, inputs, None)
            with self.store.transaction():
                request = self._request(kind, urn, inputs, None, preview=False)
                if self.store.get(request.id) is not None:
                    raise self.already_exists(request)
                self._meet_grave(request)
                item = self._write(request)
        try:
            self._start(request, item)
        except ProviderError:
            with self._lock, self.store.transaction():
                self.store.remove(item.id)
            raise
        return Created(item.id, item.outputs)

    def read(self, urn: str, id: str, inputs: Properties) -> Read | None:  # noqa: A002 - the protocol's signature
        """The live object; with `id` empty, the one that `inputs` would make: a killed run does not know more.

        What such a run left switched off is switched on.
        """
        kind = self._type(urn)
        with self._lock:
            item = self.store.get(id or kind.identify(self.account, View(inputs))[0])
            if item is None or item.pulumi_type != kind.pulumi_type:
                return None
            unstarted = self.store.is_unstarted(item.id)
        if unstarted:
            self._start(replace(self._existing(item), before=None), item)
        return Read(item.id, item.inputs, item.outputs)

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
            before = self.store.get(id)
            if before is None:
                raise self.not_found(id)
            for path in self._replaces(kind, tuple(differing(before.inputs, news, self.same))):
                raise self.unchangeable(path)
            if preview:
                return self._foretell(kind, urn, news, before).outputs
            with self.store.transaction():
                request = self._request(kind, urn, news, before, preview=False)
                item = self._write(request)
        self._start(request, item)
        return item.outputs

    def delete(self, urn: str, id: str, outputs: Properties) -> None:  # noqa: A002, ARG002 - the protocol's signature
        with self._lock, self.store.transaction():
            item = self.store.get(id)
            if item is None:
                return
            request = self._existing(item)
            self.guard(request)
            if request.type.in_use is not None:
                request.type.in_use(request, self.store.referrers(item.id))
            if request.type.survives:
                if request.type.stopped is not None:
                    request.type.stopped(request, item)
                self._bury(request, item)
                return
            for each in [*self._inside(item), item]:
                inner = self._existing(each)
                if inner.type.stopped is not None:
                    inner.type.stopped(inner, each)
                self._bury(inner, each)
                self.store.remove(each.id)
            self._foretold.pop(id.lower(), None)

    def invoke(self, token: str, args: Properties) -> Properties:  # noqa: ARG002 - a cloud overrides what it answers
        raise CloudError("NotEmulated", f"the function '{token}' is not emulated; {self.package} resources are")

    def forget_previews(self) -> None:
        """Begin afresh: nothing is foretold."""
        self._foretold: dict[str, Object] = {}
        self.foretold_claims = Claims.in_memory()

    def close(self) -> None:
        with self._lock:
            self.store.close()

    def lookup(self, object_id: str, *, preview: bool) -> Object | None:
        """The object with that id, or a member of an inline list (`…/loadBalancers/a/backendAddressPools/b`)."""
        with self._lock:
            found = (self._foretold.get(object_id.lower()) if preview else None) or self.store.get(object_id)
        if found is not None:
            return found
        holder_id, _, rest = object_id.rpartition("/")
        holder_id, _, segment = holder_id.rpartition("/")
        if holder_id.count("/") < 8:  # no shorter id than that of a resource has inline members
            return None
        holder = self.lookup(holder_id, preview=preview)
        return None if holder is None else self._embedded(holder, segment, rest, object_id)

    def siblings(self, parent: str, kind: str, *, preview: bool) -> list[Object]:
        """The objects of one type in one parent. A preview knows only what it foretold: the rest may yet go."""
        if not preview:
            return self.store.children(parent, kind)
        return [item for item in self._foretold.values() if (item.parent, item.kind) == (parent.lower(), kind)]

    def purge_expired(self) -> None:
        """Purge what was deleted and whose retention has ended."""
        by_kind = {kind.kind: kind for kind in self.types.values() if kind.soft_delete is not None}
        with self._lock, self.store.transaction():
            for grave in self.store.graves_until(self._clock()):
                soft_delete = by_kind[grave.kind].soft_delete
                self.store.exhume(grave)
                if soft_delete is not None:
                    soft_delete.purged(self.hardware, grave)

    def _type(self, urn: str) -> ResourceType:
        token = type_of(urn)
        try:
            return self.types[token]
        except KeyError:
            raise CloudError("NotEmulated", self._not_emulated(token)) from None

    def _not_emulated(self, token: str) -> str:
        module = token.split(":")[1].split("/")[0]
        folder = self.package.split("-")[0]
        try:
            schema.resource(token)
        except schema.UnknownType:
            return f"the installed {self.package} SDK has no resource type '{token}'"
        return (
            f"'{token}' is not emulated: add a ResourceType for it to sandbox/clouds/{folder}/{module}.py"
            f" and list it in that module's TYPES"
        )

    def _replaces(self, kind: ResourceType, changed: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(path for path in changed if any(is_within(path, fixed) for fixed in kind.replace_on))

    def _request(
        self, kind: ResourceType, urn: str, inputs: Properties, before: Object | None, *, preview: bool
    ) -> Request:
        view = View(inputs)
        object_id, parent = kind.identify(self.account, view)
        return Request(self, kind, urn, before.id if before else object_id, parent, view, before, preview)

    def _existing(self, item: Object) -> Request:
        kind = self.types[item.pulumi_type]
        return Request(self, kind, item.urn, item.id, item.parent, View(item.inputs), item)

    def _write(self, request: Request) -> Object:
        """Judge a request, compute what the cloud answers, and store the object."""
        self.admit(request)
        links = list(self.links(request))
        for judge in request.type.checks:
            judge(request)
        item = self._object(request, self._outputs(request))
        self.store.put(item, links)
        if request.type.started is not None:
            self.store.mark_unstarted(item.id)
        return item

    def _start(self, request: Request, item: Object) -> None:
        """Outside the lock: what starts may ask the cloud who else is there."""
        if request.type.started is not None:
            request.type.started(request, item)
            with self._lock:
                self.store.mark_started(item.id)

    def _foretell(self, kind: ResourceType, urn: str, inputs: Properties, before: Object | None) -> Created:
        """Judge what can be judged before the deployment, and give the outputs that are already certain."""
        try:
            request = self._request(kind, urn, inputs, before, preview=True)
        except Undetermined:
            known = schema.resource(kind.pulumi_type).outputs.properties
            return Created("", {name: inputs.get(name, UNKNOWN) for name in known})
        twin = self._foretold.get(request.id.lower())
        if before is None and twin is not None and twin.urn != urn:
            raise self.already_exists(request)
        for judge in (self.admit, lambda request: list(self.links(request)), *kind.checks):
            with suppress(Undetermined):
                judge(request)
        item = self._object(request, self._outputs(request))
        self._foretold[item.id.lower()] = item
        return Created(item.id, item.outputs)

    def _object(self, request: Request, outputs: Properties) -> Object:
        kind = request.type
        return Object(
            request.id,
            kind.kind,
            kind.pulumi_type,
            request.urn,
            request.parent.lower(),
            dict(request.inputs.properties),
            outputs,
        )

    def _outputs(self, request: Request) -> Properties:
        """The inputs that the SDK also shows as outputs, what every object of the cloud has, what this type has."""
        known = schema.resource(request.type.pulumi_type).outputs.properties
        outputs = {name: value for name, value in request.inputs.properties.items() if name in known}
        for name, segment in request.type.embedded.items():
            if isinstance(outputs.get(name), list):
                outputs[name] = [_member(request.id, segment, item) for item in outputs[name]]
        for name, compute in (self.answer(request) | dict(request.type.outputs)).items():
            if name not in known:
                continue
            try:
                value = compute(request)
            except Undetermined:
                value = UNKNOWN
            if value is not None:
                outputs[name] = value
        return outputs

    def _embedded(self, holder: Object, segment: str, name: str, object_id: str) -> Object | None:
        for listed, known_segment in self.types[holder.pulumi_type].embedded.items():
            if known_segment.lower() != segment.lower():
                continue
            members = holder.outputs.get(listed)
            for member in members if isinstance(members, list) else ():
                if isinstance(member, Mapping) and str(member.get("name", "")).lower() == name.lower():
                    outputs = {"location": holder.outputs.get("location"), **member}
                    kind = f"{holder.kind}/{known_segment}"
                    return Object(object_id, kind, holder.pulumi_type, holder.urn, holder.id, dict(member), outputs)
        return None

    def _inside(self, item: Object) -> list[Object]:
        """Everything inside an object, innermost first."""
        found: list[Object] = []
        for child in self.store.children(item.id):
            found += [*self._inside(child), child]
        return found

    def _meet_grave(self, request: Request) -> None:
        soft_delete = request.type.soft_delete
        if soft_delete is None:
            return
        grave = self.store.grave(soft_delete.space(request), request.name)
        soft_delete.meets(request, grave)
        if grave is not None:
            self.store.exhume(grave)

    def _bury(self, request: Request, item: Object) -> None:
        soft_delete = request.type.soft_delete
        if soft_delete is not None:
            purge_at = self._clock() + 86_400 * soft_delete.retention_days(request)
            self.store.bury(Grave(soft_delete.space(request), item.name, item.kind, item.id, item.inputs, purge_at))

    def _is_taken(self, kind: ResourceType, inputs: Properties) -> bool:
        try:
            object_id, _ = kind.identify(self.account, View(inputs))
        except (Undetermined, CloudError):
            return False
        return self.store.get(object_id) is not None


def _member(object_id: str, segment: str, item: Value) -> Value:
    """A member of an inline list as the cloud shows it: with its own id."""
    if not isinstance(item, Mapping) or not isinstance(item.get("name"), str):
        return item
    return {**item, "id": f"{object_id}/{segment}/{item['name']}"}
