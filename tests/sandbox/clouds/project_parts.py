"""One of every other type that the emulated Google Cloud knows."""

from sandbox.provider import Properties
from tests.sandbox.clouds.project import (
    KEY,
    NETWORK,
    POOL,
    PROJECT,
    REGION,
    SUBNET,
    ZONE,
    agent_grant,
    ekm_connection,
    external_key,
    machine,
    template,
)

MEMBER = f"serviceAccount:guest-one@{PROJECT}.iam.gserviceaccount.com"
REGIONAL = f"projects/{PROJECT}/regions/{REGION}"
LINK = "https://www.googleapis.com/compute/v1/"


def network_parts() -> list[tuple[str, str, Properties]]:
    return [
        (
            "compute:Firewall",
            "deny",
            {
                "name": "deny",
                "network": NETWORK,
                "direction": "EGRESS",
                "denies": [{"protocol": "all"}],
                "destinationRanges": ["0.0.0.0/0"],
                "priority": 65534,
            },
        ),
        (
            "compute:Route",
            "route",
            {"name": "r", "network": "net", "destRange": "10.9.0.0/16", "nextHopIp": "10.20.1.9"},
        ),
        (
            "compute:GlobalAddress",
            "psc",
            {
                "name": "psc",
                "addressType": "INTERNAL",
                "purpose": "PRIVATE_SERVICE_CONNECT",
                "address": "10.20.255.254",
                "network": NETWORK,
            },
        ),
        (
            "compute:GlobalForwardingRule",
            "apis",
            {
                "name": "allapis",
                "target": "all-apis",
                "loadBalancingScheme": "",
                "network": NETWORK,
                "ipAddress": f"projects/{PROJECT}/global/addresses/psc",
            },
        ),
        (
            "compute:Address",
            "frontend",
            {
                "name": "frontend",
                "region": REGION,
                "addressType": "INTERNAL",
                "subnetwork": SUBNET,
                "address": "10.20.1.100",
            },
        ),
        (
            "networkconnectivity:RegionalEndpoint",
            "kms",
            {
                "name": "kms",
                "location": REGION,
                "accessType": "REGIONAL",
                "targetGoogleApi": f"cloudkms.{REGION}.rep.googleapis.com",
                "network": NETWORK,
                "subnetwork": SUBNET,
                "address": "10.20.1.101",
            },
        ),
    ]


def machine_parts() -> list[tuple[str, str, Properties]]:
    return [
        ("compute:Instance", "vm", machine()),
        (
            "compute:Disk",
            "disk",
            {"name": "disk", "zone": ZONE, "size": 20, "diskEncryptionKey": {"kmsKeySelfLink": KEY}},
        ),
        ("compute:InstanceTemplate", "anywhere", template(name="anywhere", region=REGION)),
        ("compute:RegionInstanceTemplate", "template", template(region=REGION)),
        (
            "compute:RegionInstanceGroupManager",
            "group",
            {
                "name": "group",
                "region": REGION,
                "baseInstanceName": "guest",
                "targetSize": 3,
                "versions": [{"instanceTemplate": f"{LINK}{REGIONAL}/instanceTemplates/guests"}],
                "updatePolicy": {"type": "PROACTIVE", "minimalAction": "REPLACE"},
            },
        ),
        (
            "compute:InstanceGroup",
            "members",
            {"name": "members", "zone": ZONE, "instances": [f"projects/{PROJECT}/zones/{ZONE}/instances/inference"]},
        ),
        (
            "compute:RegionHealthCheck",
            "health",
            {"name": "health", "region": REGION, "httpHealthCheck": {"port": 8443, "requestPath": "/healthz"}},
        ),
        (
            "compute:RegionBackendService",
            "backend",
            {
                "name": "backend",
                "region": REGION,
                "loadBalancingScheme": "INTERNAL",
                "healthChecks": f"{REGIONAL}/healthChecks/health",
                "backends": [
                    {
                        "group": f"projects/{PROJECT}/zones/{ZONE}/instanceGroups/members",
                        "balancingMode": "CONNECTION",
                    },
                    {"group": f"{LINK}{REGIONAL}/instanceGroups/group", "balancingMode": "CONNECTION"},
                ],
            },
        ),
        (
            "compute:ForwardingRule",
            "balancer",
            {
                "name": "balancer",
                "region": REGION,
                "loadBalancingScheme": "INTERNAL",
                "backendService": f"{REGIONAL}/backendServices/backend",
                "subnetwork": SUBNET,
                "network": NETWORK,
                "ipAddress": f"{REGIONAL}/addresses/frontend",
                "ports": ["8443"],
            },
        ),
        (
            "dns:ManagedZone",
            "zone",
            {
                "name": "internal",
                "dnsName": "test.internal.",
                "visibility": "private",
                "privateVisibilityConfig": {"networks": [{"networkUrl": NETWORK}]},
            },
        ),
        (
            "dns:RecordSet",
            "record",
            {
                "name": "verifier.test.internal.",
                "managedZone": "internal",
                "type": "A",
                "ttl": 300,
                "rrdatas": ["10.20.1.100"],
            },
        ),
    ]


def other_parts() -> list[tuple[str, str, Properties]]:
    audit = {"name": "audit-bucket", "location": "EUROPE-WEST3", "publicAccessPrevention": "enforced"}
    return [
        *network_parts(),
        *machine_parts(),
        ("kms:EkmConnection", "outside", ekm_connection()),
        ("kms:CryptoKey", "outside-key", external_key("outside")),
        (
            "kms:CryptoKeyIAMMember",
            "use",
            {"cryptoKeyId": KEY, "role": "roles/cloudkms.cryptoKeyDecrypter", "member": MEMBER},
        ),
        ("iam:WorkloadIdentityPool", "pool", {"workloadIdentityPoolId": "guests"}),
        (
            "iam:WorkloadIdentityPoolProvider",
            "provider",
            {
                "workloadIdentityPoolId": "guests",
                "workloadIdentityPoolProviderId": "attestation",
                "attributeMapping": {"google.subject": "assertion.sub"},
                "attributeCondition": "assertion.swname == 'CONFIDENTIAL_SPACE'",
                "oidc": {
                    "issuerUri": "https://confidentialcomputing.googleapis.com/",
                    "allowedAudiences": ["https://sts.googleapis.com"],
                },
            },
        ),
        (
            "projects:IAMMember",
            "attested",
            {
                "project": PROJECT,
                "role": "roles/confidentialcomputing.workloadUser",
                "member": f"principalSet://iam.googleapis.com/{POOL}/attribute.image_digest/abc",
            },
        ),
        (
            "storage:Bucket",
            "audit",
            {**audit, "retentionPolicy": {"retentionPeriod": "31536000", "isLocked": True}, "labels": {"a": "b"}},
        ),
        (
            "storage:BucketIAMMember",
            "read",
            {"bucket": "audit-bucket", "role": "roles/storage.objectViewer", "member": MEMBER},
        ),
        (
            "logging:ProjectBucketConfig",
            "log",
            {"project": PROJECT, "location": REGION, "bucketId": "audit", "retentionDays": 365},
        ),
        (
            "logging:ProjectSink",
            "sink",
            {
                "name": "sink",
                "destination": f"logging.googleapis.com/projects/{PROJECT}/locations/{REGION}/buckets/audit",
                "uniqueWriterIdentity": True,
            },
        ),
        ("projects:Service", "api", {"service": "cloudkms.googleapis.com"}),
        (
            "projects:IAMAuditConfig",
            "reads",
            {"project": PROJECT, "service": "allServices", "auditLogConfigs": [{"logType": "DATA_READ"}]},
        ),
        (
            "orgpolicy:Policy",
            "locations",
            {
                "name": f"projects/{PROJECT}/policies/gcp.resourceLocations",
                "parent": f"projects/{PROJECT}",
                "spec": {"rules": [{"values": {"allowedValues": ["in:europe-west3-locations"]}}]},
            },
        ),
        ("kms:CryptoKeyIAMMember", "os-disk-container", agent_grant("container-engine-robot")),
        (
            "container:Cluster",
            "cluster",
            {
                "name": "cluster",
                "location": REGION,
                "network": NETWORK,
                "subnetwork": SUBNET,
                "initialNodeCount": 1,
                "deletionProtection": False,
                "privateClusterConfig": {"enablePrivateNodes": True, "enablePrivateEndpoint": True},
                "databaseEncryption": {"state": "ENCRYPTED", "keyName": KEY},
            },
        ),
        (
            "container:NodePool",
            "nodes",
            {
                "name": "nodes",
                "cluster": f"projects/{PROJECT}/locations/{REGION}/clusters/cluster",
                "nodeLocations": [ZONE],
                "nodeConfig": {
                    "machineType": "c3-standard-4",
                    "confidentialNodes": {"enabled": True, "confidentialInstanceType": "TDX"},
                },
            },
        ),
    ]
