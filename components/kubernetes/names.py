"""Names of Kubernetes objects, checked before any call ("Object Names and IDs", kubernetes.io/docs)."""

from collections.abc import Mapping

from components.naming import NameRule, checked

_LABEL = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
_LABEL_TEXT = "lower-case letters, digits and inner '-'"

RULES: Mapping[str, NameRule] = {
    "label": NameRule(1, 63, _LABEL, _LABEL_TEXT),
    "namespace": NameRule(1, 63, _LABEL, _LABEL_TEXT),
    "object": NameRule(1, 253, rf"{_LABEL}(?:\.{_LABEL})*", "lower-case letters, digits, '.' and inner '-'"),
    "service": NameRule(1, 63, r"[a-z](?:[a-z0-9-]*[a-z0-9])?", f"{_LABEL_TEXT}, beginning with a letter"),
    "workload": NameRule(1, 47, _LABEL, _LABEL_TEXT),
}
"""By kind. A workload's name has 47 characters: pods append a hash and a suffix, and a pod's name is a host name."""


def kubernetes_name(kind: str, name: str) -> str:
    """`name`, when Kubernetes accepts it for this kind of object (a key of `RULES`); raises `InvalidName` otherwise."""
    return checked("Kubernetes", RULES, kind, name)
