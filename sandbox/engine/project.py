"""What `Pulumi.yaml` and the stack file say: where the program is, what its configuration is.

Values become what `pulumi` hands to a program: text as it is, numbers and booleans as written in YAML's own words,
objects and lists as JSON, `secure:` values decrypted (sdk/go/common/resource/config).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sandbox.engine.errors import ProjectError, StateError
from sandbox.engine.secrets import SecretBox


@dataclass(frozen=True, slots=True)
class Project:
    """`directory` holds `Pulumi.yaml`; the program is the `__main__.py` of `main`."""

    name: str
    directory: Path
    main: Path
    stack_config: Path
    defaults: Mapping[str, str]

    def stack_file(self, stack: str) -> Path:
        return self.stack_config / f"Pulumi.{stack}.yaml"


@dataclass(frozen=True, slots=True)
class Configuration:
    """Every key with its namespace, and which of them are secret."""

    values: Mapping[str, str]
    secret_keys: frozenset[str] = frozenset()


def load_project(directory: Path) -> Project:
    """The project at `directory`; raises `ProjectError`."""
    directory = directory.resolve()
    document = _mapping(directory / "Pulumi.yaml")
    name = document.get("name")
    if not isinstance(name, str) or not name:
        raise ProjectError(f"{directory / 'Pulumi.yaml'}: has no name")
    for key, kind, words in (("main", str, "text"), ("stackConfigDir", str, "text"), ("config", dict, "a mapping")):
        if not isinstance(document.get(key) or kind(), kind):
            raise ProjectError(f"{directory / 'Pulumi.yaml'}: {key} must be {words}")
    declared = document.get("config") or {}
    defaults = {
        _qualified(str(key), name): _as_text(value, f"{directory / 'Pulumi.yaml'}: config: {key}")
        for key, declaration in declared.items()
        if (value := _default_of(declaration)) is not None
    }
    return Project(
        name,
        directory,
        directory / (document.get("main") or "."),
        directory / (document.get("stackConfigDir") or "."),
        defaults,
    )


def load_configuration(project: Project, stack: str, passphrase: str | None) -> Configuration:
    """The configuration of `stack`: the project's defaults, then the stack file's own; without what is secret where
    there is no `passphrase`."""
    path = project.stack_file(stack)
    if not path.exists():
        raise ProjectError(f"no stack {stack}: {path} does not exist")
    document = _mapping(path)
    values = dict(project.defaults)
    secret_keys = set()
    box: SecretBox | None = None
    config = document.get("config") or {}
    if not isinstance(config, dict):
        raise ProjectError(f"{path}: config must be a mapping")
    for key, value in config.items():
        qualified = _qualified(str(key), project.name)
        if not (isinstance(value, dict) and set(value) == {"secure"}):
            values[qualified] = _as_text(value, f"{path}: {key}")
        elif passphrase is None:
            values.pop(qualified, None)
        else:
            salt, sealed = document.get("encryptionsalt"), value["secure"]
            if not (isinstance(salt, str) and isinstance(sealed, str)):
                raise ProjectError(f"{path}: {key} is secure: encryptionsalt and secure must both be there, as text")
            try:
                box = box or SecretBox.open(passphrase, salt)
                values[qualified] = box.unseal_text(sealed)
            except StateError as error:
                raise ProjectError(f"{path}: {key}: {error}") from error
            secret_keys.add(qualified)
    return Configuration(values, frozenset(secret_keys))


def _mapping(path: Path) -> dict[str, Any]:
    try:
        document = yaml.safe_load(path.read_bytes())
    except OSError as error:
        raise ProjectError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        raise ProjectError(f"{path}: not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(document, dict):
        raise ProjectError(f"{path}: expected a mapping, found {type(document).__name__}")
    return document


def _qualified(key: str, project: str) -> str:
    return key if ":" in key else f"{project}:{key}"


def _default_of(declaration: object) -> object:
    if not isinstance(declaration, dict):
        return declaration
    return declaration.get("value", declaration.get("default"))


def _as_text(value: object, place: str) -> str:
    match value:
        case str():
            return value
        case bool() | None | dict() | list():
            try:
                return json.dumps(value)
            except (TypeError, ValueError, RecursionError) as error:
                raise ProjectError(f"{place}: cannot be written as JSON: {error}") from error
        case _:
            return str(value)
