"""Attestation evidence, verified and appraised: `verifier.verify` is the library, `verifier.library` documents it."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from verifier.library import verify

__all__ = ["verify"]


def __getattr__(name: str) -> Any:
    """`verify`, imported when it is first used: whoever needs another module of this package does not load it all."""
    if name == "verify":
        from verifier.library import verify

        return verify
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
