"""The examples of the pages aws-*.md: `#: PAGE N` begins each, see docs/generate.py."""

#: README
from dataclasses import replace
from pathlib import Path

import pulumi
import pulumi_aws as amazon

from components import aws
from components.guest_configuration import workload
from components.release import Authority, MinimumTcb, ReleasePolicy, Tee
from components.spec import ExternalManagerSpec, RegionSpec
from components.tags import Tags

STACKS = Path(aws.__file__).parents[2] / "stacks"

provider = amazon.Provider("aws", region="eu-west-1", allowed_account_ids=["000000000000"], sts_region="eu-west-1")
within = pulumi.ResourceOptions(providers=[provider])
tags = Tags(jurisdiction="EU", data_class="internal", owner="platform@example.org", stack="docs")
place = aws.Placement(stack="docs", account_id="000000000000", location="eu-west-1", tags=tags)

#: aws-sovereign-network 44
network = aws.SovereignNetwork(
    "network",
    aws.SovereignNetworkArgs(
        placement=place, address_space="10.40.0.0/16", domain="docs.example.internal", clusters=["serving"]
    ),
    opts=within,
)

#: aws-residency-guard 4
guard = aws.ResidencyGuard("guard", aws.ResidencyGuardArgs(placement=place), opts=within)

#: aws-workload-identity 2
identity = aws.WorkloadIdentity("identity", aws.WorkloadIdentityArgs(placement=place, role="verifier"), opts=within)

#: aws-key-vault 6
release = ReleasePolicy(
    jurisdiction="EU",
    data_class="internal",
    tees=(Tee.SNP,),
    launch_measurements=("aa" * 48,),
    minimum_tcb=MinimumTcb(bootloader=4, tee=0, snp=22, microcode=213),
    authorities=(Authority(uri="https://verifier.docs.example", jurisdiction="EU"),),
)
vault = aws.KeyVault(
    "keys",
    aws.KeyVaultArgs(
        placement=place,
        service="kms",  # customers share its HSMs: enough for internal data, not for confidential (KEY-02)
        soft_delete_days=30,
        rotation_days=90,
        model_keys={"llm": release},
        verifier_role_arn=identity.principal_id,
        network_id=network.id,
        destroyable_keys=True,  # for an emulated region only
    ),
    opts=within,
)

#: aws-key-vault 7 keys outside the cloud
operator = pulumi.Config("bailiwick-aws")
outside = aws.KeyVault(
    "outside",
    aws.KeyVaultArgs(
        placement=replace(place, stack="outside"),
        service="kms-external-key-store",
        soft_delete_days=30,
        rotation_days=90,
        model_keys={"llm": release},
        verifier_role_arn=identity.principal_id,
        network_id=network.id,
        external_manager=ExternalManagerSpec(
            operator="Example Trustee",
            jurisdiction="IE",
            legal_reach=("IE",),
            host="keys.trustee.example",
            connection="com.amazonaws.vpce.eu-west-1.vpce-svc-0123456789abcdef0",
            path="/bailiwick/kms/xks/v1",
            keys={"os-disk": "disks", "store": "store", "model-llm": "llm"},
        ),
        external_credential=aws.XksCredential(
            operator.require_secret("xksAccessKeyId"), operator.require_secret("xksSecretAccessKey")
        ),
        destroyable_keys=True,  # for an emulated region only
    ),
    opts=within,
)

#: aws-audit-log 9
audit = aws.AuditLog(
    "audit",
    aws.AuditLogArgs(
        placement=place,
        retention_days=365,
        key_id=vault.store_key_id,
        destroyable=True,  # for an emulated region only
    ),
    opts=within,
)

#: aws-model-store 6
models = aws.ModelStore("models", aws.ModelStoreArgs(placement=place, key_id=vault.store_key_id), opts=within)

#: aws-collateral-cache 7
collateral = aws.CollateralCache(
    "collateral",
    aws.CollateralCacheArgs(
        placement=place, key_id=vault.store_key_id, readers={"verifier": identity.role_name}, publishers={}
    ),
    opts=within,
)

#: aws-attestation-verifier 6
verifier = aws.AttestationVerifier(
    "verifier",
    aws.AttestationVerifierArgs(
        placement=place,
        replicas=1,
        size="m6a.large",
        tee="snp",
        image_name="verifier",
        image_version="1.0.0",
        guest_configuration={"version": 1, "role": "verifier"},  # components.guest_configuration writes it
        network_id=network.id,
        subnet_ids=network.subnet_ids["verifier"],
        group_id=network.group_ids["verifier"],
        domain="docs.example.internal",
        domain_zone=network.domain_zone,
        disk_key_id=vault.disk_key_id,
        identity_id=identity.id,
    ),
    opts=pulumi.ResourceOptions(providers=[provider], depends_on=[network, vault]),
)

#: aws-confidential-vm 1
machine = aws.ConfidentialVm(
    "inference",
    aws.ConfidentialVmArgs(
        placement=place,
        role="inference",
        size="m6a.large",
        tee="snp",
        zone="eu-west-1a",
        image_name="inference-guest",
        image_version="1.0.0",
        guest_configuration=workload(
            verifier_url=verifier.url, model="llm", account=models.account_name, container="models"
        ),
        subnet_id=network.subnet_ids["workload"]["eu-west-1a"],
        group_id=network.group_ids["workload"],
        disk_key_id=vault.disk_key_id,
    ),
    opts=pulumi.ResourceOptions(providers=[provider], depends_on=[network, vault]),
)

#: aws-confidential-vm-group 2
machines = aws.ConfidentialVmGroup(
    "batch",
    aws.ConfidentialVmGroupArgs(
        placement=place,
        role="batch",
        size="m6a.large",
        tee="snp",
        count=2,
        image_name="inference-guest",
        image_version="1.0.0",
        guest_configuration=workload(
            verifier_url=verifier.url, model="llm", account=models.account_name, container="models"
        ),
        subnet_ids=network.subnet_ids["workload"],
        group_id=network.group_ids["workload"],
        disk_key_id=vault.disk_key_id,
    ),
    opts=pulumi.ResourceOptions(providers=[provider], depends_on=[network, vault]),
)

#: aws-confidential-cluster 9
cluster = aws.ConfidentialCluster(
    "serving",
    aws.ConfidentialClusterArgs(
        placement=place,
        role="serving",
        size="m6a.large",
        tee="snp",
        nodes=1,
        release="1.35.7-20260903",
        subnet_ids=network.cluster_subnet_ids["serving"],
        group_id=network.group_ids["serving"],
        disk_key_id=vault.disk_key_id,
        secrets_key_id=vault.store_key_id,
    ),
    opts=pulumi.ResourceOptions(providers=[provider], depends_on=[network, vault]),
)

#: aws-sovereign-region alone
region = aws.SovereignRegion(
    "docs-region",
    aws.SovereignRegionArgs(
        spec=RegionSpec.from_stack_file(STACKS / "Pulumi.aws-ireland.yaml"),
        reference_values=STACKS / "reference-values",
    ),
    opts=within,
)
