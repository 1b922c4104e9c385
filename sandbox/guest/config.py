"""What a workload guest is told at boot: the VM's osProfile.customData, written by the components."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError


class ConfigError(Exception):
    """The customData is not a workload's configuration; the message names the members at fault."""


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ArtefactLocation(_Model):
    """Where the encrypted model lies: storage account or bucket, container or prefix, and name."""

    account: str = Field(pattern="^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$")
    container: str = Field(pattern="^[a-z0-9-]{3,63}$")
    blob: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")

    def url(self, form: str) -> str:
        """Its address in a cloud whose object storage is addressed by `form`, see `sandbox.clouds.opening.Cloud`."""
        return form.format(account=self.account, container=self.container, blob=self.blob)


class WorkloadConfig(_Model):
    """verifier: base URL of the key broker. resource: KBS path of the data key, `<repository>/<type>/<tag>`."""

    version: Literal[1]
    role: Literal["workload"]
    verifier: str = Field(pattern="^https?://[^/]+$")
    resource: str = Field(pattern="^[^/]+/[^/]+/[^/]+$")
    artefact: ArtefactLocation

    @property
    def model(self) -> str:
        """The model that the guest is to serve: the tag of its key."""
        return self.resource.rsplit("/", 1)[1]


def parse(custom_data: bytes) -> WorkloadConfig:
    """Read customData; ConfigError names every member that is wrong."""
    try:
        return WorkloadConfig.model_validate_json(custom_data)
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, problem['loc'])) or 'customData'}: {problem['msg']}"
            for problem in error.errors(include_input=False, include_url=False)
        )
        raise ConfigError(f"osProfile.customData is not a workload's configuration: {wrong}") from None
