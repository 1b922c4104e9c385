"""Names of AWS resources, checked before any call: the rules of each service's API reference."""

from collections.abc import Mapping

from components.naming import NameRule, checked, with_digest

_WORDS = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_WORDS_TEXT = "letters, digits and inner '-'"
_IAM = NameRule(1, 64, r"[\w+=,.@-]+", "letters, digits and any of '_+=,.@-'")

RULES: Mapping[str, NameRule] = {
    "auto scaling group": NameRule(1, 255, _WORDS, _WORDS_TEXT),
    "bucket": NameRule(3, 24, r"[a-z][a-z0-9]*", "lower-case letters and digits, beginning with a letter"),
    "cluster": NameRule(1, 100, r"[A-Za-z0-9][A-Za-z0-9_-]*", "letters, digits, '_' and '-'"),
    "key alias": NameRule(7, 256, r"alias/[A-Za-z0-9/_-]+", "'alias/', then letters, digits, '/', '_' and '-'"),
    "key store": NameRule(1, 256, r"[A-Za-z0-9_-]+", "letters, digits, '_' and '-'"),
    "launch template": NameRule(3, 128, r"[A-Za-z0-9().\-/_]+", "letters, digits and any of '().-/_'"),
    "load balancer": NameRule(1, 32, _WORDS, _WORDS_TEXT),
    "log group": NameRule(1, 512, r"[A-Za-z0-9._\-/#]+", "letters, digits and any of '._-/#'"),
    "node group": NameRule(1, 63, r"[A-Za-z0-9][A-Za-z0-9_-]*", "letters, digits, '_' and '-'"),
    "role": _IAM,
    "security group": NameRule(1, 255, r"[A-Za-z0-9][A-Za-z0-9 ._\-:/()#,@\[\]+=&;{}!$*]*", "letters and digits first"),
    "service control policy": NameRule(1, 128, r"[ -~]+", "printable characters"),
    "tag": NameRule(1, 256, r"[\w .:/=+@-]+", "letters, digits, spaces and any of '_.:/=+@-'"),
    "target group": NameRule(1, 32, _WORDS, _WORDS_TEXT),
    "trail": NameRule(3, 128, r"[A-Za-z0-9][A-Za-z0-9._-]*[A-Za-z0-9]", "letters, digits and inner '.', '_', '-'"),
}
"""By kind. A bucket may have 63 characters; 24 letters and digits are what every cloud's object store accepts, so that
guests know one form of name."""


def aws_name(kind: str, name: str) -> str:
    """`name`, when AWS accepts it for this kind of resource (a key of `RULES`); raises `InvalidName` otherwise."""
    return checked("AWS", RULES, kind, name)


def aws_unique(kind: str, stem: str, *parts: str) -> str:
    """A name that ends in a digest of `parts`, for kinds whose names others may take as well."""
    return aws_name(kind, with_digest(RULES[kind], stem, *parts))
