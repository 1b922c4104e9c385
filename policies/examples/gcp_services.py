"""Examples of the rules for Google Cloud, continued: what its services keep, copy, name, record and run."""

import json
from collections.abc import Mapping
from typing import Final

from policies.examples.common import but
from policies.examples.components import GATEWAY, workload_told
from policies.examples.gcp import CONFIG, KEY, KEY_RING, LOCATION, LOG_BUCKET, OUTSIDE, SINK, VM
from policies.rule import Covered, Example, ExampleResource

_HOST: Final = f"cloudkms.{LOCATION}.p.rep.googleapis.com"


def _example(says: str, *resources: ExampleResource, config: Mapping[str, str] = CONFIG) -> Example:
    return Example(says, resources, config)


STORED = ExampleResource(
    "gcp:secretmanager/secret:Secret",
    "token",
    {"secretId": "token", "replication": {"userManaged": {"replicas": [{"location": LOCATION}]}}},
)
SNAPSHOT = ExampleResource(
    "gcp:compute/snapshot:Snapshot", "backup", {"sourceDisk": "data", "storageLocations": [LOCATION]}
)
MODEL = ExampleResource("gcp:vertex/aiEndpoint:AiEndpoint", "chat", {"location": LOCATION, "displayName": "chat"})
DOOR = ExampleResource(
    "gcp:networkconnectivity/regionalEndpoint:RegionalEndpoint",
    "kms",
    {"location": LOCATION, "accessType": "REGIONAL", "targetGoogleApi": _HOST, "address": "10.30.2.2"},
)
NAME = ExampleResource(
    "gcp:dns/recordSet:RecordSet", "kms-name", {"name": f"{_HOST}.", "type": "A", "rrdatas": ["10.30.2.2"]}
)
_DATABASE = ExampleResource(
    "gcp:sql/databaseInstance:DatabaseInstance",
    "records",
    {"region": LOCATION, "settings": {"backupConfiguration": {"enabled": True, "location": LOCATION}}},
)
WATCH = ExampleResource(
    "gcp:projects/iAMAuditConfig:IAMAuditConfig",
    "kms-audit",
    {
        "service": "cloudkms.googleapis.com",
        "auditLogConfigs": [{"logType": "ADMIN_READ"}, {"logType": "DATA_READ"}, {"logType": "DATA_WRITE"}],
    },
)
ROLE = ExampleResource(
    "gcp:projects/iAMCustomRole:IAMCustomRole",
    "unwrap",
    {"roleId": "unwrap", "permissions": ["cloudkms.cryptoKeyVersions.useToDecrypt"]},
)
_CONNECTION = ExampleResource("gcp:kms/ekmConnection:EkmConnection", "trustee", {"location": LOCATION})
_CLUSTER = ExampleResource(
    "gcp:container/cluster:Cluster", "cluster", {"location": LOCATION, "removeDefaultNodePool": True}
)
_OUTSIDE = but(KEY, OUTSIDE)
_VERIFIER: Final = "serviceAccount:verifier@bailiwick-emulated.iam.gserviceaccount.com"
_MAY_DECRYPT = ExampleResource(
    "gcp:projects/iAMMember:IAMMember",
    "use",
    {"role": "projects/bailiwick-emulated/roles/unwrap", "member": _VERIFIER},
    uses={"role": ("unwrap",)},
)
_MAY_GOVERN = ExampleResource(
    "gcp:projects/iAMMember:IAMMember",
    "govern",
    {"role": "roles/cloudkms.admin", "member": _VERIFIER.replace("verifier", "operator")},
)
BUCKET = ExampleResource(
    "gcp:storage/bucket:Bucket", "models", {"location": LOCATION, "name": "models", "rpo": "DEFAULT"}
)
TLS = ExampleResource(
    "gcp:compute/regionSslPolicy:RegionSslPolicy", "tls", {"region": LOCATION, "minTlsVersion": "TLS_1_2"}
)
POOL = ExampleResource(
    "gcp:container/nodePool:NodePool",
    "nodes",
    {
        "location": LOCATION,
        "nodeConfig": {
            "machineType": "n2d-standard-4",
            "confidentialNodes": {"enabled": True, "confidentialInstanceType": "SEV_SNP"},
            "shieldedInstanceConfig": {"enableSecureBoot": True},
            "bootDiskKmsKey": "projects/example/locations/europe-west3/keyRings/keys/cryptoKeys/disks",
        },
    },
)
_WITH_KEY = but(VM, {"bootDisk.kmsKeySelfLink": "projects/example/locations/europe-west3/keyRings/keys/cryptoKeys/k"})
_TOLD = but(VM, {"metadata.user-data": workload_told("models")})
_GPU_VM = but(
    VM,
    {"machineType": "a3-highgpu-1g", "confidentialInstanceConfig.confidentialInstanceType": "TDX"},
)

_BACKUPS: Final = "settings.backupConfiguration.location"

COVERED: Final[Mapping[str, Covered]] = {
    "RES-04": Covered(
        _example("A secret and a bucket in one region, which the program names.", STORED, BUCKET),
        (
            _example("A bucket that is copied to a second region at once.", but(BUCKET, {"rpo": "ASYNC_TURBO"})),
            _example(
                "A secret in every region.", but(STORED, {"replication": {"auto": {"customerManagedEncryption": {}}}})
            ),
            _example(
                "A disk that follows another one abroad.",
                ExampleResource(
                    "gcp:compute/diskAsyncReplication:DiskAsyncReplication", "copy", {"primaryDisk": "data"}
                ),
            ),
        ),
    ),
    "RES-05": Covered(
        _example("A snapshot, and backups of a database, in their own region.", SNAPSHOT, _DATABASE),
        (
            _example("A snapshot, wherever Google keeps it.", but(SNAPSHOT, {"storageLocations": None})),
            _example("A snapshot in several countries.", but(SNAPSHOT, {"storageLocations": ["eu"]})),
            _example("A database whose backups are wherever Google keeps them.", but(_DATABASE, {_BACKUPS: None})),
        ),
    ),
    "RES-06": Covered(
        _example("An endpoint of one region.", MODEL),
        (_example("An endpoint of the whole world.", but(MODEL, {"location": "global"})),),
    ),
    "RES-08": Covered(
        _example("An image of the project, and a model of the stack's own bucket.", _TOLD, BUCKET),
        (
            _example(
                "An image of Google's.",
                but(VM, {"bootDisk.initializeParams.image": "projects/debian-cloud/global/images/debian-12-v1"}),
            ),
            _example(
                "A model of somebody else's bucket.",
                but(VM, {"metadata.user-data": workload_told("elsewhere")}),
                BUCKET,
            ),
            _example(
                "A repository that fetches from elsewhere.",
                ExampleResource(
                    "gcp:artifactregistry/repository:Repository",
                    "mirror",
                    {
                        "location": LOCATION,
                        "mode": "REMOTE_REPOSITORY",
                        "remoteRepositoryConfig": {"description": "hub"},
                    },
                ),
            ),
            _example(
                "A container from a registry of another region.",
                ExampleResource(
                    "gcp:cloudrunv2/service:Service",
                    "front",
                    {
                        "location": LOCATION,
                        "template": {"containers": [{"image": "us-central1-docker.pkg.dev/example/images/front"}]},
                    },
                ),
            ),
        ),
    ),
    "RES-09": Covered(
        _example("Records go to a log bucket of the region.", LOG_BUCKET, SINK),
        (
            _example(
                "Records go to a log bucket in Iowa.",
                but(
                    SINK,
                    {"destination": "logging.googleapis.com/projects/example/locations/us-central1/buckets/b"},
                    uses={},
                ),
            ),
            _example("Records go to some bucket.", but(SINK, {"destination": "storage.googleapis.com/b"}, uses={})),
        ),
    ),
    "CVM-01": Covered(
        _example("A machine with SEV-SNP, and nodes with it.", VM, POOL),
        (
            _example(
                "SEV encrypts memory and proves nothing of its state.",
                but(VM, {"confidentialInstanceConfig.confidentialInstanceType": "SEV"}),
            ),
            _example("An ordinary machine.", but(VM, {"confidentialInstanceConfig": None})),
            _example(
                "A pool of ordinary nodes within its cluster.",
                but(_CLUSTER, {"nodePools": [{"name": "more", "nodeConfig": {"machineType": "n2d-standard-4"}}]}),
            ),
            _example("A cluster that makes pools itself.", but(_CLUSTER, {"clusterAutoscaling": {"enabled": True}})),
            _example(
                "A group of another stack's template.",
                ExampleResource(
                    "gcp:compute/regionInstanceGroupManager:RegionInstanceGroupManager",
                    "group",
                    {
                        "region": LOCATION,
                        "versions": [{"instanceTemplate": "projects/other/global/instanceTemplates/x"}],
                    },
                ),
            ),
            _example(
                "Containers on machines that Google chooses.",
                ExampleResource("gcp:cloudrunv2/service:Service", "front", {"location": LOCATION}),
            ),
            _example("A pool of ordinary nodes.", but(POOL, {"nodeConfig.confidentialNodes": None})),
        ),
    ),
    "CVM-05": Covered(
        _example("An H100 in confidential-computing mode beside TDX.", _GPU_VM),
        (
            _example("Eight, which have no such mode.", but(_GPU_VM, {"machineType": "a3-highgpu-8g"})),
            _example(
                "A GPU that is attached to a machine whose TEE does not cover it.",
                but(VM, {"guestAccelerators": [{"type": "nvidia-tesla-t4", "count": 1}]}),
            ),
        ),
    ),
    "KEY-02": Covered(
        _example("Confidential data under a key of a key manager outside Google Cloud.", _WITH_KEY, _OUTSIDE),
        (
            _example("A disk under Google's key.", VM),
            _example("Another one of the same machine.", but(_WITH_KEY, {"attachedDisks": [{"source": "data"}]})),
            _example(
                "A database under Google's key.",
                ExampleResource("gcp:sql/databaseInstance:DatabaseInstance", "records", {"region": LOCATION}),
            ),
            _example("Confidential data, and an HSM that others share.", _WITH_KEY, KEY),
        ),
    ),
    "KEY-06": Covered(
        _example(
            "Keys that are reached through an endpoint of the network, and one of a manager outside, likewise.",
            KEY_RING,
            DOOR,
            _OUTSIDE,
        ),
        (
            _example(
                "A key of a manager that Google calls over the Internet.",
                KEY_RING,
                DOOR,
                but(_OUTSIDE, {"versionTemplate.protectionLevel": "EXTERNAL"}),
            ),
            _example("Keys that are reached over the public network.", KEY_RING),
            _example(
                "An endpoint for another service.",
                KEY_RING,
                but(DOOR, {"targetGoogleApi": f"storage.{LOCATION}.p.rep.googleapis.com"}),
            ),
        ),
    ),
    "KEY-07": Covered(
        _example("The use of keys is recorded.", KEY_RING, WATCH),
        (
            _example("Nobody writes down who uses a key.", KEY_RING),
            _example(
                "What is written down is who looks at settings.",
                KEY_RING,
                but(WATCH, {"auditLogConfigs": [{"logType": "ADMIN_READ"}]}),
            ),
            _example(
                "Nobody but one, who is exempted.",
                KEY_RING,
                but(WATCH, {"auditLogConfigs.1.exemptedMembers": ["user:somebody@example.org"]}),
            ),
        ),
    ),
    "KEY-08": Covered(
        _example(
            "A role that decrypts and does nothing else, for one account, and another account that governs keys.",
            ROLE,
            _MAY_DECRYPT,
            _MAY_GOVERN,
        ),
        (
            _example("An account with both roles.", ROLE, _MAY_DECRYPT, but(_MAY_GOVERN, {"member": _VERIFIER})),
            _example(
                "An account with Google's roles for both, in one policy for the key.",
                ExampleResource(
                    "gcp:kms/cryptoKeyIAMPolicy:CryptoKeyIAMPolicy",
                    "who-may",
                    {
                        "policyData": json.dumps(
                            {
                                "bindings": [
                                    {"role": f"roles/cloudkms.{role}", "members": [_VERIFIER]}
                                    for role in ("cryptoKeyDecrypter", "admin")
                                ]
                            }
                        )
                    },
                ),
            ),
            _example("A basic role, which has every permission.", but(_MAY_GOVERN, {"role": "roles/owner"})),
            _example(
                "A role that also changes keys.",
                but(
                    ROLE,
                    {
                        "permissions": [
                            "cloudkms.cryptoKeyVersions.useToDecrypt",
                            "cloudkms.cryptoKeys.setIamPolicy",
                        ]
                    },
                ),
            ),
            _example("A role that may do everything.", but(ROLE, {"permissions": ["cloudkms.*"]})),
        ),
    ),
    "KEY-09": Covered(
        _example("A key ring, the way to keys outside, and a machine in Frankfurt.", KEY_RING, _CONNECTION, VM),
        (
            _example("A key ring of several countries.", but(KEY_RING, {"location": "eur4"}), VM),
            _example("Keys outside that several countries reach.", but(_CONNECTION, {"location": "europe"}), VM),
            _example(
                "Keys in the Netherlands for a machine in Germany, in a stack for the whole EU.",
                but(KEY_RING, {"location": "europe-west4"}),
                VM,
                config={**CONFIG, "jurisdiction": "EU"},
            ),
        ),
    ),
    "NET-03": Covered(
        _example("An endpoint with its name.", DOOR, NAME),
        (
            _example("An endpoint without a name.", DOOR),
            _example(
                "A network with a peer.",
                ExampleResource("gcp:compute/networkPeering:NetworkPeering", "to-office", {"network": "network"}),
                DOOR,
                NAME,
            ),
        ),
    ),
    "NET-04": Covered(
        _example("TLS 1.2 or newer.", TLS),
        (
            _example(
                "A front without a policy, which takes TLS 1.0.",
                ExampleResource("gcp:compute/targetHttpsProxy:TargetHttpsProxy", "front", {"urlMap": "models"}),
            ),
            _example("TLS 1.0.", but(TLS, {"minTlsVersion": "TLS_1_0"})),
            _example("Whatever the default is.", but(TLS, {"minTlsVersion": None})),
            _example(
                "A front without TLS.",
                ExampleResource(
                    "gcp:compute/regionTargetHttpProxy:RegionTargetHttpProxy", "plain", {"region": LOCATION}
                ),
            ),
        ),
    ),
    "LOG-02": Covered(
        _example(
            "An endpoint that logs no requests.",
            but(MODEL, {"predictRequestResponseLoggingConfig": {"enabled": False}}),
        ),
        (
            _example(
                "Every request and answer in a table.",
                but(MODEL, {"predictRequestResponseLoggingConfig": {"enabled": True, "samplingRate": 1}}),
            ),
        ),
    ),
    "GW-01": Covered(
        _example(
            "A gateway whose model is attested, and internal data for a model of the cloud.",
            but(GATEWAY, {}, type="bailiwick:index:GcpModelGateway"),
            MODEL,
            config={**CONFIG, "dataClass": "internal"},
        ),
        (_example("Confidential data, and a model on machines that prove nothing.", MODEL),),
    ),
}
"""By id of the rule."""
