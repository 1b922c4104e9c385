"""What a guest is told at boot, as JSON-ready mappings: the contract between components, guests and the verifier.

The operator of the cloud can read it, so that it holds nothing secret, and can change it, so that nothing in it is
trusted: a guest that is sent to a false verifier gets no key there, because the key's KEK is in the region's HSM.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import catalog
from components.reference_values import ReferenceValues
from components.release import ReleasePolicy, ReleasePolicyError, Tee

VERSION = 1
HOST = "verifier"
"""Name of the verifier in the region's private DNS domain."""
VERIFIER_PORT = 8443
"""TCP port of the verifier and key broker."""
_NOT_HELD_BY_BROKER = ("image_digests", "image_signers", "minimum_tcb_by_product")
_EVIDENCE_OF_TPM = {"azure": "az-{}-vtpm", "aws": "aws-{}-nitrotpm"}
"""By provider, how the Key Broker Service protocol names the evidence of its TPM beside that of a TEE."""
HEALTH_PATH = "/healthz"
"""Path at which a verifier says that it serves."""


def model_key_name(model: str) -> str:
    """Name of a model's KEK in the key service."""
    return f"model-{model}"


def resource_path(model: str) -> str:
    """Path of a model's key at the broker: repository, type and tag of the Key Broker Service protocol."""
    return f"default/model-key/{model}"


def workload(*, verifier_url: str, model: str, account: str, container: str) -> dict[str, Any]:
    """Configuration of a guest that serves `model`: whom to prove itself to, for which key, to open which artefact.

    `account` is the storage account or bucket, `container` the container or the prefix of object names in it.
    """
    return {
        "version": VERSION,
        "role": "workload",
        "verifier": verifier_url,
        "resource": resource_path(model),
        "artefact": {"account": account, "container": container, "blob": f"{model}.enc"},
    }


def verifier(
    *,
    name: str,
    region: Mapping[str, str],
    trust_anchors: Sequence[str],
    reference_values: Sequence[ReferenceValues],
    build_keys: Sequence[str],
    policies: Mapping[str, ReleasePolicy],
    images: Mapping[str, Sequence[str]],
    collateral_url: str | None = None,
    collateral_signers: Sequence[str] = (),
) -> dict[str, Any]:
    """Configuration of a verifier: which hardware and builds it believes, and to whom it releases which key.

    `collateral_url` is that of the region's collateral cache; None leaves the verifier to what its image brings along.
    `collateral_signers` (PEM) are those who may fill the cache; empty for anybody who may write there.
    `policies` and `images` (`<name>-<version>`) are by model. The verifier opens the reference values itself, after it
    has checked their signatures against `build_keys` (PEM). Raises `ReleasePolicyError` for a policy that asks for what
    the configuration has no word for.
    """
    for model, policy in policies.items():
        if unheld := policy.stated(_NOT_HELD_BY_BROKER):
            raise ReleasePolicyError(
                f"release policy: {unheld[0]}: the broker of the region does not hold it for {model}; leave it empty"
            )
        if policy.launch_signers and Tee.TDX in policy.tees:
            raise ReleasePolicyError(
                f"release policy: launch_signers: no TD has a signer, so that {model} could go to none; name snp alone"
            )
    return {
        "version": VERSION,
        "role": "verifier",
        "port": VERIFIER_PORT,
        "name": name,
        "region": dict(region),
        "trust_anchors": list(trust_anchors),
        "reference_values": [value.envelope for value in reference_values],
        "build_keys": list(build_keys),
        **({"collateral": _collateral(collateral_url, collateral_signers)} if collateral_url else {}),
        "resources": [
            {
                "path": resource_path(model),
                "kek": model_key_name(model),
                "policy": {
                    "tee": [_evidence(tee, policy, region["cloud"]) for tee in policy.tees],
                    "images": list(images[model]),
                    "debug": policy.allow_debug,
                    "migration": policy.allow_migration,
                    "vmpl": list(policy.vmpl),
                    "minimum_tcb": policy.minimum_tcb.model_dump() if policy.minimum_tcb else None,
                    "max_token_seconds": policy.max_token_seconds,
                    **({"id_key_digests": list(policy.launch_signers)} if policy.launch_signers else {}),
                    **_hardware(policy),
                    **({"nvidia": {}} if policy.confidential_gpu else {}),
                },
            }
            for model, policy in policies.items()
        ],
    }


def _collateral(url: str, signers: Sequence[str]) -> dict[str, Any]:
    return {"url": url, **({"signers": list(signers)} if signers else {})}


def _hardware(policy: ReleasePolicy) -> dict[str, Any]:
    """The processors that may have the key, where the policy lists some: then a TEE without one gets nothing."""
    if not policy.hardware:
        return {}
    chips = {"chips": list(policy.chips)} if Tee.SNP in policy.tees else {}
    return {**chips, **({"tdx": {"ppids": list(policy.ppids)}} if Tee.TDX in policy.tees else {})}


def _evidence(tee: Tee, policy: ReleasePolicy, cloud: str) -> str:
    """What a guest sends to the broker: on Azure and AWS its TPM's evidence, whatever the policy would take besides."""
    form = _EVIDENCE_OF_TPM.get(catalog.load().cloud(cloud).provider)
    return policy.evidence(tee)[0] if form is None else form.format(tee)
