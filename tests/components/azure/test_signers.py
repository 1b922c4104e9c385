"""Who signed a launch, in the policies of disks' keys and of models': in place of the paravisor's measurement."""

import base64
import json
from pathlib import Path
from typing import Any

from tests.components.azure import region

SIGNER, OTHER = "1d" * 48, "2d" * 48


def _image(name: str, *signers: str) -> dict[str, Any]:
    return {"name": name, "version": "1.0.0", "launchSigners": list(signers)}


def _claims(properties: Any) -> dict[str, Any]:
    data = properties["releasePolicy"]["data"]
    document = json.loads(base64.urlsafe_b64decode(data + "=" * (-len(data) % 4)))
    return {
        condition["claim"]: condition.get("equals", condition.get("anyOf"))
        for condition in document["anyOf"][0]["allOf"]
    }


def test_signers_stand_for_the_paravisor_in_the_keys_of_their_image(reference_values: Path) -> None:
    machines = [{**region.SPEC["machines"][0], "image": _image("inference-guest", SIGNER)}]
    verifier = {**region.SPEC["verifier"], "image": _image("verifier", OTHER)}
    signed = region.deploy(reference_values, {"machines": machines, "verifier": verifier})
    policies = [
        _claims(one.inputs["properties"])
        for one in signed.of_type("Key")
        if "releasePolicy" in one.inputs.get("properties", {})
    ]
    assert all("x-ms-sevsnpvm-launchmeasurement" not in claims for claims in policies)
    found = {str(claims["x-ms-sevsnpvm-idkeydigest"]) for claims in policies}
    assert len(found) == 2
    assert all(any(signer in one for one in found) for signer in (SIGNER, OTHER))
    (resource,) = region.user_data(signed, "azure-germany-verifier-0-vm")["resources"]
    assert resource["policy"]["id_key_digests"] == [SIGNER]
