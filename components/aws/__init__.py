"""Components of a sovereign region in AWS."""

from components.aws.attestation_verifier import AttestationVerifier, AttestationVerifierArgs
from components.aws.audit_log import AuditLog, AuditLogArgs
from components.aws.collateral_cache import CollateralCache, CollateralCacheArgs
from components.aws.confidential_cluster import ConfidentialCluster, ConfidentialClusterArgs
from components.aws.confidential_vm import ConfidentialVm, ConfidentialVmArgs
from components.aws.confidential_vm_group import ConfidentialVmGroup, ConfidentialVmGroupArgs
from components.aws.external_keys import XksCredential
from components.aws.key_vault import KeyVault, KeyVaultArgs
from components.aws.model_store import ModelStore, ModelStoreArgs
from components.aws.placement import Placement
from components.aws.residency_guard import ResidencyGuard, ResidencyGuardArgs
from components.aws.sovereign_network import SovereignNetwork, SovereignNetworkArgs
from components.aws.sovereign_region import SovereignRegion, SovereignRegionArgs
from components.aws.workload_identity import Grant, WorkloadIdentity, WorkloadIdentityArgs

__all__ = [
    "AttestationVerifier",
    "AttestationVerifierArgs",
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
    "XksCredential",
]
