"""Dynamic resources (`pulumi.dynamic`): the program's own code makes them; their provider leads nowhere by itself.

Those that Bailiwick's components make are inside an Azure Managed HSM, and Azure's words judge them. Any other is not
on the catalogue's list of types without a location, so that RES-02 refuses it.
"""

from policies.clouds.azure import *  # noqa: F403 - the same words, but for the provider
from policies.context import Declared
from policies.subject import Property


def provider_settings(_: Property, __: Declared) -> tuple[()]:  # type: ignore[no-redef]  # in place of Azure's
    return ()
