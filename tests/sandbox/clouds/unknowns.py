"""What a preview said, held against what came true."""

from sandbox.values import UNKNOWN, Value


def unknown_paths(value: Value, path: str = "") -> list[str]:
    """Where a value is unknown."""
    if value is UNKNOWN:
        return [path]
    if isinstance(value, dict):
        return [found for key, item in value.items() for found in unknown_paths(item, f"{path}.{key}")]
    if isinstance(value, list):
        return [found for item in value for found in unknown_paths(item, f"{path}[]")]
    return []


def agrees(foretold: Value, actual: Value) -> bool:
    """Whether `actual` is what was foretold, where something was."""
    if foretold is UNKNOWN:
        return True
    if isinstance(foretold, dict) and isinstance(actual, dict):
        return all(agrees(item, actual.get(key)) for key, item in foretold.items())
    if isinstance(foretold, list) and isinstance(actual, list):
        return len(foretold) == len(actual) and all(map(agrees, foretold, actual))
    return bool(foretold == actual)
