"""The region's memory between runs: its machines and what became of their guests, one JSON file each."""

from pathlib import Path
from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from sandbox.clouds.hardware import Machine
from sandbox.region.files import write_atomically
from verifier import canonical


class RecordError(Exception):
    """A record on disk is damaged; the message names the file."""


class MachineRecord(BaseModel):
    """A machine that is switched on; customData is base64 on disk, because it may be any bytes."""

    model_config = ConfigDict(frozen=True, ser_json_bytes="base64", val_json_bytes="base64")

    machine: Machine

    @property
    def role(self) -> str | None:
        """`workload` or `verifier`, as customData states it; None for a machine that is neither."""
        try:
            return str(canonical.parse_object(self.machine.custom_data or b"").get("role"))
        except canonical.JsonError:
            return None


Record = TypeVar("Record", bound=BaseModel)


class Records(Generic[Record]):
    """Records of one type in `directory/<name>.json`."""

    def __init__(self, directory: Path, model: type[Record]) -> None:
        self._directory = directory
        self._model = model

    def put(self, name: str, record: Record) -> None:
        """Write a record, in place of one of that name."""
        write_atomically(self._path(name), record.model_dump_json(indent=2).encode() + b"\n")

    def get(self, name: str) -> Record | None:
        """The record of that name, or None."""
        path = self._path(name)
        try:
            return self._model.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            return None
        except ValidationError as error:
            problems = error.error_count()
            raise RecordError(f"{path}: {problems} invalid members; delete the file and run again") from None

    def remove(self, name: str) -> None:
        """Forget a record; absent is no error."""
        self._path(name).unlink(missing_ok=True)

    def all(self) -> list[Record]:
        """Every record, by name."""
        names = sorted(path.stem for path in self._directory.glob("[!.]*.json"))
        return [record for record in map(self.get, names) if record is not None]

    def _path(self, name: str) -> Path:
        return self._directory / f"{name}.json"
