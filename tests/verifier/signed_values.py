"""Reference values as the emulated site's build signs them."""

from typing import Any

from verifier import canonical, dsse
from verifier.signer import SoftwareSigner


def signed_values(signer: SoftwareSigner, name: str, digest: bytes, **predicate: Any) -> Any:
    """The DSSE envelope of an in-toto Statement v1 about the image `<name>-1.0.0`, whose SHA-384 is `digest`.

    predicate: what it says besides image and build time, such as `tee` and `launch_measurements`.
    """
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": f"{name}-1.0.0", "digest": {"sha384": digest.hex()}}],
        "predicateType": "https://bailiwick.dev/reference-values/v1",
        "predicate": {
            "image": {"name": name, "version": "1.0.0"},
            "built_at": "2026-08-01T00:00:00+00:00",
            **predicate,
        },
    }
    return dsse.sign(dsse.IN_TOTO, canonical.encode(statement), signer)
