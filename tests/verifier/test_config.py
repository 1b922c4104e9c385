"""The verifier's configuration: the document of the components is read, and every problem of a bad one is told."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from verifier.config import ConfigurationError, VerifierConfig
from verifier.signer import SoftwareSigner, public_key_pem

POLICY: dict[str, Any] = {"tee": ["snp"], "images": ["inference-guest-1.0.0"]}


def document() -> dict[str, Any]:
    """A configuration as it stands in a verifier machine's customData."""
    return {
        "version": 1,
        "role": "verifier",
        "port": 8443,
        "name": "verifier.azure-germany.bailiwick.internal",
        "region": {"cloud": "azure", "location": "germanywestcentral", "jurisdiction": "DE"},
        "trust_anchors": ["amd"],
        "reference_values": [],
        "build_keys": [public_key_pem(SoftwareSigner.generate().public_key)],
        "resources": [
            {
                "path": "default/model-key/llm",
                "kek": "model-kek",
                "policy": {
                    "tee": ["snp"],
                    "images": ["inference-guest-1.0.0"],
                    "debug": False,
                    "migration": False,
                    "vmpl": [0],
                    "minimum_tcb": {"bootloader": 3, "tee": 0, "snp": 8, "microcode": 115},
                    "max_token_seconds": 300,
                },
            }
        ],
    }


def test_the_document_is_read_and_a_policy_denies_by_default() -> None:
    config = VerifierConfig.from_json(json.dumps(document()))
    assert config.resource("default/model-key/llm") == config.resources[0]
    assert config.resource("default/model-key/other") is None
    strict = VerifierConfig.model_validate(
        document() | {"resources": [{"path": "a/b/c", "kek": "k", "policy": POLICY}]}
    ).resources[0]
    assert (strict.policy.debug, strict.policy.migration, strict.policy.vmpl) == (False, False, (0,))


def test_the_digest_of_a_policy_follows_its_content_alone() -> None:
    def digest(**changes: Any) -> str:
        resource = {"path": "a/b/c", "kek": "k", "policy": POLICY | changes}
        return VerifierConfig.model_validate(document() | {"resources": [resource]}).resources[0].policy.digest

    assert digest() == digest(debug=False, vmpl=[0])
    assert len({digest(), digest(debug=True), digest(vmpl=[1]), digest(images=["other-1.0.0"])}) == 4


def test_the_digest_of_a_policy_is_that_of_its_canonical_form() -> None:
    chips = [hashlib.sha512(bytes([number])).hexdigest() for number in range(20)]
    resource = {"path": "a/b/c", "kek": "k", "policy": POLICY | {"chips": chips}}
    policy = VerifierConfig.model_validate(document() | {"resources": [resource]}).resources[0].policy
    members = {
        "tee": ["snp"],
        "images": ["inference-guest-1.0.0"],
        "debug": False,
        "migration": False,
        "vmpl": [0],
        "minimum_tcb": None,
        "revocation": "if-given",
        "max_token_seconds": 300,
        "chips": sorted(chips),
    }
    canonical = json.dumps(members, sort_keys=True, separators=(",", ":"))
    assert policy.digest == hashlib.sha256(canonical.encode()).hexdigest()


def test_demands_on_tdx_count_for_the_digest_in_any_order() -> None:
    def digest(**demands: Any) -> str:
        resource = {"path": "a/b/c", "kek": "k", "policy": POLICY | {"tdx": demands}}
        return VerifierConfig.model_validate(document() | {"resources": [resource]}).resources[0].policy.digest

    advisories = ["INTEL-SA-00837", "INTEL-SA-01036"]
    assert digest(advisories=advisories) == digest(advisories=advisories[::-1])
    assert len({digest(), digest(advisories=advisories), digest(out_of_date_grace_days=30)}) == 3


def test_every_demand_counts_for_the_digest_and_one_that_is_not_there_does_not() -> None:
    def digest(**changes: Any) -> str:
        resource = {"path": "a/b/c", "kek": "k", "policy": POLICY | changes}
        return VerifierConfig.model_validate(document() | {"resources": [resource]}).resources[0].policy.digest

    changes: list[dict[str, Any]] = [
        {},
        {"chips": ["5c" * 64]},
        {"id_key_digests": ["1d" * 48]},
        {"author_key_digests": ["1d" * 48]},
        {"azure": {}},
        {"azure": {"pcrs": {"4": ["ab" * 32]}}},
        {"nvidia": {}},
        {"nvidia": {"gpus": 1}},
        {"revocation": "required"},
        {"tee": ["az-snp-vtpm"]},
    ]
    assert len({digest(**change) for change in changes}) == len(changes)
    assert digest() == digest(chips=None, tdx=None, azure=None, nvidia=None)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 2}, "version: "),
        ({"unknown": 1}, "unknown: Extra inputs"),
        ({"trust_anchors": []}, "trust_anchors: "),
        ({"trust_anchors": ["amd", "somebody"]}, r"trust_anchors\[1\]: "),
        ({"build_keys": ["no key"]}, r"build_keys\[0\]: not a public key in PEM"),
        ({"port": 0}, "port: "),
        (
            {"resources": [{"path": "a/b/c", "kek": "k", "policy": POLICY | {"id_key_digests": ["00" * 48]}}]},
            r"resources\[0\].policy.id_key_digests\[0\]: zeros are the digest of a launch that nobody signed",
        ),
        (
            {"resources": [{"path": "a/b/c", "kek": "k", "policy": POLICY | {"author_key_digests": []}}]},
            r"resources\[0\].policy.author_key_digests: ",
        ),
        ({"resources": [{"path": "a/b", "kek": "k", "policy": POLICY}]}, r"resources\[0\].path: a resource path is"),
        ({"resources": [{"path": "../b/c", "kek": "k", "policy": POLICY}]}, r"resources\[0\].path: "),
        ({"resources": [{"path": "a/b/c", "kek": "k"}]}, r"resources\[0\].policy: Field required"),
        (
            {"resources": [{"path": "a/b/c", "kek": "k", "policy": POLICY | {"images": []}}]},
            r"resources\[0\].policy.images: ",
        ),
        (
            {"resources": [{"path": "a/b/c", "kek": "k", "policy": POLICY | {"max_token_seconds": 86400}}]},
            r"resources\[0\].policy.max_token_seconds: ",
        ),
        (
            {"resources": [{"path": "a/b/c", "kek": "k", "policy": POLICY}] * 2},
            "^configuration: resources: a/b/c has more than one policy",
        ),
    ],
)
def test_each_problem_is_named_with_its_key_path(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        VerifierConfig.from_json(json.dumps(document() | change))


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(ConfigurationError) as failure:
        VerifierConfig.from_json(json.dumps(document() | {"version": 2, "port": 0, "region": {}}))
    assert [line.split(":")[0] for line in str(failure.value).splitlines()] == [
        "version",
        "port",
        "region.cloud",
        "region.location",
        "region.jurisdiction",
    ]


@pytest.mark.parametrize(("text", "message"), [("{", "is not JSON"), ('{"a":1,"a":2}', "'a' appears twice")])
def test_text_that_is_not_json_is_told(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        VerifierConfig.from_json(text)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"absent\.json: No such file or directory; give the verifier's"):
        VerifierConfig.from_file(tmp_path / "absent.json")
