"""The emulated Kubernetes (`kubernetes`)."""

from sandbox.clouds.kubernetes.cloud import KubernetesCloud

__all__ = ["KubernetesCloud"]
