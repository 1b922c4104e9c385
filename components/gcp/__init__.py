"""Components of a sovereign region in Google Cloud."""

from components.gcp.attestation_verifier import AttestationVerifier, AttestationVerifierArgs
from components.gcp.attested_release import AttestedRelease, AttestedReleaseArgs
from components.gcp.audit_log import AuditLog, AuditLogArgs
from components.gcp.collateral_cache import CollateralCache, CollateralCacheArgs
from components.gcp.confidential_cluster import ConfidentialCluster, ConfidentialClusterArgs
from components.gcp.confidential_vm import ConfidentialVm, ConfidentialVmArgs
from components.gcp.confidential_vm_group import ConfidentialVmGroup, ConfidentialVmGroupArgs
from components.gcp.key_vault import KeyVault, KeyVaultArgs
from components.gcp.model_store import ModelStore, ModelStoreArgs
from components.gcp.placement import Placement
from components.gcp.residency_guard import ResidencyGuard, ResidencyGuardArgs
from components.gcp.sovereign_network import SovereignNetwork, SovereignNetworkArgs
from components.gcp.sovereign_region import SovereignRegion, SovereignRegionArgs
from components.gcp.workload_identity import Grant, WorkloadIdentity, WorkloadIdentityArgs
from components.gpu_pool import GpuPool

__all__ = [
    "AttestationVerifier",
    "AttestationVerifierArgs",
    "AttestedRelease",
    "AttestedReleaseArgs",
    "AuditLog",
    "AuditLogArgs",
    "CollateralCache",
    "CollateralCacheArgs",
    "ConfidentialCluster",
    "ConfidentialClusterArgs",
    "ConfidentialVm",
    "ConfidentialVmArgs",
    "ConfidentialVmGroup",
    "ConfidentialVmGroupArgs",
    "GpuPool",
    "Grant",
    "KeyVault",
    "KeyVaultArgs",
    "ModelStore",
    "ModelStoreArgs",
    "Placement",
    "ResidencyGuard",
    "ResidencyGuardArgs",
    "SovereignNetwork",
    "SovereignNetworkArgs",
    "SovereignRegion",
    "SovereignRegionArgs",
    "WorkloadIdentity",
    "WorkloadIdentityArgs",
]
