"""The examples of the pages gcp-*.md: `#: PAGE N` begins each, see docs/generate.py."""

#: README
from dataclasses import replace
from pathlib import Path

import pulumi
import pulumi_gcp as google

from components import gcp
from components.guest_configuration import workload
from components.release import Authority, ReleasePolicy, Tee
from components.spec import RegionSpec
from components.tags import Tags

STACKS = Path(gcp.__file__).parents[2] / "stacks"

provider = google.Provider("gcp", project="bailiwick-emulated", region="europe-west3", universe_domain="googleapis.com")
within = pulumi.ResourceOptions(providers=[provider])
tags = Tags(jurisdiction="DE", data_class="internal", owner="platform@example.org", stack="docs")
place = gcp.Placement(stack="docs", project_id="bailiwick-emulated", location="europe-west3", tags=tags)

#: gcp-sovereign-network 37
network = gcp.SovereignNetwork(
    "network",
    gcp.SovereignNetworkArgs(
        placement=place, address_space="10.40.0.0/16", domain="docs.example.internal", clusters=["serving"]
    ),
    opts=within,
)

#: gcp-residency-guard 8
guard = gcp.ResidencyGuard("guard", gcp.ResidencyGuardArgs(placement=place), opts=within)

#: gcp-audit-log 5
audit = gcp.AuditLog(
    "audit",
    gcp.AuditLogArgs(placement=place, retention_days=365, destroyable=True),  # destroyable: for an emulated region only
    opts=within,
)

#: gcp-model-store 1
models = gcp.ModelStore("models", gcp.ModelStoreArgs(placement=place), opts=within)

#: gcp-key-vault 5
vault = gcp.KeyVault(
    "keys",
    gcp.KeyVaultArgs(
        placement=place,
        service="cloud-hsm",  # customers share its HSMs: enough for internal data, not for confidential (KEY-02)
        soft_delete_days=30,
        rotation_days=90,
        model_keys=["llm"],
        disk_agents={
            "compute": "serviceAccount:service-100000000001@compute-system.iam.gserviceaccount.com",
            "container": "serviceAccount:service-100000000001@container-engine-robot.iam.gserviceaccount.com",
        },
        destroyable_keys=True,  # for an emulated region only
    ),
    opts=within,
)

#: gcp-key-vault 5 keys outside the cloud
germany = RegionSpec.from_stack_file(STACKS / "Pulumi.gcp-germany.yaml")
outside = gcp.KeyVault(
    "outside",
    gcp.KeyVaultArgs(
        placement=replace(place, stack="outside"),
        service="cloud-ekm",
        soft_delete_days=30,
        rotation_days=90,
        model_keys=["llm"],
        disk_agents={"compute": "serviceAccount:service-100000000001@compute-system.iam.gserviceaccount.com"},
        external_manager=germany.keys.external_manager,  # as bailiwick:keys.externalManager says it
        destroyable_keys=True,  # for an emulated region only
    ),
    opts=within,
)

#: gcp-workload-identity 2
identity = gcp.WorkloadIdentity(
    "identity",
    gcp.WorkloadIdentityArgs(
        placement=place,
        role="inference",
        grants=[gcp.Grant("unwrap-llm", vault.unwrap_role_id, key_id=vault.model_key_ids["llm"])],
    ),
    opts=within,
)

#: gcp-collateral-cache 2
collateral = gcp.CollateralCache(
    "collateral",
    gcp.CollateralCacheArgs(placement=place, readers={"verifier": identity.principal_id}, publishers={}),
    opts=within,
)

#: gcp-attestation-verifier 7
verifier = gcp.AttestationVerifier(
    "verifier",
    gcp.AttestationVerifierArgs(
        placement=place,
        replicas=1,
        size="n2d-standard-2",
        tee="snp",
        zones=["europe-west3-a"],
        image_name="verifier",
        image_version="1.0.0",
        guest_configuration={"version": 1, "role": "verifier"},  # components.guest_configuration writes it
        network_id=network.id,
        subnet_id=network.subnet_ids["verifier"],
        frontend_address=network.address("verifier", 0),
        domain="docs.example.internal",
        domain_zone=network.domain_zone,
        disk_key_id=vault.disk_key_id,
        identity_id=identity.id,
    ),
    opts=pulumi.ResourceOptions(providers=[provider], depends_on=[network, vault]),
)

#: gcp-confidential-vm 1
machine = gcp.ConfidentialVm(
    "inference",
    gcp.ConfidentialVmArgs(
        placement=place,
        role="inference",
        size="n2d-standard-4",
        tee="snp",
        zone="europe-west3-a",
        image_name="inference-guest",
        image_version="1.0.0",
        guest_configuration=workload(
            verifier_url=verifier.url, model="llm", account=models.account_name, container="models"
        ),
        subnet_id=network.subnet_ids["workload"],
        disk_key_id=vault.disk_key_id,
        identity_id=identity.id,
    ),
    opts=pulumi.ResourceOptions(providers=[provider], depends_on=[network, vault]),
)

#: gcp-confidential-vm-group 2
machines = gcp.ConfidentialVmGroup(
    "batch",
    gcp.ConfidentialVmGroupArgs(
        placement=place,
        role="batch",
        size="n2d-standard-4",
        tee="snp",
        count=2,
        image_name="inference-guest",
        image_version="1.0.0",
        guest_configuration=workload(
            verifier_url=verifier.url, model="llm", account=models.account_name, container="models"
        ),
        subnet_id=network.subnet_ids["workload"],
        disk_key_id=vault.disk_key_id,
        identity_id=identity.id,
    ),
    opts=pulumi.ResourceOptions(providers=[provider], depends_on=[network, vault]),
)

#: gcp-confidential-cluster 2
cluster = gcp.ConfidentialCluster(
    "serving",
    gcp.ConfidentialClusterArgs(
        placement=place,
        role="serving",
        size="n2d-standard-4",
        tee="snp",
        nodes=1,
        network_id=network.id,
        subnet_id=network.cluster_subnet_ids["serving"],
        admin_range="10.40.0.0/16",
        key_id=vault.disk_key_id,
        identity_id=identity.id,
        destroyable=True,  # for an emulated region only
    ),
    opts=pulumi.ResourceOptions(providers=[provider], depends_on=[network, vault]),
)

#: gcp-attested-release 3
released = gcp.AttestedRelease(
    "released",
    gcp.AttestedReleaseArgs(
        placement=place,
        role="inference",
        key_id=vault.model_key_ids["llm"],
        policy=ReleasePolicy(
            jurisdiction="DE",
            data_class="internal",
            tees=(Tee.TDX,),
            image_digests=(f"sha256:{'0' * 63}1",),
            authorities=(Authority(uri="https://confidentialcomputing.googleapis.com", jurisdiction="DE"),),
        ),
        service_accounts=["inference@bailiwick-emulated.iam.gserviceaccount.com"],
    ),
    opts=within,
)

#: gcp-sovereign-region alone
region = gcp.SovereignRegion(
    "docs-region",
    gcp.SovereignRegionArgs(
        spec=RegionSpec.from_stack_file(STACKS / "Pulumi.gcp-germany.yaml"),
        reference_values=STACKS / "reference-values",
    ),
    opts=within,
)
