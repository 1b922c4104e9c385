"""`GcpAttestedRelease` before its pool exists: nobody knows yet who may decrypt, so that nobody is let pass."""

import contextvars
from typing import Any

import pulumi
import pytest
from pulumi.runtime import proto
from pulumi_policy import EnforcementLevel

from components.gcp import AttestedRelease
from policies import pack
from policies.analyzer import FailClosedAnalyzer
from policies.examples import common, gcp
from policies.verdict import UNKNOWN_PREFIX
from tests.components.gcp import region
from tests.policies.foreseen import Foreseen, preview

CONFIG = {f"bailiwick:{key}": value for key, value in {**common.CONFIG, **gcp.CONFIG}.items() if value}


@pytest.fixture(scope="module")
def release() -> Foreseen:
    return preview(lambda: AttestedRelease("release", region.release_args()), stack="gcp-germany", config=CONFIG)


def diagnostics(release: Foreseen, rule: str) -> list[Any]:
    def judge() -> list[Any]:
        pulumi.runtime.set_all_config(CONFIG)
        analyzer = FailClosedAnalyzer(pack.NAME, pack.VERSION, pack.build([rule]), EnforcementLevel.MANDATORY)
        answers = [analyzer.AnalyzeStack(release.stack(), None)]
        answers += [analyzer.Analyze(one, None) for one in release.resources()]
        return [diagnostic for answer in answers for diagnostic in answer.diagnostics]

    return contextvars.copy_context().run(judge)


@pytest.mark.parametrize("rule", ["REL-03", "REL-07"])
def test_a_member_that_is_known_only_after_deployment_blocks(release: Foreseen, rule: str) -> None:
    (found,) = diagnostics(release, rule)
    where = f"{UNKNOWN_PREFIX}{rule} gcp:kms:CryptoKeyIAMMember 'release-decrypt-0': member is known only after"
    assert where in found.message
    assert found.enforcementLevel == proto.MANDATORY


def test_who_may_decrypt_is_not_said_to_govern(release: Foreseen) -> None:
    assert diagnostics(release, "KEY-08") == []
