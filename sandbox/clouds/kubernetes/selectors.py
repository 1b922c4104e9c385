"""Label selectors."""

from collections.abc import Mapping

from sandbox.values import Value


def selects(selector: Mapping[str, Value], labels: Mapping[str, str]) -> bool:
    """Whether a label selector matches; an empty one matches everything (meta/v1 LabelSelector)."""
    stated = selector.get("matchLabels") or {}
    return all(labels.get(key) == value for key, value in stated.items()) and all(
        _holds(requirement, labels) for requirement in selector.get("matchExpressions") or ()
    )


def _holds(requirement: Mapping[str, Value], labels: Mapping[str, str]) -> bool:
    key, values = str(requirement["key"]), requirement.get("values") or ()
    match requirement["operator"]:
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
        case _:
            return False
