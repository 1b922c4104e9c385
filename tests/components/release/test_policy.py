"""The release policy model: what cannot be said."""

from typing import Any

import pytest
from pydantic import ValidationError

from components.release import Authority, MinimumTcb, ReleasePolicy, ReleasePolicyError

POLICY: dict[str, Any] = {
    "jurisdiction": "DE",
    "data_class": "confidential",
    "tees": ("snp",),
    "launch_measurements": ("aa" * 48,),
    "minimum_tcb": MinimumTcb(bootloader=4, tee=0, snp=22, microcode=213),
    "authorities": (Authority(uri="https://verifier.example/", jurisdiction="DE"),),
}


def test_the_defaults_are_the_strict_ones() -> None:
    policy = ReleasePolicy(**POLICY)
    assert (policy.allow_debug, policy.allow_migration, policy.vmpl) == (False, False, (0,))
    assert policy.authorities[0].uri == "https://verifier.example"


@pytest.mark.parametrize(
    "change",
    [
        {"tees": ()},
        {"tees": ("sgx",)},
        {"launch_measurements": ()},
        {"launch_measurements": ("AA" * 48,)},
        {"launch_measurements": ("aa" * 32,)},
        {"authorities": ()},
        {"vmpl": (4,)},
        {"max_token_seconds": 0},
        {"max_token_seconds": 3601},
        {"unknown": 1},
    ],
)
def test_a_policy_that_binds_nothing_cannot_be_written(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ReleasePolicy(**{**POLICY, **change})


@pytest.mark.parametrize(
    "uri", ["verifier.example", "ftp://verifier.example", "https://verifier.example/path", "https://"]
)
def test_an_authority_is_an_origin(uri: str) -> None:
    with pytest.raises(ValidationError, match="an authority is an origin"):
        Authority(uri=uri, jurisdiction="DE")


def test_a_floor_is_one_byte() -> None:
    with pytest.raises(ValidationError):
        MinimumTcb(bootloader=256, tee=0, snp=0, microcode=0)


def test_authorities_abroad_are_named() -> None:
    abroad = Authority(uri="https://sharedeus.eus.attest.azure.net", jurisdiction="US")
    policy = ReleasePolicy(**{**POLICY, "authorities": (*POLICY["authorities"], abroad)})
    assert policy.foreign_authorities() == [abroad]
    with pytest.raises(ReleasePolicyError, match=r"outside DE: https://sharedeus\.eus\.attest\.azure\.net \(US\)"):
        policy.require_local_authorities()
    ReleasePolicy(**POLICY).require_local_authorities()
