"""What somebody asks for in a region of Google Cloud that stands, and what Google says to it."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from sandbox.provider import Properties, ProviderError
from sandbox.values import Value
from tests.sandbox.clouds.project import Bench, changed

Act = Callable[[Bench], object]


@dataclass(frozen=True)
class Mistake:
    """`act` is the mistake, made in a region that stands; the error, one line, contains each of `texts`."""

    name: str
    act: Act
    texts: tuple[str, ...]

    def is_refused(self, google: Bench) -> None:
        """Assert that it is."""
        google.region()
        with pytest.raises(ProviderError) as refusal:
            self.act(google)
        assert all(text in str(refusal.value) for text in self.texts), str(refusal.value)
        assert "\n" not in str(refusal.value)


def make(kind: str, inputs: Properties) -> Act:
    """Create one resource."""
    return lambda bench: bench.create(kind, "mistake", inputs)


def bucket(**changes: Value) -> Properties:
    """A bucket's inputs, changed."""
    return changed({"name": "audit-bucket", "location": "EUROPE-WEST3"}, changes)
