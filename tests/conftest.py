"""Loads Google's CEL before any Rego engine.

Both are C++ libraries with an allocator of their own. A process that loads regopy first aborts later inside CEL
("double free or corruption", regopy 1.5.2 with cel-expr-python 0.1.3); in this order both work.
"""

from cel_expr_python import cel  # type: ignore[import-untyped]

__all__ = ["cel"]
