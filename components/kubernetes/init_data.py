"""Init data of Confidential Containers: what a confidential pod's guest is told, bound to its evidence.

The host hands it to the guest and puts its digest into HOST_DATA (SEV-SNP) or MRCONFIGID (TDX), so that a host that
changes it changes the evidence (confidential-containers/trustee, `kbs/docs/initdata.md`).
"""

import base64
import gzip
import json
from collections.abc import Mapping, Sequence
from typing import Any

from components.errors import InputError

ANNOTATION = "io.katacontainers.config.hypervisor.cc_init_data"
GUEST_FILE = "bailiwick.json"
"""The file in the init data that configures a Bailiwick guest: its image unpacks it to `CONFIGURATION_PATH`."""
CONFIGURATION_PATH = f"/run/bailiwick/{GUEST_FILE}"
_LONGEST_ANNOTATION = 192 * 1024
"""Kubernetes keeps 256 KiB for all annotations of an object; the rest is left to others."""
_PAUSE = "pause"


def encode(component: str, configuration: Mapping[str, Any], images: Sequence[str]) -> str:
    """The annotation for a guest with this configuration that runs these container images, and no others."""
    files = {
        GUEST_FILE: json.dumps(configuration, sort_keys=True, separators=(",", ":")),
        "policy.rego": agent_policy(images),
    }
    if "verifier" in configuration:
        files["aa.toml"] = f'[token_configs.kbs]\nurl = "{configuration["verifier"]}"\n'
    document = 'version = "0.1.0"\nalgorithm = "sha256"\n\n[data]\n' + "".join(
        f'"{name}" = {_literal(text)}\n' for name, text in sorted(files.items())
    )
    # Stored, not compressed: the same bytes from every zlib, so that nothing rolls out anew for no reason.
    annotation = base64.b64encode(gzip.compress(document.encode(), compresslevel=0, mtime=0)).decode()
    if len(annotation) > _LONGEST_ANNOTATION:
        raise InputError(
            component,
            "guest_configuration",
            f"is {len(annotation)} bytes of init data; an annotation has room for {_LONGEST_ANNOTATION}",
        )
    return annotation


def agent_policy(images: Sequence[str]) -> str:
    """The Kata agent's policy (Rego): these images, no shell, no streams out; that closes `kubectl logs` as well.

    What the host asks of the agent in the guest is refused unless this policy allows it (kata-containers,
    `docs/how-to/how-to-use-the-kata-agent-policy.md`). Files may come where Kata puts a pod's volumes, its host name
    and its resolver, and nowhere else.
    """
    allowed = json.dumps([_PAUSE, *images], indent=2)
    return f"""package agent_policy

import future.keywords.every
import future.keywords.if
import future.keywords.in

default AddARPNeighborsRequest := true
default CloseStdinRequest := true
default CreateSandboxRequest := true
default DestroySandboxRequest := true
default GetMetricsRequest := true
default GetOOMEventRequest := true
default GuestDetailsRequest := true
default ListInterfacesRequest := true
default ListRoutesRequest := true
default OnlineCPUMemRequest := true
default PullImageRequest := true
default RemoveContainerRequest := true
default RemoveStaleVirtiofsShareMountsRequest := true
default SignalProcessRequest := true
default StartContainerRequest := true
default StatsContainerRequest := true
default TtyWinResizeRequest := true
default UpdateEphemeralMountsRequest := true
default UpdateInterfaceRequest := true
default UpdateRoutesRequest := true
default WaitProcessRequest := true

default CopyFileRequest := false
default CreateContainerRequest := false
default ExecProcessRequest := false
default ReadStreamRequest := false
default ReseedRandomDevRequest := false
default SetPolicyRequest := false
default WriteStreamRequest := false

allowed_images := {allowed}

CreateContainerRequest if {{
  every storage in input.storages {{
    storage.source in allowed_images
  }}
}}

CopyFileRequest if {{
  startswith(input.path, "/run/kata-containers/shared/containers/")
  not contains(input.path, "..")
}}
"""


def _literal(text: str) -> str:
    """A TOML multi-line literal string: nothing in it is escaped."""
    return f"'''\n{text}\n'''"
