"""What Bailiwick's own components state in every cloud: the verifier and its configuration, the graph, the gateway."""

import base64
import json
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from policies.examples.common import MEASUREMENT, but
from policies.rule import ExampleResource

VERIFIER = ExampleResource(
    "bailiwick:index:AzureAttestationVerifier", "verifier", {"guestConfiguration": {"trust_anchors": ["amd"]}}
)

_BUILD_KEY = ec.derive_private_key(7, ec.SECP384R1())
"""Signs what the examples were built from, and nothing else: anybody can guess it."""


def reference_value(image: str, built_at: str = "2026-11-01T00:00:00+00:00") -> dict[str, Any]:
    """The reference value of `image` in a DSSE envelope."""
    kind = "application/vnd.in-toto+json"
    subject = [{"name": image, "digest": {"sha384": MEASUREMENT}}]
    payload = json.dumps(
        {"_type": "https://in-toto.io/Statement/v1", "subject": subject, "predicate": {"built_at": built_at}}
    ).encode()
    signed = b"DSSEv1 %d %b %d %b" % (len(kind), kind.encode(), len(payload), payload)
    signature = _BUILD_KEY.sign(signed, ec.ECDSA(hashes.SHA384(), deterministic_signing=True))
    return {
        "payloadType": kind,
        "payload": base64.b64encode(payload).decode(),
        "signatures": [{"sig": base64.b64encode(signature).decode()}],
    }


VERIFIER_CONFIGURED = ExampleResource(
    "bailiwick:index:AzureAttestationVerifier",
    "verifier",
    {
        "guestConfiguration": {
            "role": "verifier",
            "trust_anchors": ["amd"],
            "reference_values": [reference_value("inference-guest-1.0.0")],
            "build_keys": [
                _BUILD_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
            ],
            "resources": [
                {
                    "path": "default/model-key/llm",
                    "policy": {
                        "tee": ["az-snp-vtpm"],
                        "images": ["inference-guest-1.0.0"],
                        "debug": False,
                        "migration": False,
                        "vmpl": [0],
                        "minimum_tcb": {"bootloader": 4, "tee": 0, "snp": 22, "microcode": 213},
                        "max_token_seconds": 300,
                    },
                }
            ],
        }
    },
)


def verifier_on(cloud: str) -> ExampleResource:
    """`VERIFIER_CONFIGURED` in another cloud, which starts no guest under a paravisor."""
    tee = "aws-snp-nitrotpm" if cloud == "Aws" else "snp"
    here = {"guestConfiguration.resources.0.policy.tee": [tee]}
    return but(VERIFIER_CONFIGURED, here, type=f"bailiwick:index:{cloud}AttestationVerifier")


def told(changes: Mapping[str, Any]) -> str:
    """The configuration of `VERIFIER_CONFIGURED`, changed, as a machine gets it."""
    configuration = but(VERIFIER_CONFIGURED, changes).props["guestConfiguration"]
    return base64.b64encode(json.dumps(configuration).encode()).decode()


def workload_told(account: str) -> str:
    """What a workload is told at boot that takes its model from `account`."""
    configuration = {
        "version": 1,
        "role": "workload",
        "resource": "default/model-key/llm",
        "artefact": {"account": account, "container": "models", "blob": "llm.enc"},
    }
    return base64.b64encode(json.dumps(configuration).encode()).decode()


def region(*graph: Mapping[str, str], cloud: str = "Azure") -> ExampleResource:
    """A region that states this jurisdiction graph."""
    return ExampleResource(f"bailiwick:index:{cloud}SovereignRegion", "region", {"jurisdictionGraph": list(graph)})


GATEWAY = ExampleResource(
    "bailiwick:index:AzureModelGateway",
    "gateway",
    {
        "models": [
            {
                "name": "llm",
                "verifier": "http://verifier.example.internal:8443",
                "key": "default/model-key/llm",
                "guarantee": "attested",
                "dataClass": "confidential",
                "weights": {"digest": f"sha256:{'0b6d' * 16}", "signer": "build@example.org"},
            }
        ],
        "minimumTlsVersion": "1.3",
        "identity": {"issuers": ["https://login.example.org"]},
        "policies": [{"team": "research", "models": ["llm"]}],
        "log": {"content": "off"},
    },
)
"""A gateway as it states itself: what it serves, whose word on callers it takes, which team may use which model."""
