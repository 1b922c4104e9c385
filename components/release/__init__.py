"""One release policy, compiled to each key service's language."""

from components.release.policy import (
    Authority,
    Compiled,
    Inexpressible,
    MinimumTcb,
    ReleasePolicy,
    ReleasePolicyError,
    SnpProduct,
    Tee,
)

__all__ = [
    "Authority",
    "Compiled",
    "Inexpressible",
    "MinimumTcb",
    "ReleasePolicy",
    "ReleasePolicyError",
    "SnpProduct",
    "Tee",
]
