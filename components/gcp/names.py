"""Names of Google Cloud resources, checked before any call.

Compute names follow RFC 1035 ("Name resources", docs.cloud.google.com/compute/docs/naming-resources); the others have
rules of their own, stated in the reference of each resource's `create` method.
"""

from collections.abc import Mapping

from components.naming import NameRule, checked, with_digest

_RFC1035 = r"[a-z](?:[a-z0-9-]*[a-z0-9])?"
_RFC1035_TEXT = "lower-case letters, digits and inner '-', beginning with a letter"
_WORD = NameRule(1, 63, r"[A-Za-z0-9_-]+", "letters, digits, '_' and '-'")
_COMPUTE = NameRule(1, 63, _RFC1035, _RFC1035_TEXT)
_PLAIN = "lower-case letters and digits, beginning with a letter"

RULES: Mapping[str, NameRule] = {
    "bucket": NameRule(3, 24, r"[a-z][a-z0-9]*", _PLAIN),
    "cluster": NameRule(1, 40, _RFC1035, _RFC1035_TEXT),
    "compute": _COMPUTE,
    "crypto key": _WORD,
    "dns zone": _COMPUTE,
    "ekm connection": _WORD,
    "key ring": _WORD,
    "log bucket": NameRule(1, 100, r"[A-Za-z0-9][A-Za-z0-9._-]*", "letters, digits, '.', '_' and '-'"),
    "log sink": NameRule(1, 100, r"[A-Za-z0-9][A-Za-z0-9._-]*", "letters, digits, '.', '_' and '-'"),
    "node pool": NameRule(1, 40, _RFC1035, _RFC1035_TEXT),
    "private service connect": NameRule(1, 20, r"[a-z][a-z0-9]*", _PLAIN),
    "service account": NameRule(6, 30, r"[a-z][a-z0-9-]*[a-z0-9]", _RFC1035_TEXT),
    "template prefix": NameRule(1, 37, r"[a-z][a-z0-9-]*", _RFC1035_TEXT),
    "workload identity": NameRule(4, 32, r"[a-z0-9-]+", "lower-case letters, digits and '-'"),
}
"""By kind. A bucket may have 63 characters; 24 letters and digits are what every cloud's object store accepts, so that
guests know one form of name."""


def gcp_name(kind: str, name: str) -> str:
    """`name`, when Google Cloud accepts it for this kind of resource (a key of `RULES`); raises `InvalidName`."""
    return checked("Google Cloud", RULES, kind, name)


def gcp_unique(kind: str, stem: str, *parts: str) -> str:
    """A name that ends in a digest of `parts`, for kinds whose names others may take as well."""
    return gcp_name(kind, with_digest(RULES[kind], stem, *parts))
