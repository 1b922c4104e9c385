"""`cloud.db` of an emulated AWS account: the core's records, and what moto's state follows from.

That is a snapshot, moto's backends pickled, and the calls that came after it, in order. A call is written in the
transaction that writes the record of the resource it was made for.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sandbox.clouds.store import Store

_TABLES = """
CREATE TABLE IF NOT EXISTS snapshot (
    only INTEGER PRIMARY KEY CHECK (only = 0), position INTEGER NOT NULL, backends BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS calls (
    position INTEGER PRIMARY KEY, service TEXT NOT NULL, region TEXT NOT NULL, operation TEXT NOT NULL,
    parameters BLOB NOT NULL, seed INTEGER NOT NULL
);
"""


@dataclass(frozen=True, slots=True)
class ApiCall:
    """A request that changed moto's state, and the seed of the ids that it drew. `parameters` are pickled."""

    service: str
    region: str
    operation: str
    parameters: bytes
    seed: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """moto's state after the calls up to `position`: its backends in one pickle, because they refer to each other."""

    position: int
    backends: bytes


class AwsStore(Store):
    """The objects' records, moto's snapshot and the calls since then, in one file."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._db.executescript(_TABLES)

    def position(self) -> int:
        """The number of the last call that was written, 0 before the first."""
        return max(self.snapshot_position(), self._number("SELECT max(position) FROM calls"))

    def snapshot_position(self) -> int:
        """The number of the last call that the snapshot contains."""
        return self._number("SELECT position FROM snapshot")

    def snapshot(self) -> Snapshot | None:
        row = self._db.execute("SELECT position, backends FROM snapshot").fetchone()
        return Snapshot(*row) if row else None

    def calls_after(self, position: int) -> list[ApiCall]:
        """The calls with a greater number, in order."""
        rows = self._db.execute(
            "SELECT service, region, operation, parameters, seed FROM calls WHERE position > ? ORDER BY position",
            (position,),
        )
        return [ApiCall(*row) for row in rows.fetchall()]

    def append(self, calls: Iterable[ApiCall]) -> None:
        """Write calls behind those that are there, in the caller's transaction."""
        first = self.position() + 1
        self._db.executemany(
            "INSERT INTO calls VALUES (?, ?, ?, ?, ?, ?)",
            [
                (position, call.service, call.region, call.operation, call.parameters, call.seed)
                for position, call in enumerate(calls, first)
            ],
        )

    def replace_snapshot(self, snapshot: Snapshot) -> None:
        """Take a snapshot in the place of the one before and of the calls that it contains."""
        self._db.execute("INSERT OR REPLACE INTO snapshot VALUES (0, ?, ?)", (snapshot.position, snapshot.backends))
        self._db.execute("DELETE FROM calls WHERE position <= ?", (snapshot.position,))

    def _number(self, query: str) -> int:
        row = self._db.execute(query).fetchone()
        return int(row[0] or 0) if row else 0
