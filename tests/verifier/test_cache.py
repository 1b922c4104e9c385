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


def test_one_thread_at_a_time_looks_into_it():
    """What is a lock good for: a key is hashed, and so looked for, only while nobody else may."""
    cache, held = BoundedCache[str, int](1), []

    class Key(str):
        def __hash__(self) -> int:
            held.append(cache._lock.locked())
            return super().__hash__()

    cache.put(Key("one"), 1)
    cache.put(Key("two"), 2)
    assert (cache.get(Key("one")), cache.get(Key("two"))) == (None, 2)
    assert held
    assert all(held)
