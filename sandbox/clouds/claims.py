"""Names that are taken within a namespace: DNS labels of a cloud, addresses and ranges of a virtual network."""

import sqlite3

_TABLE = """
CREATE TABLE IF NOT EXISTS claims (space TEXT, name TEXT, holder TEXT, PRIMARY KEY (space, name)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS claims_holder ON claims (holder);
"""


class Claims:
    """Who has which name. Spaces, names and holders are compared without letter case. Not thread-safe by itself."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._db = database
        self._db.executescript(_TABLE)

    @classmethod
    def in_memory(cls) -> "Claims":
        """Claims that end with the process."""
        return cls(sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False))

    def take(self, space: str, name: str, holder: str) -> str | None:
        """Take `name` for `holder`; the holder's id when another one has it, else None."""
        found = self.holder(space, name)
        if found is not None and found != holder.lower():
            return found
        self._db.execute(
            "INSERT OR REPLACE INTO claims VALUES (?, ?, ?)", (space.lower(), name.lower(), holder.lower())
        )
        return None

    def holder(self, space: str, name: str) -> str | None:
        row = self._db.execute(
            "SELECT holder FROM claims WHERE space = ? AND name = ?", (space.lower(), name.lower())
        ).fetchone()
        return None if row is None else str(row[0])

    def held(self, space: str, holder: str) -> list[str]:
        """The names that `holder` has in one space, in the order of characters."""
        rows = self._db.execute(
            "SELECT name FROM claims WHERE holder = ? AND space = ? ORDER BY name", (holder.lower(), space.lower())
        )
        return [str(name) for (name,) in rows.fetchall()]

    def last(self, space: str, first: str, last: str) -> str | None:
        """The greatest name taken in `space` from `first` to `last`, in the order of characters."""
        row = self._db.execute(
            "SELECT max(name) FROM claims WHERE space = ? AND name BETWEEN ? AND ?", (space.lower(), first, last)
        ).fetchone()
        found: str | None = row[0]
        return found

    def release(self, holder: str, space: str | None = None) -> None:
        """Give back the names of `holder`, in one space or in all."""
        if space is None:
            self._db.execute("DELETE FROM claims WHERE holder = ?", (holder.lower(),))
        else:
            self._db.execute("DELETE FROM claims WHERE holder = ? AND space = ?", (holder.lower(), space.lower()))
