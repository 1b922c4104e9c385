"""What is remembered is bounded, and what is used stays longest."""

from verifier.cache import BoundedCache


def test_what_was_not_used_for_longest_goes_first():
    cache = BoundedCache[str, int](2)
    cache.put("one", 1)
    cache.put("two", 2)
    assert cache.get("one") == 1
    cache.put("three", 3)
    assert [cache.get(name) for name in ("one", "two", "three")] == [1, None, 3]
    cache.put("one", 4)
    cache.put("two", 2)
    assert [cache.get(name) for name in ("one", "two", "three")] == [4, 2, None]
    assert len(cache) == 2
