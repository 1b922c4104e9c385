"""`cloud.db` of an emulated AWS account: the core's records, and moto's state beside them."""

from collections.abc import Iterator
from pathlib import Path

from sandbox.clouds.store import Store

_TABLE = """
CREATE TABLE IF NOT EXISTS moto (
    service TEXT, region TEXT, content BLOB, PRIMARY KEY (service, region)
) WITHOUT ROWID;
"""


class AwsStore(Store):
    """The objects' records and the pickled moto backends, in one file, so that one transaction writes both."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._db.executescript(_TABLE)

    def keep_backend(self, service: str, region: str, content: bytes) -> None:
        """Write what moto has for a service in a region (or partition, for a service without regions)."""
        self._db.execute("INSERT OR REPLACE INTO moto VALUES (?, ?, ?)", (service, region, content))

    def backends(self) -> Iterator[tuple[str, str, bytes]]:
        """Every (service, region, content) that was kept."""
        yield from self._db.execute("SELECT service, region, content FROM moto ORDER BY service, region").fetchall()
