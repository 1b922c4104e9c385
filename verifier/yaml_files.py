"""YAML: this package's own files, read fast, and those that people write, read with care."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import yaml

_FAST: Final[type[yaml.SafeLoader]] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's parser, where PyYAML was built with it. What is nested deeply ends its process, so that it is for files
that ship."""


class YamlError(ValueError):
    """The text is not YAML that has one meaning. line: where, from 1; None: it cannot be said."""

    def __init__(self, reason: str, line: int | None = None) -> None:
        super().__init__(reason)
        self.line = line


class _UniqueKeys(yaml.SafeLoader):
    """Refuses a key that occurs twice, of which PyYAML takes the last and other readers the first."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """A mapping, before what `<<` brings is mixed in: its keys may be written again."""
        seen: set[tuple[str, str]] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if (key.tag, key.value) in seen:
                    raise YamlError(f"{key.value!r:.60} occurs twice", key.start_mark.line + 1)
                seen.add((key.tag, key.value))
        return super().construct_mapping(node, deep)


def packaged(path: Path) -> Any:
    """Content of a file of this package."""
    return yaml.load(path.read_bytes(), _FAST)  # noqa: S506 - a safe loader


def read(text: bytes) -> Any:
    """The one value of a text that somebody wrote; YamlError when it is not YAML, which JSON is too."""
    try:
        return yaml.load(text, _UniqueKeys)  # noqa: S506 - a safe loader
    except YamlError:
        raise
    except RecursionError:
        raise YamlError("nested too deeply") from None
    except (yaml.YAMLError, ValueError, LookupError, AttributeError) as error:
        # The last three are what PyYAML raises for a date, a number or a tagged text that is none.
        mark = getattr(error, "problem_mark", None)
        raise YamlError("not YAML or JSON", mark.line + 1 if mark else None) from None
