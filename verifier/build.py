"""Which build of the verifier this is: receipts and results name it, so that an auditor knows who judged."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib import metadata
from pathlib import Path

DEVELOPER = "https://bailiwick.dev"


@cache
def identity() -> str:
    """`bailiwick-verifier/<version>+sha256.<first 16 hex of the digest of this package's modules and data>`."""
    root = Path(__file__).parent
    digest = hashlib.sha256()
    for path in sorted(path for path in root.rglob("*") if path.suffix in {".py", ".yaml", ".pem", ".html"}):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(root).as_posix()}\0{len(content)}\0".encode() + content)
    return f"bailiwick-verifier/{_version()}+sha256.{digest.hexdigest()[:16]}"


def _version() -> str:
    try:
        return metadata.version("bailiwick")
    except metadata.PackageNotFoundError:
        return "0"
