"""What a verifier is told of release policies: what the broker holds, and what it refuses to be told."""

from typing import Any

import pytest

from components import guest_configuration
from components.release import Authority, MinimumTcb, ReleasePolicy, ReleasePolicyError, Tee

POLICY = ReleasePolicy(
    jurisdiction="EU",
    data_class="confidential",
    tees=(Tee.SNP,),
    launch_measurements=("aa" * 48,),
    minimum_tcb=MinimumTcb(bootloader=4, tee=0, snp=22, microcode=213),
    authorities=(Authority(uri="https://verifier.example", jurisdiction="DE"),),
)


def told(*, cloud: str = "azure", **changes: Any) -> dict[str, Any]:
    """The broker's policy of one key."""
    document = guest_configuration.verifier(
        name="v",
        region={"cloud": cloud, "location": "x", "jurisdiction": "DE"},
        trust_anchors=["amd"],
        reference_values=[],
        build_keys=[],
        policies={"llm": POLICY.model_copy(update=changes)},
        images={"llm": ["guest-1"]},
    )
    policy: dict[str, Any] = document["resources"][0]["policy"]
    return policy


def test_signers_of_the_launch_are_what_the_broker_asks_for() -> None:
    assert told(launch_signers=("1d" * 48,))["id_key_digests"] == ["1d" * 48]
    assert "id_key_digests" not in told()


def test_a_signer_that_no_td_can_have_is_refused() -> None:
    with pytest.raises(ReleasePolicyError, match="no TD has a signer"):
        told(launch_signers=("1d" * 48,), tees=(Tee.SNP, Tee.TDX))


def test_on_azure_and_wherever_a_vtpm_is_demanded_its_evidence_alone_is_taken() -> None:
    both = (Tee.SNP, Tee.TDX)
    assert told(tees=both)["tee"] == ["az-snp-vtpm", "az-tdx-vtpm"]
    assert told(cloud="gcp", tees=both)["tee"] == ["snp", "tdx"]
    assert told(cloud="gcp", tees=both, vtpm=True)["tee"] == ["az-snp-vtpm", "az-tdx-vtpm"]


@pytest.mark.parametrize("field", ["image_digests", "image_signers"])
def test_what_the_broker_does_not_hold_is_refused(field: str) -> None:
    values: dict[str, Any] = {
        "image_digests": ("sha256:" + "a" * 64,),
        "image_signers": ("ECDSA_P256_SHA256:" + "a" * 64,),
    }
    with pytest.raises(ReleasePolicyError, match=f"{field}: the broker of the region does not hold it for llm"):
        told(**{field: values[field]})


@pytest.mark.parametrize("cloud", ["azure", "gcp", "aws", "kubernetes"])
def test_the_listed_processors_are_what_the_broker_asks_for_and_a_tee_without_one_gets_nothing(cloud: str) -> None:
    chip, ppid = "5c" * 64, "5c" * 16
    both = told(cloud=cloud, tees=(Tee.SNP, Tee.TDX), hardware=(chip, ppid))
    assert (both["chips"], both["tdx"]) == ([chip], {"ppids": [ppid]})
    assert told(cloud=cloud, tees=(Tee.TDX,), hardware=(chip,))["tdx"] == {"ppids": []}
    assert not {"chips", "tdx"} & set(told(cloud=cloud))


def test_who_may_fill_the_collateral_cache_is_told_with_its_address() -> None:
    def collateral(**arguments: Any) -> Any:
        return guest_configuration.verifier(
            name="v",
            region={"cloud": "azure", "location": "x", "jurisdiction": "DE"},
            trust_anchors=["amd"],
            reference_values=[],
            build_keys=[],
            policies={},
            images={},
            **arguments,
        ).get("collateral")

    signers = ["a key in PEM"]
    assert collateral() is None
    assert collateral(collateral_url="https://cache") == {"url": "https://cache"}
    assert collateral(collateral_url="https://cache", collateral_signers=signers) == {
        "url": "https://cache",
        "signers": signers,
    }
