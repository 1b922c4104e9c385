"""What Compute Engine checks of instances and of the templates that make them."""

from sandbox.clouds.gcp import ids, images, references
from sandbox.clouds.gcp.errors import ApiError, FieldError, RefusedError, not_one_of
from sandbox.clouds.gcp.places import TEES, MachineType, has_tee, machine_type
from sandbox.clouds.resource import Request, Undetermined, View
from sandbox.clouds.store import Object
from sandbox.values import UNKNOWN

_TYPES = tuple(TEES)
# Series whose plain SEV machines migrate live (Confidential VM documentation, "Live migration"); no others do.
_MIGRATING_SERIES = ("n2d-", "c3d-")
_MAX_METADATA_VALUE = 256 * 1024
_MAX_METADATA = 512 * 1024


def confidential_type(inputs: View) -> str | None:
    """`SEV`, `SEV_SNP` or `TDX`; None for an ordinary instance. Enabled without a type, it is plain SEV."""
    kind = inputs["confidentialInstanceConfig.confidentialInstanceType"]
    if kind is not None:
        return str(kind)
    return "SEV" if inputs["confidentialInstanceConfig.enableConfidentialCompute"] is True else None


def tee_of(inputs: View) -> str | None:
    """The catalogue's name of the TEE that an instance starts with."""
    kind = confidential_type(inputs)
    return None if kind is None else TEES[kind]


def zone_of(request: Request) -> str | None:
    """The zone of an instance; None for a template, which is for any."""
    return request.id.split("/")[3] if request.type.kind == ids.INSTANCE else None


def machine_type_of(request: Request) -> MachineType:
    """The machine type that a request asks for. Raises where there is none of that name."""
    value = request.inputs.text("machineType")
    found = machine_type(ids.short(value))
    if found is None:
        place = f"zones/{zone_of(request)}/" if zone_of(request) else ""
        raise FieldError(
            "machineType",
            f"projects/{request.session.account.id}/{place}machineTypes/{ids.short(value)}",
            "The referenced resource does not exist.",
        )
    return found


def offered(request: Request) -> None:
    """The machine type exists, and is bought in a way that Google sells it."""
    wanted = machine_type_of(request)
    if "on-demand" in wanted.purchase:
        return
    model = request.inputs["scheduling.provisioningModel"] or "STANDARD"
    if str(model).lower().replace("_", "-") not in wanted.purchase:
        sold = ", ".join(name.upper().replace("-", "_") for name in wanted.purchase)
        raise ApiError(
            400,
            f"The machine type {wanted.name} is not available with provisioning model {model}; it is offered with:"
            f" {sold}",
            "badRequest",
        )


def confidential(request: Request) -> None:
    """A confidential instance has a machine type with that TEE, in a zone that has it, and never migrates live."""
    kind = confidential_type(request.inputs)
    if kind is None:
        return
    if kind not in _TYPES:
        raise not_one_of("confidentialInstanceConfig.confidentialInstanceType", kind, _TYPES)
    wanted, zone = machine_type_of(request), zone_of(request)
    require_tee(wanted, kind, zone)
    maintenance = request.inputs["scheduling.onHostMaintenance"] or "MIGRATE"
    if maintenance != "TERMINATE" and not (kind == "SEV" and wanted.name.startswith(_MIGRATING_SERIES)):
        raise FieldError(
            "scheduling.onHostMaintenance",
            maintenance,
            f"Confidential VM instances of type {kind} do not support live migration; onHostMaintenance must be"
            " TERMINATE.",
        )
    platform = request.inputs["minCpuPlatform"]
    if kind == "SEV_SNP" and wanted.min_cpu_platform and platform != wanted.min_cpu_platform:
        raise FieldError(
            "minCpuPlatform",
            platform or "",
            f"Confidential VM instances of type SEV_SNP on {wanted.name} need minimum CPU platform"
            f" '{wanted.min_cpu_platform}'.",
        )


def require_tee(wanted: MachineType, kind: str, zone: str | None) -> None:
    """Refuse a machine type that has not the TEE, or not in that zone."""
    tee = TEES[kind]
    if tee not in wanted.tees:
        raise FieldError(
            "machineType", wanted.name, f"Confidential VM type {kind} is not supported by machine type {wanted.name}."
        )
    if zone is not None and not has_tee(wanted, tee, zone):
        offered_in = ", ".join(each for zones in (wanted.zones or {}).values() for each in zones)
        raise ApiError(
            400,
            f"Zone '{zone}' does not support Confidential VM type {kind} on machine type {wanted.name}."
            f" Zones that do: {offered_in}",
            "badRequest",
        )


def scheduling(request: Request) -> None:
    """What may be taken away at any time is not restarted, and does not migrate."""
    view = request.inputs
    model = view["scheduling.provisioningModel"]
    if model not in (None, "STANDARD", "SPOT", "FLEX_START", "RESERVATION_BOUND"):
        raise not_one_of("scheduling.provisioningModel", model, ("STANDARD", "SPOT", "FLEX_START", "RESERVATION_BOUND"))
    maintenance = view["scheduling.onHostMaintenance"]
    if maintenance not in (None, "MIGRATE", "TERMINATE"):
        raise not_one_of("scheduling.onHostMaintenance", maintenance, ("MIGRATE", "TERMINATE"))
    if model == "SPOT" and view["scheduling.preemptible"] is not True:
        raise RefusedError("scheduling.preemptible must be true when scheduling.provisioning_model is SPOT")
    fleeting = view["scheduling.preemptible"] is True or model in ("SPOT", "FLEX_START")
    if fleeting and view["scheduling.automaticRestart"] is not False:
        raise FieldError(
            "scheduling.automaticRestart",
            "true",
            f"Automatic restart must be false for a {model or 'preemptible'} instance.",
        )
    if model == "FLEX_START" and view["scheduling.maxRunDuration"] is None:
        raise FieldError("scheduling.maxRunDuration", "", "A FLEX_START instance needs a maximum run duration.")
    if fleeting and maintenance == "MIGRATE":
        raise FieldError("scheduling.onHostMaintenance", "MIGRATE", "Preemptible instances must use TERMINATE.")


def image(request: Request) -> None:
    """The image exists and has the guest OS feature of the TEE."""
    value = images.image_of(request.inputs)
    if not value:
        if request.inputs["bootDisk.source"] or request.type.kind != ids.INSTANCE:
            return
        raise RefusedError("one of `boot_disk.initialize_params,boot_disk.source` must be specified")
    capable, kind = images.capabilities(value, request), confidential_type(request.inputs)
    if kind is not None and kind not in capable:
        raise FieldError(
            "disks[0].initializeParams.sourceImage",
            images.reference_of(value, request),
            f"The image does not have the guest OS feature {kind}_CAPABLE that Confidential VM type {kind} needs.",
        )


def interfaces(request: Request) -> None:
    """Each network interface is in a subnetwork of the instance's region."""
    listed = request.inputs.items("networkInterfaces")
    if not listed:
        raise FieldError("networkInterfaces", "", "At least one network interface is required.")
    for index, interface in enumerate(listed):
        field = f"networkInterfaces[{index}]"
        nic = interface["nicType"]
        if nic not in (None, "GVNIC", "VIRTIO_NET", "IDPF", "MRDMA", "IRDMA"):
            raise not_one_of(f"{field}.nicType", nic, ("GVNIC", "VIRTIO_NET", "IDPF", "MRDMA", "IRDMA"))
        if nic == "VIRTIO_NET" and confidential_type(request.inputs) == "TDX":
            raise FieldError(f"{field}.nicType", nic, "Confidential VM instances of type TDX need GVNIC.")
        if interface["subnetwork"] is None:
            _require_auto_mode(request, interface, field)


def _require_auto_mode(request: Request, interface: View, field: str) -> None:
    if interface["network"] is None:
        raise RefusedError(f"exactly one of network, subnetwork, or network_attachment must be provided in {field}")
    network = references.find(request, ids.NETWORK, interface.text("network"))
    if network.inputs.get("autoCreateSubnetworks") is False:
        raise FieldError(field, "", "Subnetwork should be specified for custom subnetmode network")


def metadata(request: Request) -> None:
    """Each value has at most 256 KiB, all of them together 512 KiB."""
    entries = request.inputs["metadata"] or {}
    total = 0
    for key, value in entries.items():
        if value is UNKNOWN:
            raise Undetermined("metadata")
        size = len(str(value).encode())
        total += size + len(key)
        if size > _MAX_METADATA_VALUE:
            raise FieldError(
                "metadata.items", key, f"Value has {size} bytes; at most {_MAX_METADATA_VALUE} are allowed."
            )
    if total > _MAX_METADATA:
        raise FieldError("metadata", "", f"Metadata has {total} bytes; at most {_MAX_METADATA} are allowed.")


def service_account(request: Request) -> None:
    """The instance's account exists, if it is one of this project."""
    email = request.inputs.text("serviceAccount.email")
    if not email.endswith(f"@{request.session.account.id}.iam.gserviceaccount.com"):
        return
    account_id = f"projects/{request.session.account.id}/serviceAccounts/{email}"
    if request.session.lookup(account_id, preview=request.preview) is None and not request.preview:
        raise ApiError(404, f"The resource '{email}' of type 'serviceAccount' was not found.", "notFound")


def stopping(request: Request) -> None:
    """What a running instance does not change is changed when the program allows to stop it."""
    if request.before is None or request.inputs["allowStoppingForUpdate"] is True:
        return
    for path in ("machineType", "minCpuPlatform", "serviceAccount", "shieldedInstanceConfig"):
        if request.changed(path):
            raise RefusedError(
                "Changing the machine_type, min_cpu_platform, service_account, enable_display,"
                " shielded_instance_config, scheduling.node_affinities or network_interface on a started instance"
                " requires stopping it. To acknowledge this, please set allow_stopping_for_update = true in your"
                " config."
            )


def confidential_disk(disk: View, path: str, kind: str, key: str) -> None:
    """Confidential mode of a disk is for Hyperdisk, under a key of the customer."""
    if disk["enableConfidentialCompute"] is not True:
        return
    if not kind.startswith("hyperdisk-"):
        raise FieldError(
            f"{path}.enableConfidentialCompute",
            "true",
            f"Disk type '{kind}' has no confidential mode; use a Hyperdisk.",
        )
    if not key:
        raise FieldError(
            f"{path}.enableConfidentialCompute", "true", "A disk in confidential mode needs a Cloud KMS key."
        )


def boot_disk(request: Request) -> None:
    params = View(request.inputs["bootDisk.initializeParams"] or {})
    key = request.inputs.text("bootDisk.kmsKeySelfLink")
    kind = ids.short(params.text("type") or "pd-standard")
    confidential_disk(params, "disks[0].initializeParams", kind, key)


def protected(item: Object) -> None:
    """An instance with deletion protection is not deleted."""
    if item.inputs.get("deletionProtection") is True:
        raise ApiError(
            400,
            f"Invalid resource usage: 'Resource cannot be deleted if it's protected against deletion.' ({item.id})",
            "resourceInUseByAnotherResource",
        )
