"""The gate before everything inside a Managed HSM: it serves nothing until its officers have activated it."""

from collections.abc import Iterator

import pulumi
from pulumi.dynamic import CreateResult, DiffResult

from components.azure.hsm_client import HsmProvider, Props, is_unknown

ACTIVE = "Active"
"""`activationStatus` of an HSM whose security domain has been downloaded (ManagedHSMSecurityDomainProperties)."""
_NEXT = (
    "Managed HSM {name} waits for its officers: download its security domain (az keyvault security-domain download"
    " --hsm-name {name} --sd-wrapping-keys OFFICER1.cer OFFICER2.cer OFFICER3.cer --sd-quorum 2 --security-domain-file"
    " {name}.json; docs/runbooks/managed-hsm.md), then deploy again: what exists is kept"
)


class HsmActivationProvider(HsmProvider):
    """Refuses to go on before the HSM is active. It fails the check and not the creation: nothing is left half done."""

    required = ("hsmUri", "hsmName", "activationStatus")

    def judge(self, news: Props) -> Iterator[tuple[str, str]]:
        status, name = news["activationStatus"], news["hsmName"]
        if status != ACTIVE and not is_unknown(status):
            yield (
                "activationStatus",
                _NEXT.format(name=name),
            )

    def diff(self, _id: str, olds: Props, news: Props) -> DiffResult:
        return DiffResult(changes=False, replaces=["hsmUri"] if olds.get("hsmUri") != news.get("hsmUri") else [])

    def create(self, props: Props) -> CreateResult:
        return CreateResult(props["hsmUri"], {name: props[name] for name in self.required})


class HsmActivation(pulumi.dynamic.Resource, module="azure", name="ManagedHsmActivation"):
    """That a Managed HSM is active; what is inside the HSM depends on it."""

    hsmUri: pulumi.Output[str]  # noqa: N815 - the name in the state

    def __init__(
        self,
        name: str,
        *,
        hsm_uri: pulumi.Input[str],
        hsm_name: str,
        activation_status: pulumi.Input[str],
        opts: pulumi.ResourceOptions,
    ) -> None:
        """activation_status: as Azure says it now, not as it was when the HSM was made."""
        props = {"hsmUri": hsm_uri, "hsmName": hsm_name, "activationStatus": activation_status}
        super().__init__(HsmActivationProvider(), name, props, opts)
