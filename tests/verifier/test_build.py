"""What the verifier calls itself in results and receipts: its version, and a digest of what it consists of."""

import hashlib
from importlib import metadata
from pathlib import Path

import pytest

import verifier
from verifier import build


def test_the_digest_is_of_all_modules_and_data() -> None:
    root = Path(str(verifier.__file__)).parent
    digest = hashlib.sha256()
    for path in sorted(path for path in root.rglob("*") if path.suffix in {".py", ".yaml", ".pem", ".html"}):
        digest.update(b"%s\0%d\0" % (path.relative_to(root).as_posix().encode(), path.stat().st_size))
        digest.update(path.read_bytes())
    version = metadata.version("bailiwick")
    assert build.identity.__wrapped__() == f"bailiwick-verifier/{version}+sha256.{digest.hexdigest()[:16]}"


def test_a_copy_that_nobody_installed_has_no_version(monkeypatch: pytest.MonkeyPatch) -> None:
    def version(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", version)
    assert build.identity.__wrapped__().startswith("bailiwick-verifier/0+sha256.")
