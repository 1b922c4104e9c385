"""The strict JSON parser and the canonical encoding."""

import functools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifier import canonical

TEXT = st.text(st.characters(codec="utf-8"))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
    max_leaves=20,
)


@given(JSON)
def test_encoding_is_json_and_depends_on_the_value_alone(value: object) -> None:
    encoded = canonical.encode(value)
    assert canonical.parse(encoded) == value
    assert canonical.encode(json.loads(json.dumps(value, sort_keys=True, indent=1))) == encoded


def test_members_are_sorted_by_utf_16_code_units() -> None:
    # RFC 8785 section 3.2.3: the emoji (surrogate D83D) sorts before U+FB33, its code point being higher.
    names = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\u0080", "\u00f6"]
    order = list(canonical.parse(canonical.encode(dict.fromkeys(names, 0))))
    assert order == ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]


def test_strings_are_escaped_as_rfc_8785_says() -> None:
    # RFC 8785 section 3.2.2.2, the example's string member.
    assert canonical.encode('\u20ac$\u000f\u000aA\'B"\\\\"/') == b'"\xe2\x82\xac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"'


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b'{"a":1,"a":2}', "'a' appears twice"),
        (b"[NaN]", "NaN is not a JSON number"),
        (b"-Infinity", "-Infinity is not a JSON number"),
        (b'"\xff"', "not UTF-8 at byte 1"),
        (b'"\\ud800"', "lone surrogate"),
        (b'{"\\ud800":0}', "lone surrogate"),
        (b'{"a":"\\ud800"}', "lone surrogate"),
        (b"[" * 100_000, "nested deeper"),
        (b"[" * 100 + b"]" * 100, "nested deeper"),
        (b'{"a":' * 100 + b"0" + b"}" * 100, "nested deeper"),
        (b"1" * 5000, "too many digits"),
        (b"{} {}", "Extra data at character 3"),
        (b"", "not JSON"),
    ],
)
def test_ambiguous_text_is_refused(text: bytes, reason: str) -> None:
    with pytest.raises(canonical.JsonError, match=reason):
        canonical.parse(text)


@pytest.mark.parametrize("text", [b"[]", b"null", b'"a"'])
def test_what_is_no_object_is_refused_where_one_is_expected(text: bytes) -> None:
    with pytest.raises(canonical.JsonError, match="a JSON object is expected"):
        canonical.parse_object(text)


DEEP = functools.reduce(lambda inner, _: [inner], range(canonical.MAX_DEPTH + 1), 0)


@pytest.mark.parametrize("value", [1.5, 2**53, -(2**53), DEEP, {1: 2}, b"bytes", {"a": {1}}, "\ud800"])
def test_a_value_without_canonical_form_is_refused(value: object) -> None:
    with pytest.raises(canonical.JsonError):
        canonical.encode(value)
