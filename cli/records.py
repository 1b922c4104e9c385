"""What a run leaves beside the state for later commands: the policy verdicts that evidence export reads."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cli.errors import CliError
from cli.project import Project
from policies.report.model import rule_id
from sandbox.engine.events import Verdict


def save_verdicts(project: Project, stack: str, engine: str, verdicts: Sequence[Verdict]) -> None:
    """Write the verdicts of the last deployment of `stack`."""
    path = _path(project, stack)
    path.parent.mkdir(parents=True, exist_ok=True)
    record = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "engine": engine,
        "verdicts": [asdict(verdict) | {"rule": rule_id(verdict.rule)} for verdict in verdicts],
    }
    path.write_text(json.dumps(record, indent=1), encoding="utf-8")


def load_verdicts(project: Project, stack: str) -> dict[str, Any]:
    """The record of the last deployment. Raises `CliError` where there is none."""
    path = _path(project, stack)
    try:
        record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CliError(f"{stack} has no policy verdicts yet: run `bailiwick up {stack}` first") from None
    except ValueError:
        raise CliError(f"{path}: not JSON; run `bailiwick up {stack}` to write it again") from None
    return record


def forget(project: Project, stack: str) -> None:
    """Remove the record of a stack that was destroyed."""
    _path(project, stack).unlink(missing_ok=True)


def _path(project: Project, stack: str) -> Path:
    return project.data / "state" / f"{stack}.verdicts.json"
