"""The project on disk: where stacks, state and emulated regions live."""

import contextlib
import difflib
import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from cli.errors import CliError

_STACK_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9._-]{0,99}")


@dataclass(frozen=True, slots=True)
class Project:
    """A folder with a `Pulumi.yaml`, and the local data folder `.bailiwick` beside it."""

    root: Path

    @classmethod
    def find(cls, start: Path | None = None) -> "Project":
        """The nearest project at or above `start` (default: the working directory). Raises `CliError` if none."""
        here = (start or Path.cwd()).resolve()
        for folder in (here, *here.parents):
            if (folder / "Pulumi.yaml").is_file():
                return cls(folder)
        raise CliError(f"no Pulumi.yaml in {here} or above it: run bailiwick inside a Bailiwick project")

    @property
    def stacks(self) -> Path:
        """The folder of the Pulumi program and of one `Pulumi.<stack>.yaml` per region."""
        return self.root / "stacks"

    @property
    def data(self) -> Path:
        """Local state, the emulated regions and the sandbox's own hardware roots. Git-ignored."""
        return self.root / ".bailiwick"

    @property
    def policies(self) -> Path:
        """The CrossGuard pack."""
        return self.root / "policies"

    def stack_names(self) -> list[str]:
        """Every stack that has a stack file, sorted."""
        return sorted(path.name[7:-5] for path in self.stacks.glob("Pulumi.*.yaml"))

    def stack_path(self, stack: str) -> Path:
        """Where the file of `stack` is, or would be."""
        return self.stacks / f"Pulumi.{stack}.yaml"

    def named(self, stack: str) -> str:
        """Its file as reports and git name it: `stacks/Pulumi.azure-germany.yaml`."""
        return self.stack_path(stack).relative_to(self.root).as_posix()

    def stack_file(self, stack: str) -> Path:
        """The stack file of `stack`. Raises `CliError` for a malformed name or one without a file."""
        if not _STACK_NAME.fullmatch(stack):
            raise CliError(
                f"stack name {stack!r} is not a name: use letters, digits, '.', '_' and '-', for example azure-germany"
            )
        path = self.stack_path(stack)
        if not path.is_file():
            names = self.stack_names()
            near = difflib.get_close_matches(stack, names, n=1)
            hint = f"did you mean {near[0]}?" if near else f"stacks here: {', '.join(names) or 'none'}"
            raise CliError(f"no stack {stack!r}: {self.named(stack)} does not exist; {hint}")
        return path

    def state_file(self, stack: str) -> Path:
        """The local engine's checkpoint of `stack`."""
        return self.data / "state" / f"{stack}.json"

    def region_dir(self, stack: str) -> Path:
        """The emulated region behind `stack`."""
        return self.data / "region" / stack

    @property
    def hardware_dir(self) -> Path:
        """The sandbox's own processor vendor: its root keys and certificates."""
        return self.data / "hardware"

    def stated_passphrase(self) -> str | None:
        """The passphrase of Pulumi's own variables, if they state one.

        Raises:
            CliError: `PULUMI_CONFIG_PASSPHRASE_FILE` names a file that cannot be read.
        """
        if (value := os.environ.get("PULUMI_CONFIG_PASSPHRASE")) is not None:
            return value
        if name := os.environ.get("PULUMI_CONFIG_PASSPHRASE_FILE"):
            try:
                return Path(name).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                raise CliError(
                    f"PULUMI_CONFIG_PASSPHRASE_FILE: {name} cannot be read ({error}): point it at a readable file"
                ) from None
        return None

    def passphrase(self) -> str:
        """The passphrase of the secrets in state: the stated one, else one made for this project (0600)."""
        if (stated := self.stated_passphrase()) is not None:
            return stated
        path = self.data / "passphrase"
        if not path.exists():
            self.data.mkdir(parents=True, exist_ok=True)
            # Made beside and linked into place: another run, or the next one after a kill, never reads half of it.
            descriptor, made = tempfile.mkstemp(dir=self.data, prefix="passphrase-")
            new = Path(made)
            with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
                handle.write(os.urandom(24).hex())
            with contextlib.suppress(FileExistsError):
                path.hardlink_to(new)
            new.unlink()
        try:
            passphrase = path.read_text(encoding="utf-8").strip()
        except UnicodeDecodeError:
            passphrase = ""
        if not passphrase:
            raise CliError(f"{path}: is not a passphrase: put back the one with which the state was written")
        return passphrase
