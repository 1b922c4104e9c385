"""Examples of the rules for Google Cloud: resources as Bailiwick's components make them there, varied by rule."""

from collections.abc import Mapping
from typing import Final

from policies.examples.common import but
from policies.rule import Covered, Example, ExampleResource

LOCATION: Final = "europe-west3"
CONFIG: Final[Mapping[str, str]] = {
    "cloud": "gcp",
    "location": LOCATION,
    "subscriptionId": "",
    "tenantId": "",
    "projectId": "bailiwick-emulated",
}
_PATH: Final = "projects/bailiwick-emulated"
_LABELS: Final = {"jurisdiction": "de", "data-class": "confidential"}


def _example(says: str, *resources: ExampleResource, config: Mapping[str, str] = CONFIG) -> Example:
    return Example(says, resources, config)


PROVIDER = ExampleResource(
    "pulumi:providers:gcp",
    "gcp",
    {"region": LOCATION, "universeDomain": "googleapis.com", "project": CONFIG["projectId"]},
)

KEY = ExampleResource(
    "gcp:kms/cryptoKey:CryptoKey",
    "model-key",
    {
        "keyRing": f"{_PATH}/locations/{LOCATION}/keyRings/keys",
        "purpose": "ENCRYPT_DECRYPT",
        "versionTemplate": {"algorithm": "GOOGLE_SYMMETRIC_ENCRYPTION", "protectionLevel": "HSM"},
        "rotationPeriod": "7776000s",
        "destroyScheduledDuration": "7776000s",
        "labels": _LABELS,
    },
)
OUTSIDE: Final = {
    "versionTemplate": {"algorithm": "EXTERNAL_SYMMETRIC_ENCRYPTION", "protectionLevel": "EXTERNAL_VPC"},
    "cryptoKeyBackend": f"{_PATH}/locations/{LOCATION}/ekmConnections/trustee",
}
"""How a key differs that is in an external key manager."""
_RENEWED_OUTSIDE = but(
    KEY, {**OUTSIDE, "rotationPeriod": None, "skipInitialVersionCreation": True}, name="renewed-outside"
)
KEY_RING = ExampleResource("gcp:kms/keyRing:KeyRing", "keys", {"location": LOCATION})

VM = ExampleResource(
    "gcp:compute/instance:Instance",
    "inference",
    {
        "zone": f"{LOCATION}-a",
        "machineType": "n2d-standard-4",
        "confidentialInstanceConfig": {"confidentialInstanceType": "SEV_SNP"},
        "shieldedInstanceConfig": {"enableSecureBoot": True, "enableVtpm": True, "enableIntegrityMonitoring": True},
        "bootDisk": {"initializeParams": {"image": f"{_PATH}/global/images/inference-guest-1-0-0"}},
        "metadata": {"block-project-ssh-keys": "TRUE", "serial-port-enable": "FALSE"},
        "scheduling": {"onHostMaintenance": "TERMINATE"},
        "networkInterfaces": [{"subnetwork": f"{_PATH}/regions/{LOCATION}/subnetworks/workload"}],
    },
)

NETWORK = ExampleResource(
    "gcp:compute/network:Network", "network", {"autoCreateSubnetworks": False, "deleteDefaultRoutesOnCreate": True}
)
DENY_EGRESS = ExampleResource(
    "gcp:compute/firewall:Firewall",
    "deny-egress",
    {
        "network": f"{_PATH}/global/networks/network",
        "direction": "EGRESS",
        "destinationRanges": ["0.0.0.0/0"],
        "denies": [{"protocol": "all"}],
        "priority": 65534,
    },
    uses={"network": ("network",)},
)
ALLOW_EGRESS = but(
    DENY_EGRESS,
    {"denies": None, "allows": [{"protocol": "tcp", "ports": ["443"]}], "destinationRanges": ["10.30.2.0/24"]},
    name="allow-fetch",
)

_ALLOW_INGRESS = but(
    ALLOW_EGRESS,
    {"direction": "INGRESS", "destinationRanges": None, "sourceRanges": ["10.30.0.0/24", "35.191.0.0/16"]},
    name="allow-attest",
)

_POLICY_RULE = ExampleResource(
    "gcp:compute/networkFirewallPolicyRule:NetworkFirewallPolicyRule",
    "policy-rule",
    {"direction": "EGRESS", "action": "allow", "priority": 10, "match": {"destIpRanges": ["10.30.2.0/24"]}},
)

LOG_BUCKET = ExampleResource(
    "gcp:logging/projectBucketConfig:ProjectBucketConfig", "audit", {"location": LOCATION, "retentionDays": 365}
)
SINK = ExampleResource(
    "gcp:logging/projectSink:ProjectSink",
    "audit-sink",
    {"destination": f"logging.googleapis.com/{_PATH}/locations/{LOCATION}/buckets/audit"},
    uses={"destination": ("audit",)},
)
_MEMBER = ExampleResource(
    "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember",
    "unwrap",
    {
        "cryptoKeyId": f"{_PATH}/locations/{LOCATION}/keyRings/keys/cryptoKeys/model-key",
        "role": "roles/cloudkms.cryptoKeyDecrypter",
        "member": "serviceAccount:verifier@bailiwick-emulated.iam.gserviceaccount.com",
    },
)

COVERED: Final[Mapping[str, Covered]] = {
    "RES-01": Covered(
        _example("A machine in Frankfurt, by its zone.", VM),
        (
            _example("A machine in Iowa.", but(VM, {"zone": "us-central1-a"})),
            _example("Keys in the Netherlands.", but(KEY_RING, {"location": "europe-west4"})),
            _example(
                "A bucket in two regions at once.",
                ExampleResource("gcp:storage/bucket:Bucket", "b", {"location": "EU"}),
            ),
        ),
    ),
    "RES-02": Covered(
        _example("A network is global; each of its subnetworks has a region.", NETWORK),
        (
            _example("A key ring that is in no region.", but(KEY_RING, {"location": "global"})),
            _example(
                "A public API, which is in no region.",
                ExampleResource("gcp:apigateway/api:Api", "front", {"apiId": "front"}),
            ),
        ),
    ),
    "RES-03": Covered(
        _example("A provider for Google's own universe, in Frankfurt.", PROVIDER),
        (
            _example("A provider for another universe.", but(PROVIDER, {"universeDomain": "s3nsapis.fr"})),
            _example(
                "A provider that takes its universe from the environment.", but(PROVIDER, {"universeDomain": None})
            ),
            _example("A provider for another project.", but(PROVIDER, {"project": "somebody-else"})),
            _example("A provider whose default zone is in Iowa.", but(PROVIDER, {"zone": "us-central1-a"})),
            _example(
                "A provider with a control plane of its own.",
                but(PROVIDER, {"computeCustomEndpoint": "https://compute.example.org/"}),
            ),
        ),
    ),
    "RES-10": Covered(
        _example("A key with both labels; Google Cloud spells them in small letters.", KEY),
        (
            _example("A key without labels.", but(KEY, {"labels": None})),
            _example(
                "A role that changes labels.",
                ExampleResource(
                    "gcp:projects/iAMCustomRole:IAMCustomRole",
                    "relabel",
                    {"permissions": ["compute.instances.setLabels"]},
                ),
            ),
        ),
    ),
    "CVM-02": Covered(
        _example("A machine type with SEV-SNP.", VM),
        (
            _example("A machine type without a TEE.", but(VM, {"machineType": "e2-standard-4"})),
            _example(
                "A machine type with another TEE than the machine asks for.",
                but(VM, {"confidentialInstanceConfig.confidentialInstanceType": "TDX"}),
            ),
        ),
    ),
    "CVM-03": Covered(
        _example("A shielded machine.", VM),
        (
            _example("Secure boot is off.", but(VM, {"shieldedInstanceConfig.enableSecureBoot": False})),
            _example(
                "Nobody holds a boot against the first one.",
                but(VM, {"shieldedInstanceConfig.enableIntegrityMonitoring": False}),
            ),
        ),
    ),
    "CVM-06": Covered(
        _example("A machine without logins, scripts or console.", VM),
        (
            _example(
                "What Google's agent is told to install.",
                ExampleResource(
                    "gcp:osconfig/osPolicyAssignment:OsPolicyAssignment", "agents", {"location": f"{LOCATION}-a"}
                ),
            ),
            _example("The serial console is on.", but(VM, {"metadata.serial-port-enable": "TRUE"})),
            _example(
                "Whoever has a key of the project may log in.", but(VM, {"metadata.block-project-ssh-keys": None})
            ),
            _example("A script that runs at each start.", but(VM, {"metadataStartupScript": "#!/bin/sh"})),
        ),
    ),
    "CVM-08": Covered(
        _example("An image by its name.", VM),
        (
            _example(
                "The newest image of a family.",
                but(VM, {"bootDisk.initializeParams.image": f"{_PATH}/global/images/family/guest"}),
            ),
        ),
    ),
    "KEY-01": Covered(
        _example("A key in Google's HSM, and one in an HSM outside.", KEY, but(KEY, OUTSIDE, name="outside")),
        (
            _example("A key that was made elsewhere.", but(KEY, {"importOnly": True})),
            _example("A software key.", but(KEY, {"versionTemplate.protectionLevel": "SOFTWARE"})),
            _example("The default is software.", but(KEY, {"versionTemplate": None})),
        ),
    ),
    "KEY-03": Covered(
        _example("A destroyed key can be restored for 90 days.", KEY),
        (
            _example("For a day.", but(KEY, {"destroyScheduledDuration": "86400s"})),
            _example("For as long as the default is.", but(KEY, {"destroyScheduledDuration": None})),
        ),
    ),
    "KEY-04": Covered(
        _example(
            "A new version every 90 days, as Google makes it or as the manager of a key outside does.",
            KEY,
            but(KEY, OUTSIDE, name="outside"),
            but(_RENEWED_OUTSIDE, {"labels.key-rotation": "7776000s"}),
        ),
        (
            _example("Once a year.", but(KEY, {"rotationPeriod": "31536000s"})),
            _example("Never, which Google's own hardened foundation lets pass.", but(KEY, {"rotationPeriod": None})),
            _example("A key outside that its manager renews, and nobody says when.", _RENEWED_OUTSIDE),
            _example(
                "A key outside that its manager renews once a year.",
                but(_RENEWED_OUTSIDE, {"labels.key-rotation": "31536000s"}),
            ),
        ),
    ),
    "REL-07": Covered(
        _example("The verifier's service account.", _MEMBER),
        (
            _example("A person.", but(_MEMBER, {"member": "user:somebody@example.org"})),
            _example("Everybody.", but(_MEMBER, {"member": "allUsers"})),
            _example(
                "A whole pool, whatever a workload in it proves.",
                but(
                    _MEMBER,
                    {
                        "member": "principalSet://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/guests/*"
                    },
                ),
            ),
        ),
    ),
    "NET-01": Covered(
        _example(
            "A machine with a private address, and a rule that lets a private range in and Google's own probes.",
            VM,
            _ALLOW_INGRESS,
        ),
        (
            _example("A rule that lets everybody in.", but(_ALLOW_INGRESS, {"sourceRanges": ["0.0.0.0/0"]})),
            _example("A rule that does not say whom.", but(_ALLOW_INGRESS, {"sourceRanges": None})),
            _example(
                "A rule of a firewall policy that lets everybody in.",
                but(_POLICY_RULE, {"direction": "INGRESS", "match": {"srcIpRanges": ["0.0.0.0/0"]}}),
            ),
            _example(
                "One that lets in whoever is in a country.",
                but(_POLICY_RULE, {"direction": "INGRESS", "match": {"srcRegionCodes": ["DE"]}}),
            ),
            _example("A machine with a public address.", but(VM, {"networkInterfaces.0.accessConfigs": [{}]})),
            _example(
                "A cluster with a public control plane.",
                ExampleResource(
                    "gcp:container/cluster:Cluster",
                    "cluster",
                    {"location": LOCATION, "privateClusterConfig": {"enablePrivateNodes": True}},
                ),
            ),
            _example(
                "A database with a public address, because that is the default.",
                ExampleResource("gcp:sql/databaseInstance:DatabaseInstance", "records", {"region": LOCATION}),
            ),
            _example("A worldwide address.", ExampleResource("gcp:compute/globalAddress:GlobalAddress", "front", {})),
            _example(
                "A public load balancer.",
                ExampleResource(
                    "gcp:compute/forwardingRule:ForwardingRule", "front", {"loadBalancingScheme": "EXTERNAL"}
                ),
            ),
        ),
    ),
    "NET-02": Covered(
        _example(
            "A closed network, and one private range that is let through.",
            NETWORK,
            DENY_EGRESS,
            ALLOW_EGRESS,
            _POLICY_RULE,
        ),
        (
            _example("A network whose egress nothing denies.", NETWORK),
            _example(
                "A network with the default route to the Internet.",
                but(NETWORK, {"deleteDefaultRoutesOnCreate": None}),
                DENY_EGRESS,
            ),
            _example(
                "A public range is let through.",
                NETWORK,
                DENY_EGRESS,
                but(ALLOW_EGRESS, {"destinationRanges": ["198.51.100.0/24"]}),
            ),
            _example("A rule that is switched off denies nothing.", NETWORK, but(DENY_EGRESS, {"disabled": True})),
            _example(
                "A rule of a firewall policy that lets traffic out to a name.",
                but(_POLICY_RULE, {"match": {"destFqdns": ["example.com"]}}),
            ),
            _example(
                "One that names nothing.", but(_POLICY_RULE, {"match": {"layer4Configs": [{"ipProtocol": "tcp"}]}})
            ),
            _example("A NAT.", ExampleResource("gcp:compute/routerNat:RouterNat", "nat", {"region": LOCATION})),
        ),
    ),
    "LOG-01": Covered(
        _example("Records go to a log bucket that keeps them for a year.", VM, LOG_BUCKET, SINK),
        (
            _example("A machine that nobody watches.", VM),
            _example("Records are kept for 30 days.", VM, but(LOG_BUCKET, {"retentionDays": 30}), SINK),
            _example("The sink is switched off.", VM, LOG_BUCKET, but(SINK, {"disabled": True})),
        ),
    ),
}
"""By id of the rule."""
