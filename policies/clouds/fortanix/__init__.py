"""Fortanix DSM's resource types in the words of the rules (the `dsm` package, made from fortanix/dsm for Terraform).

DSM has keys, and neither machines nor networks, so that almost every question has the answer of an unknown package.
"""

from policies.clouds.fortanix import keys
from policies.clouds.speaker import Speaker

SPEAKER = Speaker(
    quorums=keys.quorums,
    release_documents=keys.release_documents,
)
