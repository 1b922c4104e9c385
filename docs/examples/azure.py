"""The examples of the pages azure-*.md: `#: PAGE N` begins each, see docs/generate.py."""

#: README
from pathlib import Path

import pulumi
import pulumi_azure_native as azure_native
from pulumi_azure_native import resources

from components import azure
from components.release import Authority, MinimumTcb, ReleasePolicy, Tee
from components.spec import RegionSpec
from components.tags import Tags

STACKS = Path(azure.__file__).parents[2] / "stacks"

pulumi.runtime.register_stack_transformation(azure.drop_version_aliases)
ZERO = "00000000-0000-0000-0000-000000000000"  # the emulated subscription
provider = azure_native.Provider(
    "azure", subscription_id=ZERO, tenant_id=ZERO, location="germanywestcentral", environment="public"
)
within = pulumi.ResourceOptions(providers=[provider])
own = pulumi.ResourceOptions(provider=provider)
tags = Tags(jurisdiction="DE", data_class="confidential", owner="platform@example.org", stack="docs")
group = resources.ResourceGroup(
    "group", resource_group_name="docs", location="germanywestcentral", tags=tags.as_mapping(), opts=own
)
place = azure.Placement(
    stack="docs",
    subscription_id=ZERO,
    tenant_id=ZERO,
    location="germanywestcentral",
    resource_group_name=group.name,
    tags=tags,
)

#: azure-sovereign-network 24
network = azure.SovereignNetwork(
    "network",
    azure.SovereignNetworkArgs(
        placement=place,
        address_space="10.40.0.0/16",
        domain="docs.example.internal",
        services=("key-vault", "managed-hsm", "blob", "attestation", "container-registry"),
        clusters=["serving"],
    ),
    opts=within,
)

#: azure-residency-guard 2
guard = azure.ResidencyGuard(
    "guard",
    azure.ResidencyGuardArgs(placement=place, sizes=["Standard_DC2as_v5", "Standard_DC4as_v5"]),
    opts=within,
)

#: azure-audit-log 4
audit = azure.AuditLog(
    "audit",
    azure.AuditLogArgs(
        placement=place, retention_days=365, subnet_id=network.subnet_ids["endpoints"], zone_ids=network.zone_ids
    ),
    opts=within,
)

#: azure-model-store 4
models = azure.ModelStore(
    "models",
    azure.ModelStoreArgs(placement=place, subnet_id=network.subnet_ids["endpoints"], zone_ids=network.zone_ids),
    opts=within,
)

#: azure-key-vault 10
release = ReleasePolicy(
    jurisdiction="DE",
    data_class="confidential",
    tees=(Tee.SNP,),
    launch_measurements=("aa" * 48,),
    minimum_tcb=MinimumTcb(bootloader=4, tee=0, snp=22, microcode=213),
    authorities=(Authority(uri="https://verifier.docs.example", jurisdiction="DE"),),
)
vault = azure.KeyVault(
    "keys",
    azure.KeyVaultArgs(
        placement=place,
        service="key-vault-premium",
        soft_delete_days=90,
        rotation_days=90,
        model_keys=["llm"],
        disk_keys={"guest": release},
        service_keys=("cluster-disks", "cluster-secrets"),
        subnet_id=network.subnet_ids["endpoints"],
        zone_ids=network.zone_ids,
        audit_account_id=audit.account_id,
        workspace_id=audit.workspace_id,
        destroyable_keys=True,  # for an emulated region only
    ),
    opts=within,
)

#: azure-disk-encryption 3
disks = azure.ConfidentialDiskEncryption(
    "disks",
    azure.ConfidentialDiskEncryptionArgs(placement=place, label="guest", key=vault.disk_keys["guest"]),
    opts=within,
)

#: azure-workload-identity 2
identity = azure.WorkloadIdentity(
    "identity",
    azure.WorkloadIdentityArgs(placement=place, role="inference", grants=list(vault.unwrap_grants.values())),
    opts=within,
)

#: azure-collateral-cache 5
collateral = azure.CollateralCache(
    "collateral",
    azure.CollateralCacheArgs(
        placement=place,
        subnet_id=network.subnet_ids["endpoints"],
        zone_ids=network.zone_ids,
        readers={"verifier": identity.principal_id},
    ),
    opts=within,
)

#: azure-attestation-verifier 7
verifier = azure.AttestationVerifier(
    "verifier",
    azure.AttestationVerifierArgs(
        placement=place,
        replicas=1,
        size="Standard_DC2as_v5",
        tee="snp",
        zones=["1", "2", "3"],
        image_name="verifier",
        image_version="1.0.0",
        guest_configuration={"version": 1, "role": "verifier"},  # components.guest_configuration writes it
        subnet_id=network.subnet_ids["verifier"],
        frontend_address="10.40.1.4",
        endpoint_subnet_id=network.subnet_ids["endpoints"],
        domain="docs.example.internal",
        zone_ids=network.zone_ids,
        disk_encryption_set_id=disks.id,
        identity_id=identity.id,
    ),
    opts=within,
)

#: azure-confidential-vm 2
machine = azure.ConfidentialVm(
    "inference",
    azure.ConfidentialVmArgs(
        placement=place,
        role="inference",
        size="Standard_DC4as_v5",
        tee="snp",
        zone="1",
        image_name="inference-guest",
        image_version="1.0.0",
        guest_configuration={"version": 1, "role": "workload"},
        subnet_id=network.subnet_ids["workload"],
        disk_encryption_set_id=disks.id,
        identity_id=identity.id,
    ),
    opts=within,
)

#: azure-confidential-vm-group 1
machines = azure.ConfidentialVmGroup(
    "batch",
    azure.ConfidentialVmGroupArgs(
        placement=place,
        role="batch",
        size="Standard_DC4as_v5",
        tee="snp",
        count=2,
        zones=["1", "2"],
        image_name="inference-guest",
        image_version="1.0.0",
        guest_configuration={"version": 1, "role": "workload"},
        subnet_id=network.subnet_ids["workload"],
        identity_id=identity.id,
        host_readable_os_disk=True,  # Azure has no scale set whose OS disks the host cannot read
    ),
    opts=within,
)

#: azure-cluster-services 8
services = azure.ClusterServices(
    "clusters",
    azure.ClusterServicesArgs(
        placement=place,
        disk_key=vault.service_keys["cluster-disks"],
        subnet_id=network.subnet_ids["endpoints"],
        zone_ids=network.zone_ids,
    ),
    opts=within,
)

#: azure-confidential-cluster 2
cluster = azure.ConfidentialCluster(
    "serving",
    azure.ConfidentialClusterArgs(
        placement=place,
        role="serving",
        size="Standard_DC4as_v5",
        tee="snp",
        nodes=3,
        subnet_id=network.cluster_subnet_ids["serving"],
        control_plane_subnet_id=network.control_plane_subnet_id,
        identity_id=identity.id,
        node_identity=azure.NodeIdentity(
            id=services.nodes.id, client_id=services.nodes.client_id, principal_id=services.nodes.principal_id
        ),
        registry_id=services.registry_id,
        disk_encryption_set_id=services.disk_encryption_set_id,
        secrets_key_url=vault.service_keys["cluster-secrets"].url,
        vault_id=vault.id,
        admin_group_ids=["00000000-0000-0000-0000-000000000ad1"],
    ),
    opts=within,
)

#: azure-managed-hsm 10
hsm = azure.ManagedHsm(
    "hsm",
    azure.ManagedHsmArgs(
        placement=place,
        administrators=["00000000-0000-0000-0000-000000000b1e"],
        soft_delete_days=90,
        rotation_days=60,
        model_keys=["llm"],
        disk_keys={"guest": release},
        subnet_id=network.subnet_ids["endpoints"],
        zone_ids=network.zone_ids,
        audit_account_id=audit.account_id,
        workspace_id=audit.workspace_id,
        destroyable_keys=True,  # for an emulated region only
    ),
    opts=within,
)

#: azure-sovereign-region alone
region = azure.SovereignRegion(
    "docs-region",
    azure.SovereignRegionArgs(
        spec=RegionSpec.from_stack_file(STACKS / "Pulumi.azure-germany.yaml"),
        reference_values=STACKS / "reference-values",
    ),
    opts=within,
)
