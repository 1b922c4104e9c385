"""Entry of the component plugin: Pulumi starts it with the engine's address (see PulumiPlugin.yaml)."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

if __name__ == "__main__":
    # Pulumi runs this file by its path, so that the packages beside this one are found only from here.
    sys.path.insert(0, str(ROOT))
    from pulumi.provider.experimental import component_provider_host

    from components.hosted import COMPONENTS, PACKAGE, VERSION

    component_provider_host(components=COMPONENTS, name=PACKAGE, version=VERSION)
