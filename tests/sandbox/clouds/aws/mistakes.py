"""What somebody asks for, and what AWS says to it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from sandbox.provider import ProviderError
from tests.sandbox.clouds.aws.bench import Bench

Making = Callable[[Bench], Any]


@dataclass(frozen=True)
class Mistake:
    """`make` is the mistake; the one line that AWS answers has `says` in it."""

    what: str
    make: Making
    says: str

    def is_refused(self, bench: Bench) -> None:
        """Assert that it is."""
        with pytest.raises(ProviderError) as refused:
            self.make(bench)
        message = str(refused.value)
        assert self.says in message
        assert "\n" not in message
