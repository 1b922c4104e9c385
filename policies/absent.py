"""Where a rule has no subject: for each rule and provider without examples, why there is nothing to judge.

Reviewed by hand. A test holds that each rule is shown on examples of a provider, or says here why it cannot be.
"""

from collections.abc import Mapping
from typing import Final

PROVIDERS: Final = ("azure", "gcp", "aws", "kubernetes")
"""The providers that a rule covers or is absent from; Fortanix DSM has keys and nothing else."""

_IN_ONE_PLACE: Final = "a cluster is in one place, which its provider leads to (RES-03)"
_SITE_HSM: Final = (
    "keys are in the site's HSM, which no resource of a cluster describes; a secret must be sealed (KEY-01)"
)
_NO_MANAGED: Final = "a cluster has no managed models: what answers is a pod, and judged as one"
_IMAGE_DECIDES: Final = "the guest's image decides, and its measurement shows it (ATT-02)"
_NEVER_RELEASED: Final = "no key leaves its HSM"
_OF_ANOTHER: Final = "the rule is about the policies of another service"

ABSENT: Final[Mapping[str, Mapping[str, str]]] = {
    "RES-01": {"kubernetes": _IN_ONE_PLACE},
    "RES-04": {"kubernetes": f"{_IN_ONE_PLACE}; types that copy out of it are on no list (RES-02)"},
    "RES-05": {
        "aws": "AWS keeps no copy in a second region by itself; a copy is a resource of its own (RES-04)",
        "kubernetes": _IN_ONE_PLACE,
    },
    "RES-06": {"kubernetes": _NO_MANAGED},
    "CVM-03": {"aws": _IMAGE_DECIDES, "kubernetes": _IMAGE_DECIDES},
    "CVM-04": {
        "gcp": "disks are encrypted outside the guest, under the customer's key (KEY-02)",
        "aws": "disks are encrypted outside the guest, under the customer's key (KEY-02)",
        "kubernetes": "a confidential pod has no disk of its own: its image is unpacked in encrypted memory",
    },
    "CVM-05": {
        "aws": "no machine type has a GPU with a confidential mode, and only attested types are machines (CVM-02)",
        "kubernetes": "GPUs belong to the node, whose size CVM-02 judges; the components give no GPU to a pod",
    },
    "CVM-07": {
        "azure": "a confidential VM is not migrated while it runs, and no setting says otherwise",
        "aws": "an instance is not migrated while it runs; only bare-metal types, without a TEE, host machines",
        "kubernetes": "pods do not move: one that is evicted ends, and another is measured afresh",
    },
    "ATT-08": {
        "gcp": "the attestation service is one for all, with nothing to set; ATT-01 asks for one of the stack's own",
        "aws": "KMS reads evidence itself, and has no attestation service to set",
        "kubernetes": "the verifier is the stack's own (ATT-01)",
    },
    "KEY-03": {"kubernetes": _SITE_HSM},
    "KEY-04": {"kubernetes": _SITE_HSM},
    "KEY-05": {
        "gcp": "versions of Cloud KMS have no end of validity; rotation replaces them (KEY-04)",
        "aws": "versions of AWS KMS have no end of validity; rotation replaces them (KEY-04)",
        "kubernetes": _SITE_HSM,
    },
    "KEY-06": {"kubernetes": _SITE_HSM},
    "KEY-07": {"kubernetes": _SITE_HSM},
    "KEY-09": {"kubernetes": f"{_IN_ONE_PLACE}, as are the site's keys"},
    "REL-01": {"gcp": _NEVER_RELEASED, "aws": _NEVER_RELEASED, "kubernetes": _SITE_HSM},
    "REL-02": {
        "gcp": "the issuer of a pool's tokens is judged with its condition (REL-05)",
        "aws": "KMS trusts AWS's own evidence and nobody's word",
    },
    "REL-04": dict.fromkeys(("azure", "gcp", "kubernetes"), _OF_ANOTHER),
    "REL-05": dict.fromkeys(("azure", "aws", "kubernetes"), _OF_ANOTHER),
    "REL-06": dict.fromkeys(("azure", "gcp", "aws"), _OF_ANOTHER),
    "NET-03": {
        "kubernetes": "a service's name is the cluster's own, and clusters have no peerings that a resource states"
    },
    "SUP-02": dict.fromkeys(
        ("azure", "gcp", "aws"), "machines start no containers that the stack names: their images are measured (ATT-02)"
    ),
}
"""By id of the rule, then by provider of the catalogue: why."""
