"""The build's last step: it signs the reference values of every image with a key that it does not keep."""

import json
from datetime import datetime
from pathlib import Path
from typing import Final

from sandbox.region.images.gallery import gallery
from verifier import dsse
from verifier.signer import SoftwareSigner, public_key_pem

REFERENCE_VALUES: Final = Path(__file__).parents[3] / "stacks" / "reference-values"
BUILD_KEY: Final = "build.pub.pem"


def build(directory: Path, at: datetime) -> list[Path]:
    """Sign the reference values of every recipe into `directory`; only the public half of the key is kept."""
    signer = SoftwareSigner.generate()
    directory.mkdir(parents=True, exist_ok=True)
    public = directory / BUILD_KEY
    public.write_text(public_key_pem(signer.public_key), "utf-8")
    written = [public]
    for image in gallery().values():
        payload = json.dumps(image.statement(at), indent=1).encode()
        envelope = dsse.sign(dsse.IN_TOTO, payload, signer)
        path = directory / f"{image.key}.json"
        path.write_text(json.dumps(envelope, indent=2) + "\n", "utf-8")
        written.append(path)
    return written
