"""Dynamic resources (`pulumi.dynamic`): the program's own code makes them; their provider leads nowhere by itself.

Those that Bailiwick's components make are inside an Azure Managed HSM, and Azure's words judge them. Any other is not
on the catalogue's list of types without a location, so that RES-02 refuses it.
"""

from dataclasses import replace

from policies.clouds import azure
from policies.clouds.speaker import SILENT

SPEAKER = replace(azure.SPEAKER, provider_settings=SILENT.provider_settings)
"""The same words, but for the provider."""
