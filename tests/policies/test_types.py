"""Every resource type that the rules know by name is one of the SDK's: one that is misspelt would never be judged."""

import importlib
import importlib.util
import pkgutil
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import catalog
from policies import clouds, pack
from policies.subject import canonical_type

SDKS = {"azure-native": "pulumi_azure_native", "aws": "pulumi_aws", "gcp": "pulumi_gcp"}
"""Kubernetes is left out: much of what its rules judge is of groups that a cluster's operators bring."""
_TOKEN = re.compile(rf"(?:{'|'.join(SDKS)}):[\w/.]+:[A-Z]\w*")


@cache
def known(package: str) -> frozenset[str]:
    """The types that an SDK registers, from the list in its source, which takes no import."""
    spec = importlib.util.find_spec(SDKS[package])
    assert spec is not None
    assert spec.origin is not None
    return frozenset(map(canonical_type, _TOKEN.findall(Path(spec.origin).read_text(encoding="utf-8"))))


def named(value: Any) -> Iterator[str]:
    """The types among the texts of `value`, which may be a collection."""
    if isinstance(value, str):
        if _TOKEN.fullmatch(value):
            yield value
    elif isinstance(value, Mapping):
        for item in (*value, *value.values()):
            yield from named(item)
    elif isinstance(value, tuple | list | set | frozenset):
        for item in value:
            yield from named(item)


def unknown(tokens: Iterator[str]) -> set[str]:
    return {one for one in tokens if canonical_type(one) not in known(one.partition(":")[0])}


MODULES = [one.name for one in pkgutil.walk_packages(clouds.__path__, f"{clouds.__name__}.")]


@pytest.mark.parametrize("module", MODULES)
def test_a_cloud_s_words_are_about_types_of_its_sdk(module: str) -> None:
    words = importlib.import_module(module)
    written = _TOKEN.findall(Path(words.__file__ or "").read_text(encoding="utf-8"))
    assert unknown(named((written, vars(words)))) == set()


def test_examples_are_made_of_types_of_the_sdks() -> None:
    examples = [one for rule in pack.RULES for covered in rule.examples.values() for one in covered.failing]
    passing = [covered.passing for rule in pack.RULES for covered in rule.examples.values()]
    tokens = [one.type for example in (*examples, *passing) for one in example.resources]
    assert unknown(one for one in tokens if _TOKEN.fullmatch(one)) == set()


@pytest.mark.parametrize("cloud", sorted(catalog.load().clouds))
def test_the_global_list_names_types_of_the_sdks(cloud: str) -> None:
    assert unknown(one for one in catalog.load().global_types(cloud) if _TOKEN.fullmatch(one)) == set()
