"""What Cloud KMS refuses, the emulated one refuses, in Google's wording: keys, keys outside, and who may use them."""

import pytest

from sandbox.provider import Properties
from sandbox.values import Value
from tests.sandbox.clouds.gcp_mistakes import Act, Mistake, bucket, make
from tests.sandbox.clouds.project import (
    EKM_CONNECTION,
    KEY,
    NETWORK,
    PROJECT,
    REGION,
    RING,
    SUBNET,
    Bench,
    agent_grant,
    ekm_connection,
    external_key,
    key,
    machine,
    urn,
)


def member(member_: str, role: str = "roles/cloudkms.cryptoKeyDecrypter") -> Act:
    return make("kms:CryptoKeyIAMMember", {"cryptoKeyId": KEY, "member": member_, "role": role})


RESOLVERS: list[Properties] = ekm_connection()["serviceResolvers"]


def outside(connection: Properties, **changes: Value) -> Act:
    """A key with `changes` in an external manager, behind a connection with those of `connection`."""

    def act(bench: Bench) -> None:
        bench.create("kms:EkmConnection", "outside", ekm_connection(**connection))
        bench.create("kms:CryptoKey", "mistake", external_key("k", **changes))

    return act


def connection_again(bench: Bench) -> None:
    """Google deletes no connection, whatever leaves a program."""
    bench.delete("kms:EkmConnection", bench.create("kms:EkmConnection", "one", ekm_connection()))
    bench.create("kms:EkmConnection", "two", ekm_connection())


def ring_again(bench: Bench) -> None:
    """A destroyed key ring is still there."""
    inputs = {"name": "old", "location": REGION}
    bench.delete("kms:KeyRing", bench.create("kms:KeyRing", "one", inputs))
    bench.create("kms:KeyRing", "two", inputs)


def use_destroyed_key(bench: Bench) -> None:
    bench.cloud.delete(urn("kms:CryptoKey", "os-disk"), KEY, {})
    bench.create("compute:Instance", "mistake", machine())


def without_agent(kind: str, inputs: Properties) -> Act:
    """The resource, where nobody has let Google's service agent use the key."""

    def act(bench: Bench) -> None:
        grant = agent_grant("compute-system")
        bench.cloud.delete(urn("kms:CryptoKeyIAMMember", "g"), f"{KEY}/{grant['role']}/{grant['member']}", {})
        bench.create(kind, "mistake", inputs)

    return act


MISTAKES = [
    Mistake("key ring destroyed and made again", ring_again, ("googleapi: Error 409:", "already exists")),
    Mistake("destroyed key", use_destroyed_key, ("has no enabled primary version: DESTROY_SCHEDULED",)),
    Mistake("agent may not use the machine's key", without_agent("compute:Instance", machine()),
            ("googleapi: Error 403: Cloud KMS error when using key", f"useToEncrypt' denied on resource '{KEY}'",
             "service-100000000001@compute-system.iam.gserviceaccount.com")),
    Mistake("agent may not use the bucket's key", without_agent("storage:Bucket", bucket(encryption={
            "defaultKmsKeyName": KEY})), ("service-100000000001@gs-project-accounts.iam.gserviceaccount.com",)),
    Mistake("agent may not use the cluster's key", without_agent("container:Cluster", {"name": "c", "location": REGION,
            "network": NETWORK, "subnetwork": SUBNET, "initialNodeCount": 1, "databaseEncryption": {
            "state": "ENCRYPTED", "keyName": KEY}}), ("@container-engine-robot.iam.gserviceaccount.com",)),
    Mistake("key's algorithm", make("kms:CryptoKey", key("k", purpose="ASYMMETRIC_SIGN", rotationPeriod=None)),
            ("The algorithm is incompatible with purpose ASYMMETRIC_SIGN",)),
    Mistake("protection level", make("kms:CryptoKey", key("k", versionTemplate__protectionLevel="FIPS")),
            ('to be one of ["SOFTWARE" "HSM"', "got FIPS")),
    Mistake("rotation too often", make("kms:CryptoKey", key("k", rotationPeriod="3600s")), ("at least one day",)),
    Mistake("ring missing", make("kms:CryptoKey", key("k", keyRing=RING + "2")), ("Error 404", "was not found")),
    Mistake("EKM without connection", make("kms:CryptoKey", key("k", versionTemplate={"algorithm":
            "EXTERNAL_SYMMETRIC_ENCRYPTION", "protectionLevel": "EXTERNAL_VPC"})), ("needs an EKM connection",)),
    Mistake("EKM not there", make("kms:CryptoKey", external_key("k")), ("Error 404", "outside' was not found")),
    Mistake("EKM elsewhere", outside({"location": "europe-west4"}, cryptoKeyBackend=EKM_CONNECTION.replace(
            REGION, "europe-west4")), ("'resource.cryptoKeyBackend'", "not in the key's location europe-west3")),
    Mistake("HSM key through EKM", outside({}, versionTemplate={"algorithm": "GOOGLE_SYMMETRIC_ENCRYPTION",
            "protectionLevel": "HSM"}), ("Keys with protection level HSM have no EKM connection",)),
    Mistake("EKM key of Google's algorithm", outside({}, versionTemplate__algorithm="GOOGLE_SYMMETRIC_ENCRYPTION"),
            ("'GOOGLE_SYMMETRIC_ENCRYPTION'. Keys with protection level EXTERNAL_VPC",)),
    Mistake("EKM key for MACs", outside({}, purpose="MAC", rotationPeriod=None, versionTemplate__algorithm=
            "HMAC_SHA256"), ("Keys with protection level EXTERNAL_VPC and purpose MAC do not support it",)),
    Mistake("external algorithm in the HSM", make("kms:CryptoKey", key("k", versionTemplate__algorithm=
            "EXTERNAL_SYMMETRIC_ENCRYPTION")), ("It is for keys outside, not for level HSM",)),
    Mistake("manual EKM rotates nothing", outside({"keyManagementMode": "MANUAL"}), ("Automatic rotation is not",)),
    Mistake("manual EKM makes no version", outside({"keyManagementMode": "MANUAL"}, rotationPeriod=None),
            ("create the key with skipInitialVersionCreation",)),
    Mistake("EKM without a crypto space", make("kms:EkmConnection", ekm_connection(cryptoSpacePath=None)),
            ("It is required if keyManagementMode is CLOUD_KMS",)),
    Mistake("EKM mode", make("kms:EkmConnection", ekm_connection(keyManagementMode="BOTH")), ("got BOTH",)),
    Mistake("two EKM replicas", make("kms:EkmConnection", ekm_connection(serviceResolvers=2 * RESOLVERS)),
            ("exactly one ServiceResolver",)),
    Mistake("EKM by address", make("kms:EkmConnection", ekm_connection(serviceResolvers=[
            RESOLVERS[0] | {"serviceDirectoryService": "10.0.0.9"}])), ("'10.0.0.9'. Must be a match of",)),
    Mistake("EKM without certificate", make("kms:EkmConnection", ekm_connection(serviceResolvers=[
            RESOLVERS[0] | {"serverCertificates": []}])), ("'0'. 1 to 10 are supported",)),
    Mistake("EKM certificate", make("kms:EkmConnection", ekm_connection(serviceResolvers=[
            RESOLVERS[0] | {"serverCertificates": [{"rawDer": "AAAA"}]}])), ("not a DER-encoded X.509",)),
    Mistake("EKM connection made again", connection_again, ("googleapi: Error 409:", "already exists")),
    Mistake("member without type", member("guest@example.org"), ("is of an unknown type. Please set a valid type",)),
    Mistake("account does not exist", member(f"serviceAccount:no@{PROJECT}.iam.gserviceaccount.com"),
            ("Service account no@", "does not exist")),
    Mistake("pool does not exist", member("principalSet://iam.googleapis.com/projects/100000000001/locations/global"
            "/workloadIdentityPools/nothing/attribute.image_digest/a"), ("Identity Pool does not exist",)),
    Mistake("role", member("user:a@example.org", "decrypter"), ("Role decrypter is not supported",)),
]  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_refused_in_googles_wording(google: Bench, mistake: Mistake) -> None:
    mistake.is_refused(google)
