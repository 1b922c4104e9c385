"""Building blocks for examples of release policies in the languages of the clouds, and those of REL-03."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from policies.examples import aws, common, gcp, kubernetes
from policies.examples.common import but
from policies.rule import Covered, Example, ExampleResource

MEASURED: Final[Mapping[str, Any]] = {
    "Effect": "Allow",
    "Principal": {"AWS": "arn:aws:iam::000000000000:role/verifier"},
    "Action": "kms:Decrypt",
    "Resource": "*",
    "Condition": {"StringEqualsIgnoreCase": {"kms:RecipientAttestation:ImageSha384": "5c2f" * 24}},
}
"""A statement of an AWS key for the image of one enclave."""
BY_NETWORK: Final[Mapping[str, Any]] = {
    **MEASURED,
    "Condition": {"StringEquals": {"aws:SourceVpc": "vpc-0123456789abcdef0"}},
}
"""A statement for one role in one network."""
GRANT: Final = ExampleResource("aws:kms/grant:Grant", "hand-over", {"region": aws.LOCATION, "operations": ["Decrypt"]})

CONDITIONS: Final = (
    'assertion.swname == "CONFIDENTIAL_SPACE"',
    'assertion.hwmodel in ["GCP_INTEL_TDX"]',
    '"STABLE" in assertion.submods.confidential_space.support_attributes',
    'assertion.dbgstat == "disabled-since-boot"',
    '"inference@bailiwick-emulated.iam.gserviceaccount.com" in assertion.google_service_accounts',
    'assertion.submods.gce.zone == "europe-west3-a"',
)
"""What Google's provider asks of a production guest."""
_DIGEST: Final = "sha256:" + "5c2f" * 16
_POOL: Final = "principalSet://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/guests"
_BINDING: Final = ExampleResource(
    "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember",
    "unwrap",
    {"role": "roles/cloudkms.cryptoKeyDecrypter", "member": f"{_POOL}/attribute.image_digest/{_DIGEST}"},
)

COMPILED: Final = (Path(__file__).parent / "broker.rego").read_text(encoding="utf-8")
"""A policy of the Key Broker Service for one key, as `components.release` compiles it; a test holds that it does."""
_APP: Final = ExampleResource(
    "dsm:index/app:App", "writer", {"defaultGroup": "model-keys", "otherGroupPermissions": {"model-keys": "ENCRYPT"}}
)


def aws_key(*statements: Mapping[str, Any]) -> ExampleResource:
    """A key of AWS whose policy has these statements."""
    return but(aws.KEY, {"policy": json.dumps({"Version": "2012-10-17", "Statement": list(statements)})})


def provider(*conditions: str) -> ExampleResource:
    """A provider of a Google pool that believes tokens under these conditions."""
    return ExampleResource(
        "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider",
        "attested",
        {
            "workloadIdentityPoolId": "guests",
            "workloadIdentityPoolProviderId": "verifier",
            "attributeCondition": " && ".join(conditions),
            "attributeMapping": {
                "google.subject": "assertion.sub",
                "attribute.image_digest": "assertion.submods.container.image_digest",
            },
            "oidc": {"issuerUri": "https://confidentialcomputing.googleapis.com"},
        },
    )


def broker_policy(rego: str) -> ExampleResource:
    """The ConfigMap from which a Key Broker Service reads its policy."""
    return ExampleResource(
        "kubernetes:core/v1:ConfigMap",
        "resource-policy",
        {"metadata": {"namespace": "verifier", "name": "resource-policy"}, "data": {"policy.rego": rego}},
    )


def broker_settings(**settings: str) -> ExampleResource:
    """The ConfigMap from which a Key Broker Service reads its settings: `attestation_token` is a table's body."""
    text = "\n".join(f"[{table}]\n{body}" for table, body in settings.items())
    return but(broker_policy(""), {"data": {"kbs-config.toml": text}}, name="kbs-config")


def on_aws(says: str, *resources: ExampleResource) -> Example:
    return Example(says, resources, aws.CONFIG)


def on_google(says: str, *resources: ExampleResource) -> Example:
    return Example(says, resources, gcp.CONFIG)


def on_kubernetes(says: str, *resources: ExampleResource) -> Example:
    return Example(says, resources, kubernetes.CONFIG)


def _on_fortanix(says: str, *resources: ExampleResource) -> Example:
    return Example(says, resources, common.CONFIG)


_KEPT_SHORT: Final = 'type = "coco_as_builtin"\ntimeout = 5\nattestation_token_broker = { duration_min = 5 }'
_LIFETIME: Final = "guestConfiguration.resources.0.policy.max_token_seconds"
_TRUSTED: Final = "insecure_header_jwk = false"

COVERED: Final[Mapping[str, Mapping[str, Covered]]] = {
    "gcp": {
        "REL-03": Covered(
            on_google("The container's digest decides who of the pool may decrypt.", provider(*CONDITIONS), _BINDING),
            (
                on_google(
                    "Any workload, because no attribute is mapped from what tells them apart.",
                    but(provider(*CONDITIONS), {"attributeMapping": {"google.subject": "assertion.sub"}}),
                ),
                on_google(
                    "Every workload that the pool believes.",
                    provider(*CONDITIONS),
                    but(_BINDING, {"member": f"{_POOL}/*"}),
                ),
                on_google(
                    "An attribute that the workload chooses.",
                    but(provider(*CONDITIONS), {"attributeMapping": {"attribute.image_digest": "assertion.sub"}}),
                    _BINDING,
                ),
                on_google("A pool that nothing in the stack explains.", _BINDING),
            ),
        ),
    },
    "aws": {
        "REL-03": Covered(
            on_aws(
                "The image of an enclave, and a key of which the verifier of the stack is the only caller.",
                aws_key(MEASURED),
                but(aws_key(BY_NETWORK), {}, name="broker-key"),
                aws.VERIFIER,
            ),
            (
                on_aws(
                    "The instance and its role, which any image can have.",
                    aws_key({**MEASURED, "Condition": {"StringEquals": {"kms:RecipientAttestation:PCR4": "5c" * 48}}}),
                ),
                on_aws("The verifier's network, in a stack without a verifier.", aws_key(BY_NETWORK)),
                on_aws("A grant, which asks for no measurement.", GRANT),
            ),
        ),
    },
    "kubernetes": {
        "ATT-06": Covered(
            on_kubernetes(
                "Five minutes, at both brokers.",
                kubernetes.VERIFIER,
                broker_settings(attestation_service=_KEPT_SHORT, attestation_token=_TRUSTED),
            ),
            (
                on_kubernetes("A day.", but(kubernetes.VERIFIER, {_LIFETIME: 86_400})),
                on_kubernetes(
                    "Tokens of a day, at the Key Broker Service.",
                    broker_settings(attestation_service=_KEPT_SHORT.replace("_min = 5", "_min = 1440")),
                ),
                on_kubernetes(
                    "A nonce that is good for a day.",
                    broker_settings(attestation_service=_KEPT_SHORT.replace("timeout = 5", "timeout = 1440")),
                ),
                on_kubernetes(
                    "Tokens of whoever made a key for them.",
                    broker_settings(attestation_token="insecure_header_jwk = true"),  # noqa: S106 - a setting
                ),
                on_kubernetes(
                    "Settings that cannot be read.",
                    broker_settings(attestation_service="timeout ="),
                ),
            ),
        ),
        "REL-03": Covered(
            on_kubernetes(
                "A launch measurement for the key, at both brokers.",
                broker_policy(COMPILED),
                kubernetes.VERIFIER,
            ),
            (
                on_kubernetes(
                    "Whatever SEV-SNP machine the verifier affirms.",
                    broker_policy(COMPILED.replace("evidence.measurement", "evidence.family_id")),
                ),
                on_kubernetes(
                    "A key for any image.",
                    but(kubernetes.VERIFIER, {"guestConfiguration.resources.0.policy.images": []}),
                ),
            ),
        ),
    },
    "fortanix": {
        "REL-03": Covered(
            _on_fortanix("An app that encrypts, and gets nothing back.", _APP),
            (
                _on_fortanix(
                    "An app with a secret, which decrypts wherever it runs.",
                    but(_APP, {"otherGroupPermissions.model-keys": "ENCRYPT,DECRYPT"}),
                ),
                _on_fortanix(
                    "An app with a certificate, whose permissions are left to DSM.",
                    but(_APP, {"otherGroupPermissions": None}, type="dsm:index/appNonApiKey:AppNonApiKey"),
                ),
            ),
        ),
    },
}
"""By provider of the catalogue, then by id of the rule."""
