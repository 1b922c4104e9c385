"""The fixture with which others prove their rules proves the pack's."""

from policies.pytest_plugin import prove

__all__ = ["prove"]
