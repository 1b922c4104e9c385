"""Components of a sovereign region in a Kubernetes cluster."""

from components.kubernetes.attestation_verifier import AttestationVerifier, AttestationVerifierArgs
from components.kubernetes.audit_log import AuditLog, AuditLogArgs
from components.kubernetes.collateral_cache import CollateralCache, CollateralCacheArgs
from components.kubernetes.confidential_vm import ConfidentialVm, ConfidentialVmArgs
from components.kubernetes.confidential_vm_group import ConfidentialVmGroup, ConfidentialVmGroupArgs
from components.kubernetes.key_vault import KeyVault, KeyVaultArgs
from components.kubernetes.machine_settings import MachineSettings
from components.kubernetes.model_store import ModelStore, ModelStoreArgs
from components.kubernetes.placement import Placement
from components.kubernetes.residency_guard import ResidencyGuard, ResidencyGuardArgs
from components.kubernetes.runtime_classes import PeerPods, RuntimeClasses, RuntimeClassesArgs
from components.kubernetes.site import Site
from components.kubernetes.sovereign_network import SovereignNetwork, SovereignNetworkArgs
from components.kubernetes.sovereign_region import SovereignRegion, SovereignRegionArgs
from components.kubernetes.workload_identity import WorkloadIdentity, WorkloadIdentityArgs

__all__ = [
    "AttestationVerifier",
    "AttestationVerifierArgs",
    "AuditLog",
    "AuditLogArgs",
    "CollateralCache",
    "CollateralCacheArgs",
    "ConfidentialVm",
    "ConfidentialVmArgs",
    "ConfidentialVmGroup",
    "ConfidentialVmGroupArgs",
    "KeyVault",
    "KeyVaultArgs",
    "MachineSettings",
    "ModelStore",
    "ModelStoreArgs",
    "PeerPods",
    "Placement",
    "ResidencyGuard",
    "ResidencyGuardArgs",
    "RuntimeClasses",
    "RuntimeClassesArgs",
    "Site",
    "SovereignNetwork",
    "SovereignNetworkArgs",
    "SovereignRegion",
    "SovereignRegionArgs",
    "WorkloadIdentity",
    "WorkloadIdentityArgs",
]
