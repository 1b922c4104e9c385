"""What an instance boots from: a guest image of ours, or one of a public image project."""

import re
from collections.abc import Mapping
from typing import Final

from sandbox.clouds.gcp import ids
from sandbox.clouds.gcp.errors import RefusedError
from sandbox.clouds.hardware import image_reference
from sandbox.clouds.resource import Request, View

# Google's public image projects; those here carry the features of every kind of confidential VM.
_PUBLIC: Final = ("ubuntu-os-cloud", "cos-cloud", "confidential-space-images", "rhel-cloud", "suse-cloud",
                  "rocky-linux-cloud")  # fmt: skip
_PUBLIC_SEV_ONLY: Final = ("debian-cloud", "fedora-coreos-cloud", "windows-cloud")
_SHORT = re.compile(r"(?P<project>[a-z][a-z0-9-]+)/(?P<name>[a-z][a-z0-9-]*)")
_OURS = re.compile(r"projects/(?P<project>[^/]+)/global/images/(?P<name>[a-z0-9-]+?)-(?P<version>\d+-\d+-\d+)")
_ALL: Final = ("SEV", "SEV_SNP", "TDX")


def image_of(inputs: View) -> str:
    """The image that the inputs of an instance or a template name; '' for one that attaches an existing disk."""
    if inputs["bootDisk"] is not None:
        return inputs.text("bootDisk.initializeParams.image")
    boot = [disk for disk in inputs.items("disks") if disk["boot"] is not False]
    return boot[0].text("sourceImage") if boot else ""


def reference_of(value: str, request: Request) -> str:
    """The id of an image as `projects/{project}/global/images/{name}`, or `…/images/family/{family}`."""
    path = ids.plain(value, request.session.account)
    if path.startswith("projects/"):
        return path
    short = _SHORT.fullmatch(path)
    if short and short["project"] not in ("global", "family"):
        return f"projects/{short['project']}/global/images/{short['name']}"
    name = path.removeprefix("global/images/")
    return f"projects/{request.session.account.id}/global/images/{name}"


def capabilities(value: str, request: Request) -> tuple[str, ...]:
    """The kinds of confidential VM that an image can boot as. Raises where there is no such image."""
    reference = reference_of(value, request)
    project = reference.split("/")[1]
    if project in _PUBLIC:
        return _ALL
    if project in _PUBLIC_SEV_ONLY:
        return ("SEV",)
    ours = gallery_reference(reference, request)
    facts = request.session.hardware.image(ours) if ours else None
    if facts is None:
        raise RefusedError(f"Error resolving image name '{value}': Could not find image or family {reference}")
    return _ALL if _is_confidential(facts) else ()


def gallery_reference(reference: str, request: Request) -> str | None:
    """The hardware's name of an image of this project, `{name}-{version with hyphens}`; None where it is not ours."""
    found = _OURS.fullmatch(reference)
    if found is None or found["project"] != request.session.account.id:
        return None
    return image_reference(found["name"], found["version"].replace("-", "."))


def _is_confidential(facts: Mapping[str, object]) -> bool:
    types = facts.get("securityTypes")
    return isinstance(types, list) and "ConfidentialVM" in types
