"""A small region in the emulated Google Cloud, and what drives it."""

import copy
from typing import Any

from sandbox.clouds.gcp import GcpCloud
from sandbox.provider import Created, Properties
from sandbox.values import Value
from tests.sandbox.clouds.region import RecordingHardware

PROJECT = "bailiwick-emulated"
REGION = "europe-west3"
ZONE = "europe-west3-a"
NETWORK = f"projects/{PROJECT}/global/networks/net"
SUBNET = f"projects/{PROJECT}/regions/{REGION}/subnetworks/guests"
RING = f"projects/{PROJECT}/locations/{REGION}/keyRings/keys"
KEY = f"{RING}/cryptoKeys/os-disk"
EKM_CONNECTION = f"projects/{PROJECT}/locations/{REGION}/ekmConnections/outside"
CERTIFICATE = (
    "MIIBszCCAVqgAwIBAgIUb5d8GyXt5KXHfNsCdFCHvLLb36owCgYIKoZIzj0EAwIwHzEdMBsGA1UEAwwUa2V5cy50cnVzdGVlLmV4"
    "YW1wbGUwHhcNMjYxMTIzMDkxNDE3WhcNMzYxMTIwMDkxNDE3WjAfMR0wGwYDVQQDDBRrZXlzLnRydXN0ZWUuZXhhbXBsZTBZMBMG"
    "ByqGSM49AgEGCCqGSM49AwEHA0IABO41LhMXlTrArcnUHc8WYl6BQCigrfCrubC8Qr2oYyZmBfXw8XewwU9g08SUfomWaTASW9Iz"
    "O3ZQ5LmtrQa4XIyjdDByMB0GA1UdDgQWBBQpJxhJTwdcjje548/q5A2zjBJEpzAfBgNVHSMEGDAWgBQpJxhJTwdcjje548/q5A2z"
    "jBJEpzAPBgNVHRMBAf8EBTADAQH/MB8GA1UdEQQYMBaCFGtleXMudHJ1c3RlZS5leGFtcGxlMAoGCCqGSM49BAMCA0cAMEQCIE9m"
    "6xts0KHPA9v+0TnZXP3tpAcbu/DKMpsoKZrVhaY3AiBKb2VwOly0q2w1y4iQuNPfdc0uoCD0IZXwoEOIVshbhA=="
)
"""That of `keys.trustee.example`, DER in base64."""
IMAGE = f"projects/{PROJECT}/global/images/inference-guest-1-0-0"
POOL = "projects/100000000001/locations/global/workloadIdentityPools/guests"


class ImageHardware(RecordingHardware):
    """Hardware whose gallery lacks the image `missing`, and whose image `plain` does not boot confidentially."""

    def image(self, reference_id: str) -> dict[str, Value] | None:
        facts = None if "/images/missing/" in reference_id else super().image(reference_id)
        return facts if facts is None or facts["name"] != "plain" else facts | {"securityTypes": []}


def urn(kind: str, name: str) -> str:
    """`compute:Network` is the type `gcp:compute/network:Network`."""
    return f"urn:pulumi:test::bailiwick::{token(kind)}::{name}"


def token(kind: str) -> str:
    module, _, type_name = kind.partition(":")
    return f"gcp:{module}/{type_name[0].lower()}{type_name[1:]}:{type_name}"


class Bench:
    """Drives a cloud as an engine would: check, then create."""

    def __init__(self, cloud: GcpCloud, hardware: RecordingHardware) -> None:
        self.cloud = cloud
        self.hardware = hardware

    def failures(self, kind: str, name: str, inputs: Properties) -> list[str]:
        return [item.reason for item in self.cloud.check(urn(kind, name), {}, inputs).failures]

    def create(self, kind: str, name: str, inputs: Properties, *, preview: bool = False) -> Created:
        checked = self.cloud.check(urn(kind, name), {}, copy.deepcopy(inputs))
        assert checked.failures == ()
        return self.cloud.create(urn(kind, name), checked.inputs, preview=preview)

    def update(self, kind: str, name: str, olds: Properties, news: Properties) -> Properties:
        created = self.create(kind, name, olds)
        return self.cloud.update(urn(kind, name), created.id, olds, news, preview=False)

    def delete(self, kind: str, created: Created) -> None:
        self.cloud.delete(urn(kind, "any"), created.id, created.outputs)

    def region(self, *, preview: bool = False) -> dict[str, Created]:
        """A custom network with one subnetwork, a service account, a key ring with an HSM key."""
        return {name: self.create(kind, name, inputs, preview=preview) for kind, name, inputs in region_parts()}


def changed(inputs: Properties, changes: dict[str, Any]) -> Properties:
    """`inputs` with changes: `a__b` stands for the path `a.b`, None removes what is there."""
    inputs = copy.deepcopy(inputs)
    for path, value in changes.items():
        *steps, last = path.split("__")
        place = inputs
        for step in steps:
            place = place.setdefault(step, {})
        if value is None:
            place.pop(last, None)
        else:
            place[last] = value
    return inputs


def subnet(name: str, prefix: str, **more: Value) -> Properties:
    return {"name": name, "region": REGION, "network": NETWORK, "ipCidrRange": prefix, **more}


def key(name: str, **changes: Value) -> Properties:
    template = {"algorithm": "GOOGLE_SYMMETRIC_ENCRYPTION", "protectionLevel": "HSM"}
    return changed({"name": name, "keyRing": RING, "rotationPeriod": "7776000s", "versionTemplate": template}, changes)


def ekm_connection(**changes: Value) -> Properties:
    """The connection to an external key manager in which Cloud KMS makes keys."""
    resolver = {
        "hostname": "keys.trustee.example",
        "serviceDirectoryService": f"projects/{PROJECT}/locations/{REGION}/namespaces/keys/services/manager",
        "serverCertificates": [{"rawDer": CERTIFICATE}],
    }
    mode = {"keyManagementMode": "CLOUD_KMS", "cryptoSpacePath": "v0/cryptospaces/sovereign"}
    return changed({"name": "outside", "location": REGION, "serviceResolvers": [resolver], **mode}, changes)


def external_key(name: str, **changes: Value) -> Properties:
    """A key in that manager."""
    template = {"algorithm": "EXTERNAL_SYMMETRIC_ENCRYPTION", "protectionLevel": "EXTERNAL_VPC"}
    return changed(key(name, versionTemplate=template, cryptoKeyBackend=EKM_CONNECTION), changes)


def agent_grant(service: str, key_id: str = KEY) -> Properties:
    """The right of one of Google's service agents to encrypt with a key."""
    member = f"serviceAccount:service-100000000001@{service}.iam.gserviceaccount.com"
    return {"cryptoKeyId": key_id, "role": "roles/cloudkms.cryptoKeyEncrypterDecrypter", "member": member}


def region_parts() -> list[tuple[str, str, Properties]]:
    return [
        ("compute:Network", "net", {"name": "net", "autoCreateSubnetworks": False}),
        ("compute:Subnetwork", "guests", subnet("guests", "10.20.1.0/24")),
        ("serviceaccount:Account", "guest", {"accountId": "guest-one"}),
        ("kms:KeyRing", "ring", {"name": "keys", "location": REGION}),
        ("kms:CryptoKey", "os-disk", key("os-disk")),
        ("kms:CryptoKeyIAMMember", "os-disk-compute", agent_grant("compute-system")),
    ]


def machine(**changes: Value) -> Properties:
    """A confidential instance in the region (SEV-SNP); `changes` as for `changed`."""
    inputs = {
        "name": "inference",
        "zone": ZONE,
        "machineType": "n2d-standard-4",
        "minCpuPlatform": "AMD Milan",
        "confidentialInstanceConfig": {"confidentialInstanceType": "SEV_SNP"},
        "scheduling": {"onHostMaintenance": "TERMINATE"},
        "shieldedInstanceConfig": {"enableSecureBoot": True, "enableVtpm": True},
        "bootDisk": {"kmsKeySelfLink": KEY, "initializeParams": {"image": IMAGE, "type": "pd-balanced"}},
        "networkInterfaces": [{"subnetwork": SUBNET, "nicType": "GVNIC"}],
        "serviceAccount": {"email": f"guest-one@{PROJECT}.iam.gserviceaccount.com", "scopes": ["cloud-platform"]},
        "metadata": {"user-data": '{"version":1}'},
        "labels": {"owner": "platform"},
    }
    return changed(inputs, changes)


def template(**changes: Value) -> Properties:
    inputs = machine(name="guests", zone=None, bootDisk=None)
    inputs["disks"] = [{"boot": True, "sourceImage": IMAGE, "diskEncryptionKey": {"kmsKeySelfLink": KEY}}]
    return changed(inputs, changes)


def spot_h100(**changes: Value) -> Properties:
    """An H100 in confidential mode, bought as Google sells it."""
    return machine(
        **{
            "zone": "europe-west4-c",
            "machineType": "a3-highgpu-1g",
            "minCpuPlatform": None,
            "confidentialInstanceConfig__confidentialInstanceType": "TDX",
            "networkInterfaces": [{"subnetwork": f"projects/{PROJECT}/regions/europe-west4/subnetworks/gpu"}],
            "bootDisk__kmsKeySelfLink": None,
            "guestAccelerators": [{"type": "nvidia-h100-80gb", "count": 1}],
            "scheduling": {
                "onHostMaintenance": "TERMINATE",
                "provisioningModel": "SPOT",
                "preemptible": True,
                "automaticRestart": False,
            },
            **changes,
        }
    )
