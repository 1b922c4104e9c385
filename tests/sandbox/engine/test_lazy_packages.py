"""A provider's SDK has the same names, whether all of it was imported or what was asked for."""

import importlib
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from sandbox.engine.lazy_packages import lazy_packages

PACKAGE = {
    "__init__": "",
    "net/__init__": """
        import typing
        # Export this package's modules as members:
        from ._enums import *
        from .get_network import *
        from .network import *
        from .unnamed import *
        from ._inputs import *
        from . import outputs
    """,
    "net/_enums": "__all__ = ['Kind']\nclass Kind: pass",
    "net/get_network": """
        __all__ = ['GetNetworkResult', 'get_network']
        def get_network(): pass
        class GetNetworkResult: pass
    """,
    "net/network": "from . import outputs\nfrom ._inputs import *\n__all__ = ['Network']\nclass Network: pass",
    "net/unnamed": "class Found: pass",
    "net/_inputs": "from ._enums import *\n__all__ = ['SubnetArgs']\nclass SubnetArgs: pass",
    "net/outputs": "class Subnet: pass",
}


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    for name, text in PACKAGE.items():
        file = tmp_path / f"pulumi_made_up/{name}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text.replace("\n        ", "\n"))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "modules", {**sys.modules})
    with lazy_packages():
        return importlib.import_module("pulumi_made_up.net")


def loaded() -> set[str]:
    return {name.rpartition(".")[2] for name in sys.modules if name.startswith("pulumi_made_up.net.")}


def test_only_what_is_asked_for_is_imported(package: ModuleType) -> None:
    assert loaded() == {"outputs"}
    assert package.Network.__name__ == "Network"
    assert loaded() == {"outputs", "network", "_inputs", "_enums"}
    assert package.SubnetArgs is sys.modules["pulumi_made_up.net._inputs"].SubnetArgs


def test_a_function_hides_the_module_of_its_name(package: ModuleType) -> None:
    importlib.import_module("pulumi_made_up.net.get_network")
    assert callable(package.get_network)
    assert package.GetNetworkResult.__module__ == "pulumi_made_up.net.get_network"


def test_a_name_that_no_module_is_named_for_is_found(package: ModuleType) -> None:
    assert package.Found.__module__ == "pulumi_made_up.net.unnamed"


def test_all_names_are_there_for_who_asks_for_all(package: ModuleType) -> None:
    assert {"Kind", "Network", "get_network", "Found", "SubnetArgs", "outputs"} <= set(dir(package))
    names: dict[str, object] = {"__name__": "the program"}
    exec("from pulumi_made_up.net import *", names)
    assert {"Kind", "Network", "get_network", "Found", "SubnetArgs"} <= set(names)
    assert names["__name__"] == "the program"


def test_a_name_that_is_not_there_is_not_found(package: ModuleType) -> None:
    with pytest.raises(AttributeError, match=r"'pulumi_made_up\.net' has no attribute 'Netwrok'"):
        _ = package.Netwrok


NAMES = """
import contextlib, importlib, json, sys
from sandbox.engine.lazy_packages import lazy_packages
lazily, package, *names = json.load(sys.stdin)
with lazy_packages() if lazily else contextlib.nullcontext():
    module = importlib.import_module(package)
    module._utilities  # the SDK is lazy too: its packages wait for the first attribute
    objects = {name: getattr(module, name) for name in names or dir(module) if not name.startswith("__")}
origins = {name: [getattr(one, key, "") for key in ("__module__", "__name__")] for name, one in objects.items()}
print(json.dumps(origins))
"""


@pytest.mark.parametrize("package", ["pulumi_azure_native.keyvault", "pulumi_aws.kms", "pulumi_gcp.kms"])
def test_every_name_of_a_real_sdk_is_what_it_was(package: str) -> None:
    def names(lazily: bool, *asked: str) -> dict[str, list[str]]:
        given = json.dumps([lazily, package, *asked])
        done = subprocess.run([sys.executable, "-c", NAMES], input=given, capture_output=True, text=True, check=True)
        found: dict[str, list[str]] = json.loads(done.stdout)
        return found

    eager = names(False)
    assert len(eager) > 50
    assert names(True, *reversed(eager)) == eager
