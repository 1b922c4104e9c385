"""How long a guest keeps asking for a service that does not answer."""

import threading
import time
from typing import Final

_FIRST_PAUSE_SECONDS: Final = 0.05
_LONGEST_PAUSE_SECONDS: Final = 1.0


class Patience:
    """Growing pauses within `seconds`; over at once when `stop` is set."""

    def __init__(self, seconds: float, stop: threading.Event) -> None:
        self._deadline = time.monotonic() + seconds
        self._stop = stop
        self._pause = _FIRST_PAUSE_SECONDS

    def pause(self) -> bool:
        """Wait before the next attempt; False when there is to be none."""
        if time.monotonic() + self._pause > self._deadline or self._stop.wait(self._pause):
            return False
        self._pause = min(2 * self._pause, _LONGEST_PAUSE_SECONDS)
        return True
