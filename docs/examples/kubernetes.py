"""The examples of the pages kubernetes-*.md: `#: PAGE N` begins each, see docs/generate.py."""

#: README
from pathlib import Path

import pulumi
import pulumi_kubernetes as k8s

from components import kubernetes
from components.kubernetes.placement import Segment
from components.kubernetes.site import Site
from components.spec import RegionSpec
from components.tags import Tags

STACKS = Path(kubernetes.__file__).parents[2] / "stacks"

provider = k8s.Provider("kubernetes", context="bailiwick-emulated")
within = pulumi.ResourceOptions(providers=[provider])
tags = Tags(jurisdiction="DE", data_class="confidential", owner="platform@example.org", stack="docs")
place = kubernetes.Placement(stack="docs", location="onprem-berlin", tags=tags)
site = Site.from_mapping(
    {
        "registry": "registry.example.org/bailiwick",
        "images": {"verifier-1.0.0": f"sha256:{'0' * 63}1", "inference-guest-1.0.0": f"sha256:{'0' * 63}2"},
        "hsm": {
            "module": "/usr/lib/pkcs11/libsite-hsm.so",
            "token": "bailiwick",
            "pinSecret": "hsm-pin",
            "endpoint": {"cidr": "10.60.250.10/32", "port": 1792},
        },
        "modelStore": {"account": "models", "endpoint": {"cidr": "10.60.251.0/24", "port": 443}},
        "collateralServer": f"registry.example.org/bailiwick/file-server@sha256:{'0' * 63}3",
    }
)

#: kubernetes-sovereign-network 11
network = kubernetes.SovereignNetwork(
    "network", kubernetes.SovereignNetworkArgs(placement=place, address_space="10.60.0.0/16"), opts=within
)
inside = pulumi.ResourceOptions(providers=[provider], depends_on=[network])

#: kubernetes-runtime-classes 1
runtimes = kubernetes.RuntimeClasses(
    "runtimes", kubernetes.RuntimeClassesArgs(placement=place, tees=["snp"]), opts=within
)

#: kubernetes-residency-guard 8
guard = kubernetes.ResidencyGuard(
    "guard",
    kubernetes.ResidencyGuardArgs(
        placement=place,
        runtime_classes=list(runtimes.names.values()),
        registries=["registry.example.org/bailiwick"],
    ),
    opts=within,
)

#: kubernetes-audit-log 1
audit = kubernetes.AuditLog(
    "audit",
    kubernetes.AuditLogArgs(
        placement=place,
        retention_days=365,
        site=site.audit,
        destroyable=True,  # for an emulated region only
    ),
    opts=inside,
)

#: kubernetes-key-vault 2
vault = kubernetes.KeyVault(
    "keys",
    kubernetes.KeyVaultArgs(
        placement=place,
        service="site-hsm",
        hsm=site.hsm,
        address_space="10.60.0.0/16",
        model_keys=["llm"],
        verifier_role="verifier",
    ),
    opts=inside,
)

#: kubernetes-model-store 1
models = kubernetes.ModelStore(
    "models",
    kubernetes.ModelStoreArgs(placement=place, site=site.model_store, address_space="10.60.0.0/16"),
    opts=inside,
)

#: kubernetes-workload-identity 3
caching = kubernetes.WorkloadIdentity(
    "caching",
    kubernetes.WorkloadIdentityArgs(placement=place, role="collateral", segment=Segment.ENDPOINTS),
    opts=inside,
)
verifying = kubernetes.WorkloadIdentity(
    "verifying",
    kubernetes.WorkloadIdentityArgs(placement=place, role="verifier", segment=Segment.VERIFIER),
    opts=inside,
)
serving = kubernetes.WorkloadIdentity(
    "serving", kubernetes.WorkloadIdentityArgs(placement=place, role="inference"), opts=inside
)

#: kubernetes-collateral-cache 6
collateral = kubernetes.CollateralCache(
    "collateral",
    kubernetes.CollateralCacheArgs(placement=place, image=str(site.collateral_server), identity_id=caching.id),
    opts=inside,
)

#: kubernetes-attestation-verifier 3
verifier = kubernetes.AttestationVerifier(
    "verifier",
    kubernetes.AttestationVerifierArgs(
        placement=place,
        role="verifier",
        replicas=2,
        size="rack-genoa-64",
        tee="snp",
        image_name="verifier",
        image_version="1.0.0",
        guest_images=site.guest_images,
        container_image=f"registry.example.org/bailiwick/verifier@sha256:{'0' * 63}1",
        guest_configuration={"version": 1, "role": "verifier"},  # components.guest_configuration writes it
        runtime_class=runtimes.ids["snp"],
        identity_id=verifying.id,
        segment=Segment.VERIFIER,
        hsm=site.hsm,
        data_claim=audit.claim,
    ),
    opts=inside,
)

#: kubernetes-confidential-vm 1
machine = kubernetes.ConfidentialVm(
    "inference",
    kubernetes.ConfidentialVmArgs(
        placement=place,
        role="inference",
        size="rack-genoa-64",
        tee="snp",
        image_name="inference-guest",
        image_version="1.0.0",
        guest_images=site.guest_images,
        container_image=f"registry.example.org/bailiwick/inference-guest@sha256:{'0' * 63}2",
        guest_configuration={"version": 1, "role": "workload"},
        runtime_class=runtimes.ids["snp"],
        identity_id=serving.id,
    ),
    opts=inside,
)

#: kubernetes-confidential-vm-group 2
machines = kubernetes.ConfidentialVmGroup(
    "batch",
    kubernetes.ConfidentialVmGroupArgs(
        placement=place,
        role="batch",
        size="rack-genoa-64",
        tee="snp",
        count=2,
        image_name="inference-guest",
        image_version="1.0.0",
        guest_images=site.guest_images,
        container_image=f"registry.example.org/bailiwick/inference-guest@sha256:{'0' * 63}2",
        guest_configuration={"version": 1, "role": "workload"},
        runtime_class=runtimes.ids["snp"],
        identity_id=serving.id,
    ),
    opts=inside,
)

#: kubernetes-sovereign-region alone
region = kubernetes.SovereignRegion(
    "docs-region",
    kubernetes.SovereignRegionArgs(
        spec=RegionSpec.from_stack_file(STACKS / "Pulumi.onprem-kubernetes.yaml"),
        site=site,
        reference_values=STACKS / "reference-values",
    ),
    opts=within,
)
