"""Times on the command line."""

from datetime import UTC, datetime

from cli.errors import CliError


def read_time(text: str | None) -> datetime:
    """The value of `--at`: ISO 8601, UTC where it has no zone; now for None. Raises `CliError`."""
    if text is None:
        return datetime.now(UTC)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise CliError(f"--at: {text!r} is not a time: write it like 2026-07-01T00:00:00Z") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
