"""Faults of a cloud, switched on: throttling, outages, slowness, failures and things deleted behind our back.

Whatever strikes is decided by the seed, the operation and the URN alone, so that a run can be repeated, whatever order
its threads take. A failure and a deletion strike once for each resource and are remembered in a file, so that the run
after them finds the cloud well again; throttling and outages last a few attempts, and are retried as providers do.
"""

import hashlib
import json
import math
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final, TypeVar

from sandbox.clouds import propagation
from sandbox.engine.urn import type_of
from sandbox.provider import Checked, Created, Diff, Properties, Provider, ProviderError, Read

MAX_ATTEMPTS: Final = 5
"""How often an operation is tried, as the providers' own HTTP clients do."""
_LONGEST_STREAK: Final = 3

_T = TypeVar("_T")

_WORDING: Final = {
    "gcp": (
        "googleapi: Error 429: Quota exceeded for quota metric 'Queries', rateLimitExceeded",
        "googleapi: Error 503: The service is currently unavailable., backendError",
        "googleapi: Error 500: Internal error. Please try again or contact Google Support., backendError",
    ),
    "azure-native": (
        "TooManyRequests: The request is being throttled.",
        "ServiceUnavailable: The service is temporarily unavailable.",
        "InternalServerError: The server encountered an error processing the request.",
    ),
    "aws": (
        "ThrottlingException: Rate exceeded",
        "ServiceUnavailable: Service is unable to handle request.",
        "InternalFailure: The request processing has failed because of an unknown error.",
    ),
    "kubernetes": (
        "TooManyRequests: the server has received too many requests and has asked us to try again later",
        "ServiceUnavailable: the server is currently unable to handle the request",
        "InternalError: an error on the server has prevented the request from succeeding",
    ),
}


class TransientError(ProviderError):
    """A refusal that will pass: the same request may succeed after `retry_after` seconds."""

    def __init__(self, message: str, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class FaultPlanError(ValueError):
    """A fault plan that cannot be read."""


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """How often each fault strikes: a share of the resources, from 0 to 1.

    `throttle` (429) and `unavailable` (503) refuse an operation's first attempts; `lag` refuses those of a creation
    that needs what was just made (`sandbox.clouds.propagation`); `slow` holds a creation up for `delay` seconds; `fail`
    fails one creation for good, in this run; `vanish` deletes a resource before it is next read. `retry_after` is in
    seconds.
    """

    seed: int = 0
    throttle: float = 0.0
    unavailable: float = 0.0
    lag: float = 0.0
    slow: float = 0.0
    fail: float = 0.0
    vanish: float = 0.0
    delay: float = 0.5
    retry_after: float = 0.1

    @classmethod
    def parse(cls, text: str) -> "FaultPlan":
        """Read `throttle=0.2,fail=0.05,seed=7`. Raises `FaultPlanError` with what would be right."""
        names = [field.name for field in fields(cls)]
        values: dict[str, float] = {}
        for part in filter(None, (part.strip() for part in text.split(","))):
            name, separator, value = part.partition("=")
            if name not in names or not separator:
                raise FaultPlanError(f"{part!r} is no fault: write name=number, with one of {', '.join(names)}")
            if name in values:
                raise FaultPlanError(f"{name} is there twice: write it once")
            values[name] = _number(name, value)
        seed = int(values.pop("seed", 0))
        return cls(seed=seed, **values)

    def strikes(self, share: float, *what: str) -> bool:
        """Whether a fault with this share strikes `what`."""
        return share > 0 and self.draw(*what) < share

    def draw(self, *what: str) -> float:
        """A number from 0 up to 1 that belongs to `what`."""
        digest = hashlib.sha256("\0".join([str(self.seed), *what]).encode()).digest()
        return int.from_bytes(digest[:8], "big") / 2**64


def _number(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise FaultPlanError(f"{name}={text!r} is not a number") from None
    if not math.isfinite(value) or (name == "seed" and not value.is_integer()):
        raise FaultPlanError(f"{name}={text} is not a {'whole' if name == 'seed' else 'finite'} number")
    is_share = name not in ("seed", "delay", "retry_after")
    if value < 0 or (is_share and value > 1):
        raise FaultPlanError(f"{name}={text} is out of range: {'a share is from 0 to 1' if is_share else 'at least 0'}")
    return value


class FaultMemory:
    """What has struck already, in a file so that the next run knows, or for this process only. Thread-safe."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._struck = _remembered(path) if path and path.exists() else set()

    def first(self, key: str) -> bool:
        """Whether `key` strikes for the first time; from now on it has."""
        with self._lock:
            if key in self._struck:
                return False
            self._struck.add(key)
            if self._path is not None:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                new = self._path.with_name(f"{self._path.name}.new")
                new.write_text(json.dumps(sorted(self._struck)), "utf-8")
                new.replace(self._path)
            return True


def _remembered(path: Path) -> set[str]:
    try:
        struck = json.loads(path.read_bytes())
        if isinstance(struck, list) and all(isinstance(key, str) for key in struck):
            return set(struck)
    except ValueError:
        pass
    raise ProviderError(f"{path} does not say which faults have struck already: delete it, and they strike once more")


class FaultyProvider:
    """A provider whose cloud misbehaves by plan, and which is as patient as real providers are.

    `sleep` waits for a number of seconds.
    """

    def __init__(
        self,
        provider: Provider,
        plan: FaultPlan,
        memory: FaultMemory | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.package = provider.package
        self.version = provider.version
        self._provider = provider
        self._plan = plan
        self._memory = memory or FaultMemory()
        self._sleep = sleep
        self._lock = threading.Lock()
        self._attempts: Counter[tuple[str, str]] = Counter()

    def configure(self, config: Properties) -> None:
        self._provider.configure(config)

    def check(self, urn: str, olds: Properties, news: Properties) -> Checked:
        return self._provider.check(urn, olds, news)

    def diff(self, urn: str, id: str, olds: Properties, outputs: Properties, news: Properties) -> Diff:  # noqa: A002
        return self._provider.diff(urn, id, olds, outputs, news)

    def create(self, urn: str, inputs: Properties, *, preview: bool) -> Created:
        if preview:
            return self._provider.create(urn, inputs, preview=True)
        if self._plan.strikes(self._plan.slow, "slow", urn):
            self._sleep(self._plan.delay)
        if self._plan.strikes(self._plan.fail, "fail", urn) and self._memory.first(f"fail {urn}"):
            raise ProviderError(f"{self._wording(2)} (a fault that was switched on)")
        lag = propagation.refusal(self.package, type_of(urn), inputs)
        return self._patiently("create", urn, lambda: self._provider.create(urn, inputs, preview=False), lag)

    def read(self, urn: str, id: str, inputs: Properties) -> Read | None:  # noqa: A002
        if self._plan.strikes(self._plan.vanish, "vanish", urn):
            self._vanish(urn, id)
        return self._patiently("read", urn, lambda: self._provider.read(urn, id, inputs))

    def update(
        self,
        urn: str,
        id: str,  # noqa: A002
        olds: Properties,
        news: Properties,
        *,
        preview: bool,
    ) -> Properties:
        if preview:
            return self._provider.update(urn, id, olds, news, preview=True)
        return self._patiently("update", urn, lambda: self._provider.update(urn, id, olds, news, preview=False))

    def delete(self, urn: str, id: str, outputs: Properties) -> None:  # noqa: A002
        self._patiently("delete", urn, lambda: self._provider.delete(urn, id, outputs))

    def invoke(self, token: str, args: Properties) -> Properties:
        return self._patiently("invoke", token, lambda: self._provider.invoke(token, args))

    def _patiently(self, operation: str, urn: str, act: Callable[[], _T], lag: str | None = None) -> _T:
        """Try again what was throttled or unavailable, after the time that the cloud asks for, doubled each time."""
        for attempt in range(MAX_ATTEMPTS):
            try:
                self._refuse_at_first(operation, urn, lag)
                return act()
            except TransientError as error:
                if attempt == MAX_ATTEMPTS - 1:
                    raise
                self._sleep(error.retry_after * 2**attempt)
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _refuse_at_first(self, operation: str, urn: str, lag: str | None) -> None:
        """Refuse the first attempts of an operation, up to three, where the plan strikes it."""
        with self._lock:
            attempt = self._attempts[operation, urn]
            self._attempts[operation, urn] += 1
        plan = self._plan
        for share, name, wording in (
            (plan.throttle, "throttle", self._wording(0)),
            (plan.unavailable, "unavailable", self._wording(1)),
            (plan.lag, "lag", lag),
        ):
            streak = 1 + int(plan.draw("streak", name, operation, urn) * _LONGEST_STREAK)
            if wording and attempt < streak and plan.strikes(share, name, operation, urn):
                raise TransientError(wording, plan.retry_after)

    def _vanish(self, urn: str, id: str) -> None:  # noqa: A002
        """Somebody deletes the resource, unless something else needs it."""
        if not id or not self._memory.first(f"vanish {urn}"):
            return
        try:
            self._provider.delete(urn, id, {})
        except ProviderError:
            return

    def _wording(self, number: int) -> str:
        return _WORDING.get(self.package, _WORDING["azure-native"])[number]
