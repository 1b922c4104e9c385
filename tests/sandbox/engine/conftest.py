"""A cloud in memory, a project in a temporary directory and an engine for it."""

import textwrap
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from sandbox.engine import Event, LocalEngine, PolicyHost, StateFile
from sandbox.provider import Checked, CheckFailure, Created, Diff, Properties, ProviderError, Read
from sandbox.values import UNKNOWN

PASSPHRASE = "correct horse"

PRELUDE = """
import pulumi

class Thing(pulumi.CustomResource):
    value: pulumi.Output[str]
    address: pulumi.Output[str]

    def __init__(self, name, value=None, opts=None, **props):
        props = {"value": value, "address": None, **props}
        super().__init__("memory:index:Thing", name, props, opts)

class Box(pulumi.ComponentResource):
    def __init__(self, name, props=None, opts=None):
        super().__init__("bailiwick:index:Box", name, props or {}, opts)
"""


@dataclass
class MemoryCloud:
    """Things by id. `value` changes in place, `kind` forces a replacement, `label` one that must be deleted first; the
    value `refused` is refused at check, `explode` on creation. A thing with a `label` is known by it."""

    package: str = "memory"
    version: str = "1.0.0"
    things: dict[str, Properties] = field(default_factory=dict)
    log: list[tuple[str, str]] = field(default_factory=list)
    configurations: list[Properties] = field(default_factory=list)
    before: Callable[[str, str], None] = lambda _operation, _name: None
    _generations: Counter[str] = field(default_factory=Counter)
    _lock: Any = field(default_factory=threading.Lock)

    def _did(self, operation: str, urn: str) -> str:
        name = urn.split("::")[-1]
        self.before(operation, name)
        with self._lock:
            self.log.append((operation, name))
        return name

    def configure(self, config: Properties) -> None:
        if config.get("account", "sandbox") != "sandbox":
            raise ProviderError(f"InvalidAccount: {config['account']} is a real account")
        self.configurations.append(config)

    def check(self, urn: str, olds: Properties, news: Properties) -> Checked:
        assert UNKNOWN not in olds.values()
        failures = []
        if news.get("value") == "refused":
            failures.append(CheckFailure("value", "InvalidParameter: 'refused' is not allowed"))
        inputs = {key: value for key, value in news.items() if value is not None}
        return Checked({"size": "small", **inputs}, tuple(failures))

    def diff(self, urn: str, id: str, olds: Properties, outputs: Properties, news: Properties) -> Diff:  # noqa: A002
        changed = tuple(
            key for key in {**olds, **news} if olds.get(key) is not news.get(key) and olds.get(key) != news.get(key)
        )
        replaces = tuple(key for key in changed if key in ("kind", "label"))
        return Diff(changed, replaces, delete_before_replace="label" in replaces or "label" in news)

    def create(self, urn: str, inputs: Properties, *, preview: bool) -> Created:
        if preview:
            return Created("", {**inputs, "address": UNKNOWN})
        name = self._did("create", urn)
        if inputs.get("value") == "explode":
            raise ProviderError(f"QuotaExceeded: no room for {name}")
        self._generations[name] += 1
        identity = f"/things/{inputs.get('label', f'{name}-{self._generations[name]}')}"
        if identity in self.things:
            raise ProviderError(f"Conflict: {identity} exists")
        outputs = {**inputs, "address": f"address of {name}"}
        self.things[identity] = outputs
        return Created(identity, outputs)

    def read(self, urn: str, id: str, inputs: Properties) -> Read | None:  # noqa: A002
        self._did("read", urn)
        identity = id or f"/things/{inputs.get('label')}"
        outputs = self.things.get(identity)
        if outputs is None:
            return None
        return Read(identity, {key: value for key, value in outputs.items() if key != "address"}, outputs)

    def update(self, urn: str, id: str, olds: Properties, news: Properties, *, preview: bool) -> Properties:  # noqa: A002
        outputs = {**news, "address": f"address of {urn.split('::')[-1]}"}
        if not preview:
            self._did("update", urn)
            self.things[id] = outputs
        return outputs

    def delete(self, urn: str, id: str, outputs: Properties) -> None:  # noqa: A002
        self._did("delete", urn)
        if outputs.get("value") == "sticky":
            raise ProviderError("Locked: cannot be deleted")
        if self.things.pop(id, None) is None:
            raise ProviderError(f"NotFound: {id}")

    def invoke(self, token: str, args: Properties) -> Properties:
        if args.get("value") == "refused":
            raise ProviderError("NotFound: nothing of that name")
        return {"echo": args.get("value")}


@dataclass
class Workbench:
    """A project with one stack `dev`, a cloud, and what the last run said."""

    directory: Path
    cloud: MemoryCloud = field(default_factory=MemoryCloud)
    events: list[Event] = field(default_factory=list)
    passphrase: str = PASSPHRASE
    real_cloud: MemoryCloud | None = None

    def program(self, body: str) -> None:
        (self.directory / "stacks" / "__main__.py").write_text(PRELUDE + textwrap.dedent(body))

    @property
    def state(self) -> StateFile:
        return StateFile.of_stack(self.directory, "dev", self.passphrase)

    @property
    def backup(self) -> Path:
        return self.state.path.with_name("dev.json.bak")

    @property
    def journal(self) -> Path:
        return self.state.path.with_name("dev.json.journal")

    def engine(
        self,
        *,
        policies: list[Any] | None = None,
        apart: bool = False,
        stack: str = "dev",
        config: Mapping[str, str] | None = None,
    ) -> LocalEngine:
        self.events.clear()
        return LocalEngine(
            self.directory,
            stack,
            providers={"memory": self.cloud},
            state=self.state,
            policy_pack=PolicyHost(policies, apart=apart) if policies is not None else None,
            on_event=self.events.append,
            config=config,
        )

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    def resources(self) -> dict[str, dict[str, Any]]:
        """The resources in state by name."""
        deployment = self.state.export()["deployment"]
        return {record["urn"].split("::")[-1]: record for record in deployment["resources"]}

    def did(self, *operations: str) -> list[tuple[str, str]]:
        return [entry for entry in self.cloud.log if entry[0] in (operations or ("create", "update", "delete"))]


@pytest.fixture(autouse=True)
def _cheap_keys(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """The real number of iterations takes a third of a second for each state."""
    if request.node.get_closest_marker("pulumi") is None and "real_keys" not in request.fixturenames:
        monkeypatch.setattr("sandbox.engine.secrets.ITERATIONS", 10)


@pytest.fixture
def real_keys() -> None:
    """Ask for this to derive keys as Pulumi does."""


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    (tmp_path / "Pulumi.yaml").write_text("name: bailiwick\nruntime: python\nmain: stacks\nstackConfigDir: stacks\n")
    (tmp_path / "stacks").mkdir()
    (tmp_path / "stacks" / "Pulumi.dev.yaml").write_text("config:\n  bailiwick:owner: me@example.org\n")
    return Workbench(tmp_path)
