"""The languages of release policies, by the name that `components.release` compiles to.

Every reader takes the document as text and raises `MalformedDocument` for what it cannot read with one meaning: what
is not understood is never a pass.
"""

from collections.abc import Callable, Mapping

from policies.release import aws, azure, dsm, gcp, kbs
from policies.release.model import Reading

READERS: Mapping[str, Callable[[str], Reading]] = {
    "aws": aws.analyse,
    "azure": azure.analyse,
    "dsm": dsm.analyse,
    "gcp": gcp.analyse,
    "kbs": kbs.analyse,
}


def analyse(language: str, text: str) -> Reading:
    """`text` read as a policy in `language`; raises `MalformedDocument`."""
    return READERS[language](text)
