"""From a Pulumi stack file, or a running program's configuration, to the plain mapping of the specification."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from components.spec.problems import NAMESPACE, Problem, SpecError, key_path

_PREFIX = f"{NAMESPACE}:"


def read_stack_file(path: Path) -> dict[str, Any]:
    """The `bailiwick:` keys under `config:`, without their prefix; keys of other namespaces are left alone."""
    try:
        document = yaml.safe_load(path.read_bytes())
    except FileNotFoundError:
        raise SpecError.one(str(path), "there is no such stack file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError.one(str(path), f"cannot be read: {error}") from None
    except yaml.YAMLError as error:
        raise SpecError.one(f"{path}{_position(error)}", f"is not YAML: {_reason(error)}") from None
    except (ValueError, RecursionError) as error:  # the 30th of February, nesting without end
        raise SpecError.one(str(path), f"is not YAML: {error}") from None
    if not isinstance(document, dict):
        raise SpecError.one(str(path), "must be a mapping with the key config")
    config = document.get("config")
    if not isinstance(config, dict):
        raise SpecError.one(f"{path}: config", f"must be a mapping of keys like {_PREFIX}location to values")
    _refuse_bare_keys(config)
    mapping = _without_prefix(config)
    if secrets := list(_secrets(mapping)):
        raise SpecError(_encrypted(path) for path in secrets)
    return mapping


def read_pulumi_config(structured: set[str]) -> dict[str, Any]:
    """The `bailiwick:` keys of the running Pulumi program; those in `structured` arrive as JSON, the others as text.

    Reads the whole bag instead of single keys, so that a misspelt key is found as well.
    """
    from pulumi.runtime.config import CONFIG, get_config_env, is_config_secret

    bag = _without_prefix({**get_config_env(), **CONFIG.get()})
    problems = [_encrypted(key_path(key)) for key in bag if is_config_secret(_PREFIX + key)]
    mapping: dict[str, Any] = {}
    for key, value in bag.items():
        mapping[key] = value
        if key in structured and isinstance(value, str):
            try:
                mapping[key] = json.loads(value)
            except ValueError:
                problems.append(Problem(key_path(key), "is not JSON; set it in the stack file as a structure"))
    if problems:
        raise SpecError(problems)
    return mapping


def _without_prefix(config: dict[Any, Any]) -> dict[str, Any]:
    return {
        key.removeprefix(_PREFIX): value
        for key, value in config.items()
        if isinstance(key, str) and key.startswith(_PREFIX)
    }


def _refuse_bare_keys(config: dict[Any, Any]) -> None:
    bare = [str(key) for key in config if ":" not in str(key)]
    if bare:
        raise SpecError(Problem(f"config: {key}", "has no namespace", _PREFIX + key) for key in bare)


def _encrypted(path: str) -> Problem:
    return Problem(
        path, "is encrypted; the specification is part of the evidence and holds no secret: write it plainly"
    )


def _secrets(value: object, path: tuple[str | int, ...] = ()) -> Iterator[str]:
    """The paths of values that Pulumi encrypted: mappings with the one key `secure`."""
    if isinstance(value, dict):
        if path and list(value) == ["secure"]:
            yield key_path(*path)
            return
        for key, inner in value.items():
            yield from _secrets(inner, (*path, str(key)))
    elif isinstance(value, list):
        for position, inner in enumerate(value):
            yield from _secrets(inner, (*path, position))


def _position(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    return f":{mark.line + 1}:{mark.column + 1}" if mark else ""


def _reason(error: yaml.YAMLError) -> str:
    return " ".join(str(getattr(error, "problem", None) or error).split())
