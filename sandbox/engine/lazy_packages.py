"""Provider SDKs, of which a program needs a few modules out of hundreds.

`pulumi_azure_native.network` and its like import every module that they have, because their `__init__.py`, which
Pulumi generates, is a list of `from .virtual_network import *`. Here such a package imports a module when one of its
names is asked for, and has the same names as ever.
"""

import contextlib
import re
import sys
from collections.abc import Iterator, Sequence
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import find_spec
from types import ModuleType
from typing import Any, Final

_EXPORTED: Final = re.compile(r"^from \.(\w+) import \*$", re.MULTILINE)
_SUFFIXES: Final = ("", "args", "output", "result")
"""What generated names add to that of their module, `virtual_network` or `get_virtual_network`, but for case."""


@contextlib.contextmanager
def lazy_packages() -> Iterator[None]:
    """Within it, packages of provider SDKs that are imported for the first time are lazy, and stay so."""
    finder = _Finder()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


class _Finder(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if path is None or not fullname.startswith("pulumi_"):
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.submodule_search_locations and isinstance(spec.loader, SourceFileLoader):
            spec.loader = _Loader(spec.loader.name, spec.loader.path)
        return spec


class _Loader(SourceFileLoader):
    """Runs a package without its `from .module import *`, which it leaves to the package."""

    def exec_module(self, module: ModuleType) -> None:
        source = self.get_data(self.path).decode()
        modules = _EXPORTED.findall(source)
        if not modules:
            super().exec_module(module)
            return
        module.__dict__["_exporting"] = modules
        module.__class__ = _Package
        exec(compile(_EXPORTED.sub("", source), self.path, "exec"), module.__dict__)  # noqa: S102 - an import


class _Package(ModuleType):
    """`_exporting` are the modules whose names are the package's own, in the order of its source."""

    _exporting: list[str]

    def __setattr__(self, name: str, value: object) -> None:
        """Besides, once a module has been imported, whoever asked for it: `from .<name> import *`."""
        super().__setattr__(name, value)
        if isinstance(value, ModuleType) and name in self._exporting:
            vars(self).update({exported: getattr(value, exported) for exported in _names_of(value)})

    def __getattr__(self, name: str) -> Any:
        if name == "__all__":
            return [exported for exported in dir(self) if not exported.startswith("_")]
        if not name.startswith("__"):
            if find_spec(f"{self.__name__}.{name}") is not None:
                module = import_module(f"{self.__name__}.{name}")
                return vars(self).get(name, module)
            for likely in self._likely(name):
                import_module(f"{self.__name__}.{likely}")
                if name in vars(self):
                    return vars(self)[name]
        raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")

    def __dir__(self) -> list[str]:
        for module in self._exporting:
            import_module(f"{self.__name__}.{module}")
        return sorted(vars(self))

    def _likely(self, name: str) -> list[str]:
        """Every module, those first whose names say that they may have it: nested types and enumerations are in
        modules of their own, `_inputs` and `_enums`."""
        stem = _bare(name).removeprefix("awaitable")
        stems = {stem.removesuffix(suffix) for suffix in _SUFFIXES}
        return sorted(self._exporting, key=lambda module: (_bare(module) not in stems, not module.startswith("_")))


def _bare(name: str) -> str:
    return name.replace("_", "").lower()


def _names_of(module: ModuleType) -> Sequence[str]:
    return getattr(module, "__all__", None) or [name for name in vars(module) if not name.startswith("_")]
