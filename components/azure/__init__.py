"""Components of a sovereign region in Azure."""

from components.azure.aliases import drop_version_aliases
from components.azure.attestation_verifier import AttestationVerifier, AttestationVerifierArgs
from components.azure.audit_log import AuditLog, AuditLogArgs
from components.azure.cluster_services import ClusterServices, ClusterServicesArgs
from components.azure.collateral_cache import CollateralCache, CollateralCacheArgs
from components.azure.confidential_cluster import ConfidentialCluster, ConfidentialClusterArgs, NodeIdentity
from components.azure.confidential_vm import ConfidentialVm, ConfidentialVmArgs
from components.azure.confidential_vm_group import ConfidentialVmGroup, ConfidentialVmGroupArgs
from components.azure.disk_encryption import ConfidentialDiskEncryption, ConfidentialDiskEncryptionArgs
from components.azure.key_vault import KeyVault, KeyVaultArgs
from components.azure.managed_hsm import ManagedHsm, ManagedHsmArgs
from components.azure.model_store import ModelStore, ModelStoreArgs
from components.azure.placement import Placement
from components.azure.residency_guard import ResidencyGuard, ResidencyGuardArgs
from components.azure.sovereign_network import SovereignNetwork, SovereignNetworkArgs
from components.azure.sovereign_region import SovereignRegion, SovereignRegionArgs
from components.azure.workload_identity import Grant, WorkloadIdentity, WorkloadIdentityArgs
from components.gpu_pool import GpuPool

__all__ = [
    "AttestationVerifier",
    "AttestationVerifierArgs",
    "AuditLog",
    "AuditLogArgs",
    "ClusterServices",
    "ClusterServicesArgs",
    "CollateralCache",
    "CollateralCacheArgs",
    "ConfidentialCluster",
    "ConfidentialClusterArgs",
    "ConfidentialDiskEncryption",
    "ConfidentialDiskEncryptionArgs",
    "ConfidentialVm",
    "ConfidentialVmArgs",
    "ConfidentialVmGroup",
    "ConfidentialVmGroupArgs",
    "GpuPool",
    "Grant",
    "KeyVault",
    "KeyVaultArgs",
    "ManagedHsm",
    "ManagedHsmArgs",
    "ModelStore",
    "ModelStoreArgs",
    "NodeIdentity",
    "Placement",
    "ResidencyGuard",
    "ResidencyGuardArgs",
    "SovereignNetwork",
    "SovereignNetworkArgs",
    "SovereignRegion",
    "SovereignRegionArgs",
    "WorkloadIdentity",
    "WorkloadIdentityArgs",
    "drop_version_aliases",
]
