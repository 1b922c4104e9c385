"""The shape of a stack file: what a platform team decides about one region, and nothing else."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, Field, ValidationError

import catalog
from catalog import Tenancy
from components.spec.accounts import EMULATED_ACCOUNT, EMULATED_OBJECT_ID, ZERO_GUID
from components.spec.base import Spec
from components.spec.checks import REFERENCE_VALUES, problems_of
from components.spec.external_manager import ExternalManagerSpec
from components.spec.keys import key_services
from components.spec.machines import any_confidential
from components.spec.parts import PARTS
from components.spec.problems import SpecError, translate
from components.spec.public_key import PUBLIC_KEY, public_key
from components.spec.reading import read_pulumi_config, read_stack_file

Uuid = Annotated[str, Field(pattern=r"^([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})?$", examples=[ZERO_GUID])]
Name = Annotated[str, Field(pattern=r"^[a-z]([a-z0-9-]{0,18}[a-z0-9])?$", examples=["inference"])]
ArtefactName = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", examples=["llm"])]
ProjectId = Annotated[
    str, Field(pattern=r"^(([a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9])?$", examples=["bailiwick-emulated"])
]
ObjectId = Annotated[str, Field(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", examples=[EMULATED_OBJECT_ID])]
AccountId = Annotated[str, Field(pattern=r"^(\d{12})?$", examples=["000000000000"])]
ClusterContext = Annotated[str, Field(pattern=r"^\S{0,253}$", examples=["bailiwick-emulated"])]
Version = Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$", examples=["1.0.0"])]
NodeRelease = Annotated[str, Field(pattern=r"^(\d+\.\d+\.\d+-\d{8})?$", examples=["1.35.7-20260903"])]
HostId = Annotated[str, Field(pattern=r"^h-[0-9a-f]{8,17}$")]
SizeName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9._-]*$", examples=["Standard_DC4as_v5"])]
Tee = Literal["snp", "tdx"]
Purchase = Literal["on-demand", "spot", "flex-start"]
HardwareId = Annotated[str, Field(pattern=r"^([0-9a-f]{128}|[0-9a-f]{32})$")]
LaunchSigner = Annotated[str, Field(pattern=r"^[0-9a-f]{96}$")]
PublicKey = Annotated[str, AfterValidator(public_key), Field(json_schema_extra={"pattern": PUBLIC_KEY})]
RegistryName = Annotated[str, Field(pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)+(:[0-9]{1,5})?(/[a-z0-9._-]+)*$")]
TrustAnchor = Literal["amd", "intel", "nvidia", "aws", "sandbox"]


class RegistrySpec(Spec):
    """A container registry, and where it is."""

    name: Annotated[RegistryName, Field(examples=["registry.example.org/platform"])] = Field(
        description="A host, or a host and the beginning of a path."
    )
    jurisdiction: str = Field(description="Jurisdiction in whose territory it runs; inside the region's own.")


class NetworkSpec(Spec):
    """The region's private network."""

    address_space: Annotated[str, Field(examples=["10.20.0.0/16"])] = Field(
        description="Private IPv4 range of the network, /16 to /22; the subnets are cut from it."
    )


class KeySpec(Spec):
    """The key service."""

    service: str = Field(
        description="Key service of the catalogue whose keys only attested guests get; by default the cloud's first, "
        "or the one for `externalManager`."
    )
    rotation_days: int = Field(
        default=90, ge=7, le=730, description="Days after which a key gets a new version, 7 to 730."
    )
    soft_delete_days: int = Field(
        ge=30,
        le=120,
        description="Days for which a deleted key can be recovered, 30 to 120; by default 90, or the cloud's most.",
    )
    administrators: tuple[ObjectId, ...] = Field(
        default=(),
        description="Azure, managed-hsm: object ids of the service principals that administer the HSM and deploy.",
    )
    external_manager: ExternalManagerSpec | None = Field(
        default=None,
        description="Google Cloud and AWS: a key manager outside the cloud, whose keys the key service then uses.",
    )


class AuditSpec(Spec):
    """The audit log."""

    retention_days: int = Field(
        default=365,
        ge=183,
        le=3650,
        description=(
            "Days for which the audit log cannot be changed or deleted, 183 to 3650. "
            "183 is six months, the least that Article 26(6) of the EU AI Act asks for."
        ),
    )


class StateSpec(Spec):
    """Where Pulumi keeps the stack's state: a declaration, by which the policies judge it (RES-07)."""

    backend: Annotated[str, Field(examples=["azblob://state?storage_account=platform"])] = Field(
        default="", description="Address of the backend, as `pulumi login` takes it."
    )
    secrets_provider: Annotated[str, Field(examples=["azurekeyvault://platform.vault.azure.net/keys/state"])] = Field(
        default="", description="What encrypts the secrets in it, as `pulumi stack init --secrets-provider` takes it."
    )
    location: Annotated[str, Field(examples=["germanywestcentral"])] = Field(
        default="", description="Region in which both are."
    )


class ApprovalSpec(Spec):
    """How many people must agree to a deployment, which changes to whom the key broker gives keys: a declaration, by
    which the policies judge it (KEY-10)."""

    needed: int = Field(default=0, ge=0, le=20, description="How many of them must agree, two at least.")
    people: tuple[Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")], ...] = Field(
        default=(),
        examples=[["alice@example.org", "bob@example.org", "carol@example.org"]],
        description="Mail addresses of those who may agree.",
    )


class ImageSpec(Spec):
    """A guest image, pinned by version; its signed reference values are in stacks/reference-values."""

    name: ArtefactName = Field(description="Name of the image.")
    version: Version = Field(description="Exact version of the image.")
    launch_signers: tuple[LaunchSigner, ...] = Field(
        default=(),
        description="SEV-SNP: who may have signed the image's launch, by SHA-384 of the ID key in hexadecimal. On "
        "Azure the paravisor's signer, and keys then name no measurement of that; on Kubernetes besides the image's "
        "measurement. Empty on other clouds, where nobody signs a launch.",
    )


class VerifierSpec(Spec):
    """The attestation verifier with its key broker, on confidential VMs of its own."""

    replicas: int = Field(default=2, ge=1, le=10, description="Number of verifier machines, 1 to 10.")
    size: SizeName = Field(description="Machine size of each replica; it must have the TEE.")
    tee: Tee = Field(default="snp", description="Trusted execution environment of each replica.")
    tenancy: Tenancy = Field(default="shared", description="AWS: on shared hosts, or on those of `hostIds`.")
    image: ImageSpec = Field(description="Image of the verifier.")
    trust_anchors: tuple[TrustAnchor, ...] = Field(
        default=("amd",),
        min_length=1,
        description="Roots that the verifier accepts: hardware vendors', on AWS also `aws`, which signs for NitroTPM "
        "as the cloud's operator; `sandbox` in emulated regions only.",
    )
    hardware: tuple[HardwareId, ...] = Field(
        default=(),
        description="Processors that may have a key, in hexadecimal: CHIP_ID of SEV-SNP (64 bytes), PPID of TDX (16). "
        "None listed: any genuine one. Empty on AWS, whose reports name none.",
    )
    collateral_signers: tuple[PublicKey, ...] = Field(
        default=(),
        description="Public keys (PEM, P-384) of whoever may fill the region's collateral cache, as "
        "`bailiwick collateral export` signs. None listed: anybody who may write there.",
    )


class MachineSpec(Spec):
    """One confidential VM that runs a workload."""

    name: Name = Field(description="Name of the machine, unique in the stack; part of its resource names.")
    size: SizeName = Field(description="Machine size; it must be offered in the location and have the TEE.")
    tee: Tee = Field(default="snp", description="Trusted execution environment of the machine.")
    gpu: Literal["none", "h100"] = Field(
        default="none", description="GPU in confidential-computing mode; its evidence joins the machine's."
    )
    count: int = Field(default=1, ge=1, le=100, description="Number of machines, 1 to 100; 2 or more are a group.")
    purchase: Purchase = Field(
        default="on-demand",
        description="How the machine is bought; a cloud may take a spot or flex-start machine away again.",
    )
    tenancy: Tenancy = Field(default="shared", description="AWS: on a shared host, or on the one of `hostIds`.")
    zone: Annotated[str, Field(examples=["1"])] | None = Field(
        default=None, description="Availability zone of the location; none lets the cloud choose."
    )
    image: ImageSpec = Field(description="Image of the machine.")
    model: ArtefactName = Field(description="Model whose key the guest asks the broker for.")


class GpuPoolSpec(Spec):
    """Nodes with a GPU in confidential-computing mode, beside a cluster's own."""

    size: SizeName = Field(description="Machine size with the GPU; it must have the cluster's TEE.")
    gpu: Literal["h100"] = Field(default="h100", description="GPU of the nodes.")
    purchase: Purchase = Field(
        default="on-demand",
        description="How the nodes are bought; a cloud may take a spot or flex-start node away again.",
    )
    nodes: int = Field(default=1, ge=1, le=100, description="Number of nodes, 1 to 100; the most under flex-start.")


class ClusterSpec(Spec):
    """One Kubernetes cluster of the cloud whose nodes are confidential VMs."""

    name: Name = Field(description="Name of the cluster, unique in the stack; part of its resource names.")
    size: SizeName = Field(
        description="Machine size of the nodes; it must be offered in the location and have the TEE."
    )
    tee: Tee = Field(default="snp", description="Trusted execution environment of the nodes.")
    nodes: int = Field(default=3, ge=1, le=100, description="Number of nodes, 1 to 100.")
    release: NodeRelease = Field(
        default="",
        description="AWS: release of the nodes' image, which says the version of Kubernetes. Empty on other clouds.",
    )
    gpu_pool: GpuPoolSpec | None = Field(default=None, description="Azure and Google Cloud: nodes with GPUs besides.")


class RegionSpec(Spec):
    """What one stack file says: one sovereign region."""

    cloud: str = Field(description="Cloud of the catalogue.")
    jurisdiction: str = Field(
        description="Jurisdiction that the region must not leave: a country (DE) or a union (EU)."
    )
    location: str = Field(description="Region of the cloud, inside the jurisdiction.")
    subscription_id: Uuid = Field(
        default="", description="Azure: the subscription; all zeros in an emulated region. Empty on other clouds."
    )
    tenant_id: Uuid = Field(
        default="",
        description="Azure: the Microsoft Entra tenant; all zeros in an emulated region. Empty on other clouds.",
    )
    project_id: ProjectId = Field(
        default="",
        description="Google Cloud: the project; `bailiwick-emulated` in an emulated region. Empty on other clouds.",
    )
    account_id: AccountId = Field(
        default="", description="AWS: the account, 12 digits; all zeros in an emulated region. Empty on other clouds."
    )
    cluster: ClusterContext = Field(
        default="",
        description=(
            "Kubernetes: the context of the cluster in the kubeconfig; `bailiwick-emulated` in an emulated region. "
            "Empty on other clouds."
        ),
    )
    emulated: bool = Field(
        default=False, description="Whether the region is emulated on one machine and reaches no cloud."
    )
    owner: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", examples=["platform@example.org"])] = Field(
        description="Mail address of the team that answers for the region; a tag on every resource."
    )
    data_class: Literal["public", "internal", "confidential", "secret"] = Field(
        description="Highest class of data that the region may process; a tag on every resource."
    )
    network: NetworkSpec = Field(description="Private network.")
    keys: KeySpec = Field(description="Key service.")
    audit: AuditSpec = Field(default=AuditSpec(), description="Audit log.")
    state: StateSpec = Field(
        default=StateSpec(),
        description="Where Pulumi keeps the stack's state. A region in a real account declares it; an emulated one "
        "need not.",
    )
    approval: ApprovalSpec = Field(
        default=ApprovalSpec(),
        description="Who must agree to a deployment before it happens, as the pipeline that deploys asks them. A "
        "region in a real account that has a key broker declares it; an emulated one need not.",
    )
    registries: tuple[RegistrySpec, ...] = Field(
        default=(),
        description="Container registries inside the jurisdiction whose names do not say so. Workloads may take images "
        "from there too (RES-08).",
    )
    verifier: VerifierSpec | None = Field(
        default=None,
        description="Attestation verifier and key broker. Without it and machines the region keeps keys, models and "
        "the log, and attests nothing.",
    )
    machines: tuple[MachineSpec, ...] = Field(default=(), description="Confidential VMs that run workloads.")
    host_ids: dict[str, HostId] = Field(
        default={},
        examples=[{"eu-central-1a": "h-0123456789abcdef0"}],
        description="AWS: Dedicated Hosts that were allocated with SEV-SNP, by availability zone. Empty on other "
        "clouds.",
    )
    clusters: tuple[ClusterSpec, ...] = Field(default=(), description="Kubernetes clusters of confidential VMs.")
    collateral_cache: bool = Field(
        default=True,
        description="Whether the region keeps the processor vendors' collateral itself; without, guests' verification "
        "asks the vendors abroad.",
    )
    residency_guard: bool = Field(
        default=True,
        description="Whether policies of the cloud itself hold residency and confidentiality after the deployment too.",
    )

    @property
    def provider(self) -> str:
        """The provider that the cloud belongs to: azure, gcp, aws or kubernetes."""
        return catalog.load().cloud(self.cloud).provider

    @property
    def account(self) -> dict[str, str]:
        """The provider's account keys, as the stack file spells them, with their values."""
        given = self.model_dump(by_alias=True)
        return {key: given[key] for key in EMULATED_ACCOUNT[self.provider]}

    @property
    def partition(self) -> str:
        """AWS partition of the cloud, such as `aws` or `aws-eusc`; empty on other clouds."""
        return catalog.load().cloud(self.cloud).partition or ""

    @property
    def lacks(self) -> tuple[str, ...]:
        """What a region without a verifier has not, in words; nothing for one that has a verifier."""
        if self.verifier is not None:
            return ()
        known = any_confidential(catalog.load(), self.cloud, self.location)
        why = "the stack file asks for none" if known else f"the catalogue knows none in {self.location}"
        return (
            f"confidential machines: {why}",
            "attestation: nothing proves what runs here",
            "key release: no model has a key here, for no verifier could release it",
        )

    @classmethod
    def from_mapping(cls, mapping: object, *, reference_values: Path = REFERENCE_VALUES) -> Self:
        """The specification in `mapping`, whose keys have no `bailiwick:` prefix.

        Raises `SpecError` with every problem at once. An image must have its file in `reference_values`.
        """
        if not isinstance(mapping, dict):
            raise SpecError.one("bailiwick", "must be a mapping of keys to values")
        facts = catalog.load()
        mapping = _with_defaults_of_the_cloud(mapping, facts)
        if mapping.get("verifier") == {}:
            del mapping["verifier"]
        problems = problems_of(mapping, facts, reference_values)
        try:
            spec = cls.model_validate(mapping)
        except ValidationError as error:
            shape = list(translate(error, cls))
            misshapen = {problem.path for problem in shape}
            rest = (problem for problem in problems if problem.path not in misshapen)
            raise SpecError([*shape, *rest]) from None
        if problems:
            raise SpecError(problems)
        return spec

    @classmethod
    def from_stack_file(cls, path: Path, *, reference_values: Path = REFERENCE_VALUES) -> Self:
        """The specification in the `bailiwick:` keys of a Pulumi stack file; raises `SpecError`."""
        return cls.from_mapping(read_stack_file(path), reference_values=reference_values)

    @classmethod
    def from_pulumi_config(cls, *, reference_values: Path = REFERENCE_VALUES) -> Self:
        """The specification in the running program's Pulumi configuration; raises `SpecError`."""
        return cls.from_mapping(read_pulumi_config(_structured(cls)), reference_values=reference_values)


def _with_defaults_of_the_cloud(mapping: dict[str, Any], facts: catalog.Catalog) -> dict[str, Any]:
    """The mapping with what it leaves to the cloud: the key service, and how long that keeps a deleted key."""
    cloud, keys = mapping.get("cloud"), mapping.get("keys", {})
    if not isinstance(keys, dict):
        return dict(mapping)
    service, days = "", 90
    if isinstance(cloud, str) and cloud in facts.clouds:
        parts = PARTS[facts.cloud(cloud).provider]
        external = parts.external_keys if keys.get("externalManager") else ""
        service = external or next(iter(key_services(facts, cloud)), "")
        days = min(days, parts.soft_delete_days[-1])
    return {**mapping, "keys": {"service": service, "softDeleteDays": days} | keys}


def _structured(model: type[BaseModel]) -> set[str]:
    """The properties of `model` that are lists or mappings, by the names that the file has for them."""
    schema = model.model_json_schema(by_alias=True)
    definitions = schema.get("$defs", {})

    def nested(prop: dict[str, Any]) -> bool:
        named = definitions.get(prop.get("$ref", "").rpartition("/")[2], prop)
        return named.get("type") in {"array", "object"} or any(map(nested, named.get("anyOf", ())))

    return {alias for alias, prop in schema["properties"].items() if nested(prop)}
