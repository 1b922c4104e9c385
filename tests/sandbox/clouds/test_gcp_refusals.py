"""What Google Cloud refuses, the emulated one refuses, in Google's wording."""

import pytest

from sandbox.provider import Properties, ProviderError
from sandbox.values import Value
from tests.sandbox.clouds.gcp_mistakes import Act, Mistake, bucket, make
from tests.sandbox.clouds.project import (
    KEY,
    NETWORK,
    PROJECT,
    REGION,
    SUBNET,
    ZONE,
    Bench,
    changed,
    key,
    machine,
    spot_h100,
    subnet,
    template,
    urn,
)

NEXT_PROJECT = "somebody-elses"


def vm(**changes: Value) -> Act:
    return make("compute:Instance", machine(**changes))


def provider(**changes: Value) -> Act:
    inputs = {
        "workloadIdentityPoolId": "guests",
        "workloadIdentityPoolProviderId": "attestation",
        "attributeMapping": {"google.subject": "assertion.sub"},
        "oidc": {"issuerUri": "https://issuer.example.org"},
    }

    def act(bench: Bench) -> None:
        bench.create("iam:WorkloadIdentityPool", "pool", {"workloadIdentityPoolId": "guests"})
        bench.create("iam:WorkloadIdentityPoolProvider", "mistake", changed(inputs, changes))

    return act


def policy(constraint: str, **rule: Value) -> Act:
    parent = f"projects/{PROJECT}"
    name = f"{parent}/policies/{constraint}"
    return make("orgpolicy:Policy", {"parent": parent, "name": name, "spec": {"rules": [rule]}})


def gpu(**changes: Value) -> Act:
    def act(bench: Bench) -> None:
        bench.create("compute:Subnetwork", "gpu", subnet("gpu", "10.20.9.0/24", region="europe-west4"))
        bench.create("compute:Instance", "mistake", spot_h100(**changes))

    return act


def pool_again(bench: Bench) -> None:
    inputs = {"workloadIdentityPoolId": "guests"}
    bench.delete("iam:WorkloadIdentityPool", bench.create("iam:WorkloadIdentityPool", "one", inputs))
    bench.create("iam:WorkloadIdentityPool", "two", inputs)


def shorten_locked(bench: Bench) -> None:
    locked = bucket(retentionPolicy={"retentionPeriod": "31536000", "isLocked": True})
    shorter = bucket(retentionPolicy={"retentionPeriod": "86400", "isLocked": True})
    bench.update("storage:Bucket", "audit", locked, shorter)


def locked_log(bench: Bench) -> None:
    inputs = {"project": PROJECT, "location": REGION, "bucketId": "audit", "retentionDays": 365, "locked": True}
    bench.delete("logging:ProjectBucketConfig", bench.create("logging:ProjectBucketConfig", "log", inputs))


def public_member(bench: Bench) -> None:
    bench.create("storage:Bucket", "audit", bucket(publicAccessPrevention="enforced"))
    grant = {"bucket": "audit-bucket", "role": "roles/storage.objectViewer", "member": "allUsers"}
    bench.create("storage:BucketIAMMember", "mistake", grant)


def resize_running(bench: Bench) -> None:
    bench.update("compute:Instance", "vm", machine(), machine(machineType="n2d-standard-8"))


def too_many(bench: Bench) -> None:
    for number in range(3):
        bench.create("compute:Instance", f"vm{number}", machine(name=f"vm{number}", machineType="n2d-standard-96"))


def delete_network(bench: Bench) -> None:
    bench.cloud.delete(urn("compute:Network", "net"), NETWORK, {})


def delete_protected_cluster(bench: Bench) -> None:
    inputs = {"name": "c", "location": REGION, "initialNodeCount": 1, "network": NETWORK, "subnetwork": SUBNET}
    bench.delete("container:Cluster", bench.create("container:Cluster", "c", inputs))


def nodes(location: str = REGION, **config: Value) -> Act:
    inputs = {"name": "c", "location": location, "initialNodeCount": 1, "network": NETWORK, "subnetwork": SUBNET}
    return make("container:Cluster", {**inputs, "nodeConfig": config})


def record(name: str, zone_dns: str = "test.internal.") -> Act:
    def act(bench: Bench) -> None:
        visible = {"networks": [{"networkUrl": NETWORK}]}
        zone = {"name": "z", "dnsName": zone_dns, "visibility": "private", "privateVisibilityConfig": visible}
        bench.create("dns:ManagedZone", "zone", zone)
        record_ = {"managedZone": "z", "name": name, "type": "A", "ttl": 300, "rrdatas": ["10.20.1.9"]}
        bench.create("dns:RecordSet", "mistake", record_)

    return act


def firewall(**more: Value) -> Act:
    return make("compute:Firewall", {"name": "rule", "network": NETWORK, **more})


def forwarding(name: str, scheme: str | None) -> Act:
    inputs = {"name": name, "target": "all-apis", "network": NETWORK, "loadBalancingScheme": scheme}
    return make("compute:GlobalForwardingRule", inputs)


MISTAKES = [
    Mistake("another project", make("compute:Network", {"name": "n", "project": NEXT_PROJECT}),
            ("googleapi: Error 403: Permission denied on resource project somebody-elses", "forbidden")),
    Mistake("name", make("compute:Network", {"name": "Net_1"}),
            ("googleapi: Error 400: Invalid value for field 'resource.name': 'Net_1'.", "Must be a match of regex")),
    Mistake("same name twice", make("compute:Network", {"name": "net"}),
            (f"googleapi: Error 409: The resource '{NETWORK}' already exists, alreadyExists",)),
    Mistake("region unknown", make("compute:Subnetwork", subnet("s", "10.20.2.0/24", region="europe-west33")),
            ("Invalid value for field 'region': 'europe-west33'. Unknown region., invalid",)),
    Mistake("zone unknown", vm(zone="europe-west3-z"), ("'zone': 'europe-west3-z'. Unknown zone., invalid",)),
    Mistake("no region", make("compute:Subnetwork", {"name": "s", "network": NETWORK, "ipCidrRange": "10.20.2.0/24"}),
            ("Cannot determine region: set in this resource, or set provider-level 'region' or 'zone'.",)),
    Mistake("network missing", make("compute:Subnetwork", subnet("s", "10.20.2.0/24", network="default")),
            ("Invalid value for field 'resource.network': 'default'.", "network resource cannot be found., invalid")),
    Mistake("ranges overlap", make("compute:Subnetwork", subnet("s", "10.20.1.128/25")),
            ("Invalid IPCidrRange: 10.20.1.128/25 conflicts with an existing subnetwork",)),
    Mistake("host bits", make("compute:Subnetwork", subnet("s", "10.20.2.1/24")), ("'10.20.2.1/24'. Must be a CIDR",)),
    Mistake("firewall both ways", firewall(allows=[{"protocol": "tcp"}], denies=[{"protocol": "all"}]),
            ("one of `allow,deny` must be specified",)),
    Mistake("firewall port", firewall(allows=[{"protocol": "tcp", "ports": ["99999"]}], sourceRanges=["10.0.0.0/8"]),
            ("'99999'. Must be a port",)),
    Mistake("egress with sources", firewall(direction="EGRESS", denies=[{"protocol": "all"}], sourceTags=["a"]),
            ("for INGRESS rules only",)),
    Mistake("ingress from nowhere", firewall(allows=[{"protocol": "tcp"}]),
            ("one of source_tags, source_ranges, or source_service_accounts",)),
    Mistake("endpoint name with a hyphen", forwarding("all-apis", ""), ("1 to 20 lowercase letters",)),
    Mistake("endpoint with a scheme", forwarding("allapis", None), ("'resource.loadBalancingScheme': 'EXTERNAL'",)),
    Mistake("global internal address", make("compute:GlobalAddress", {"name": "a", "addressType": "INTERNAL"}),
            ("A global internal address needs a purpose.",)),
    Mistake("endpoint address in a subnet", make("compute:GlobalAddress", {"name": "a", "addressType": "INTERNAL",
            "purpose": "PRIVATE_SERVICE_CONNECT", "network": NETWORK, "address": "10.20.1.7"}),
            ("overlaps with the range of subnetwork",)),
    Mistake("machine type unknown", vm(machineType="n2d-standard-5"),
            ("'resource.machineType'", "machineTypes/n2d-standard-5'. The referenced resource does not exist.")),
    Mistake("no such TEE", vm(confidentialInstanceConfig__confidentialInstanceType="SNP"),
            ('to be one of ["SEV" "SEV_SNP" "TDX"], got SNP',)),
    Mistake("TEE of another series", vm(confidentialInstanceConfig__confidentialInstanceType="TDX"),
            ("Confidential VM type TDX is not supported by machine type n2d-standard-4",)),
    Mistake("SNP on C3", vm(machineType="c3-standard-4"), ("SEV_SNP is not supported by machine type c3-standard-4",)),
    Mistake("zone without TDX", vm(zone="europe-west3-c", machineType="c3-standard-4", minCpuPlatform=None,
            confidentialInstanceConfig__confidentialInstanceType="TDX"),
            ("Zone 'europe-west3-c' does not support Confidential VM type TDX", "europe-west3-a, europe-west3-b")),
    Mistake("live migration", vm(scheduling__onHostMaintenance="MIGRATE"),
            ("'resource.scheduling.onHostMaintenance': 'MIGRATE'", "do not support live migration")),
    Mistake("live migration by default", vm(scheduling=None), ("onHostMaintenance must be TERMINATE",)),
    Mistake("CPU platform", vm(minCpuPlatform="AMD Rome"), ("need minimum CPU platform 'AMD Milan'",)),
    Mistake("CPU platform left out", vm(minCpuPlatform=None), ("'resource.minCpuPlatform': ''.",)),
    Mistake("SEV on C3", vm(machineType="c3-standard-4", minCpuPlatform=None, confidentialInstanceConfig={
            "enableConfidentialCompute": True}), ("Confidential VM type SEV is not supported by machine type c3",)),
    Mistake("H100 on demand", gpu(scheduling={"onHostMaintenance": "TERMINATE"}),
            ("a3-highgpu-1g is not available with provisioning model STANDARD", "SPOT, FLEX_START")),
    Mistake("H100 elsewhere", gpu(zone="europe-west4-a"), ("Zone 'europe-west4-a' does not support", "europe-west4-c")),
    Mistake("spot, not preemptible", gpu(scheduling__preemptible=None), ("scheduling.preemptible must be true",)),
    Mistake("spot that restarts", gpu(scheduling__automaticRestart=None), ("Automatic restart must be false",)),
    Mistake("flex start for ever", gpu(scheduling__provisioningModel="FLEX_START", scheduling__preemptible=None),
            ("A FLEX_START instance needs a maximum run duration.",)),
    Mistake("TDX without gVNIC", gpu(networkInterfaces=[{"subnetwork": f"projects/{PROJECT}/regions/europe-west4"
            "/subnetworks/gpu", "nicType": "VIRTIO_NET"}]), ("type TDX need GVNIC",)),
    Mistake("image missing", vm(bootDisk__initializeParams__image="missing-1-0-0"),
            ("Error resolving image name 'missing-1-0-0': Could not find image or family",)),
    Mistake("image not capable", vm(bootDisk__initializeParams__image="plain-1-0-0"), ("SEV_SNP_CAPABLE",)),
    Mistake("disk mode without Hyperdisk", vm(bootDisk__initializeParams__enableConfidentialCompute=True),
            ("Disk type 'pd-balanced' has no confidential mode",)),
    Mistake("disk mode without key", vm(bootDisk__kmsKeySelfLink=None, bootDisk__initializeParams={
            "image": "inference-guest-1-0-0", "type": "hyperdisk-balanced", "enableConfidentialCompute": True}),
            ("needs a Cloud KMS key",)),
    Mistake("no subnetwork", vm(zone="europe-west4-a", networkInterfaces=[{"network": NETWORK}]),
            ("Subnetwork should be specified for custom subnetmode network",)),
    Mistake("subnet of another region", vm(zone="europe-west4-a"),
            ("Cross region referencing is not allowed for this resource",)),
    Mistake("more machines than granted", too_many, ("googleapi: Error 403: Quota 'N2D_CPUS' exceeded.",
            "Limit: 200.0 in region europe-west3., quotaExceeded")),
    Mistake("account missing", vm(serviceAccount={"email": f"nobody@{PROJECT}.iam.gserviceaccount.com", "scopes": []}),
            (f"'nobody@{PROJECT}.iam.gserviceaccount.com' of type 'serviceAccount' was not found",)),
    Mistake("label", vm(labels={"Owner": "Me"}), ("Label key 'Owner' violates format constraints",)),
    Mistake("label value", vm(labels={"owner": "a@b"}), ("Label value 'a@b' violates format constraints",)),
    Mistake("metadata", vm(metadata={"user-data": "x" * 300_000}), ("Value has 300000 bytes",)),
    Mistake("resize a running machine", resize_running, ("set allow_stopping_for_update = true",)),
    Mistake("template's machine type", make("compute:RegionInstanceTemplate", template(region=REGION,
            machineType="e2-medium", minCpuPlatform=None)), ("SEV_SNP is not supported by machine type e2-medium",)),
    Mistake("utilization of a passthrough", make("compute:RegionBackendService", {"name": "b", "region": REGION,
            "backends": [{"group": f"projects/{PROJECT}/zones/{ZONE}/instanceGroups/none"}]}),
            ("'resource.backends[0].group'", "instancegroup resource cannot be found")),
    Mistake("network in use", delete_network, (f"'{NETWORK}' is already being used by '{SUBNET}'",
            "resourceInUseByAnotherResource")),
    Mistake("pool deleted and made again", pool_again, ("googleapi: Error 409: Requested entity already exists",)),
    Mistake("account id", make("serviceaccount:Account", {"accountId": "me"}), ("doesn't match regexp",)),
    Mistake("no subject", provider(attributeMapping=None), ("must contain google.subject",)),
    Mistake("condition", provider(attributeCondition="swname == 'X'"), ("reference one of the provider's claims",)),
    Mistake("issuer", provider(oidc={"issuerUri": "http://issuer.example.org"}), ("must be an https URI",)),
    Mistake("bucket location", make("storage:Bucket", bucket(location="GERMANY")), ("Location 'GERMANY'",)),
    Mistake("bucket name", make("storage:Bucket", bucket(name="Audit")), ("Invalid bucket name: 'Audit'",)),
    Mistake("bucket's key elsewhere", make("storage:Bucket", bucket(location="EU", encryption={"defaultKmsKeyName":
            KEY})), ("is in location 'europe-west3'; a resource in 'eu' needs",)),
    Mistake("locked retention shortened", shorten_locked, ("Cannot reduce retention duration of a locked Retention",)),
    Mistake("public bucket", public_member, ("googleapi: Error 412:", "public access prevention is enforced")),
    Mistake("locked log bucket", locked_log, ("is locked: it is deleted when its entries have expired",)),
    Mistake("sink to nowhere", make("logging:ProjectSink", {"name": "s", "destination": "storage.googleapis.com/no"}),
            ("of sink 's' does not exist",)),
    Mistake("record outside its zone", record("a.example.org."), ("not in zone 'test.internal.'",)),
    Mistake("zone without a dot", record("a.test.internal.", "test.internal"), ("it must end with a dot",)),
    Mistake("policy flag", policy("compute.requireShieldedVm", enforce="true"), ('["TRUE" "FALSE"], got true',)),
    Mistake("policy location", policy("gcp.resourceLocations", values={"allowedValues": ["in:mordor-locations"]}),
            ("Invalid value 'in:mordor-locations'",)),
    Mistake("enforced list", policy("gcp.resourceLocations", enforce="TRUE"), ("is a list constraint",)),
    Mistake("SEV nodes on C3", nodes(machineType="c3-standard-4", confidentialNodes={"enabled": True}),
            ("Confidential Nodes of type SEV are not supported on machine type 'c3-standard-4'",)),
    Mistake("TDX nodes in every zone", nodes(machineType="c3-standard-4", confidentialNodes={"enabled": True,
            "confidentialInstanceType": "TDX"}), ("not available in zone 'europe-west3-c'",)),
    Mistake("H100 nodes on demand", nodes("europe-west4-c", machineType="a3-highgpu-1g", confidentialNodes={
            "enabled": True, "confidentialInstanceType": "TDX"}), ("needs spot or flex_start nodes",)),
    Mistake("confidential cluster of ordinary nodes", make("container:Cluster", {"name": "c", "location": REGION,
            "initialNodeCount": 1, "confidentialNodes": {"enabled": True, "confidentialInstanceType": "SEV_SNP"}}),
            ("type SEV_SNP are not supported on machine type 'e2-medium'",)),
    Mistake("protected cluster", delete_protected_cluster, ("deletion_protection is set to true",)),
    Mistake("endpoint of another region", make("networkconnectivity:RegionalEndpoint", {"name": "e", "location": REGION,
            "accessType": "REGIONAL", "targetGoogleApi": "cloudkms.europe-west4.rep.googleapis.com"}),
            ("is not in location 'europe-west3'",)),
]  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_refused_in_googles_wording(google: Bench, mistake: Mistake) -> None:
    mistake.is_refused(google)


def test_the_region_without_a_mistake_is_accepted(google: Bench) -> None:
    google.region()
    google.create("compute:Instance", "vm", machine())
    google.create("compute:Subnetwork", "gpu", subnet("gpu", "10.20.9.0/24", region="europe-west4"))
    google.create("compute:Instance", "gpu", spot_h100(name="gpu"))


@pytest.mark.parametrize(
    ("kind", "inputs", "text"),
    [
        ("compute:Subnetwork", subnet("s", "10.20.1.0/25"), "Invalid IPCidrRange"),
        ("compute:Instance", machine(scheduling=None), "TERMINATE"),
        ("kms:CryptoKey", key("k", rotationPeriod="1s"), "rotation period"),
    ],
)
def test_a_preview_of_a_region_that_does_not_exist_yet_finds_it_too(
    google: Bench, kind: str, inputs: Properties, text: str
) -> None:
    google.region(preview=True)
    with pytest.raises(ProviderError, match=text):
        google.create(kind, "mistake", inputs, preview=True)


def test_inputs_that_the_sdk_does_not_have_are_refused_with_the_nearest_name(google: Bench) -> None:
    (reason,) = google.failures("compute:Network", "n", {"autoCreateSubnetwork": False})
    assert "'autoCreateSubnetwork' is not expected here. Did you mean 'autoCreateSubnetworks'?" in reason


def test_what_is_required_is_named(google: Bench) -> None:
    reasons = google.failures("compute:Instance", "vm", {"machineType": "n2d-standard-4"})
    assert 'Missing required argument. The argument "bootDisk" is required, but no definition was found.' in reasons


def test_a_type_that_is_not_emulated_says_how_to_add_it(google: Bench) -> None:
    (reason,) = google.failures("compute:VPNGateway", "v", {})
    assert "sandbox/clouds/gcp" in reason
    assert "TYPES" in reason


def test_a_real_project_is_refused(google: Bench) -> None:
    with pytest.raises(ProviderError, match="Permission denied on resource project real-project"):
        google.cloud.configure({"project": "real-project"})
