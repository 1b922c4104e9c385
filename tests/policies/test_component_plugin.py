"""The plugin that hosts components for other languages is no provider of another cloud, and makes nothing by itself."""

from policies import pack
from policies.context import Declared
from policies.rule import Example, ExampleResource
from policies.rules.residency import RES_03
from policies.subject import Property, Provider, Resource
from policies.testing import judge

PLUGIN = ExampleResource("pulumi:providers:bailiwick", "default_0_1_0", {})


def test_the_plugin_itself_passes() -> None:
    outcome = judge(pack.build(), Example("", (PLUGIN,)))
    assert not [one for one in outcome.violations if one.urn.endswith(PLUGIN.name)]


def test_a_resource_that_the_plugin_would_make_is_refused() -> None:
    made = Resource(
        "urn", "bailiwick:index:Machine", "machine", Property("", {}), Provider("bailiwick", "p", Property("", {}))
    )
    (finding,) = RES_03.check(made, Declared({"cloud": "gcp", "jurisdiction": "DE"}, None))
    assert finding.found == "does not provision gcp"
