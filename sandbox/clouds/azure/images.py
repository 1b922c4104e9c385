"""What a virtual machine boots from: a gallery image version, or a marketplace image."""

from dataclasses import dataclass

from sandbox.clouds.azure import arm
from sandbox.clouds.resource import CloudError, Request, View

GALLERY = "Microsoft.Compute/galleries"
GALLERY_IMAGE = f"{GALLERY}/images"
GALLERY_VERSION = f"{GALLERY_IMAGE}/versions"
_REFERENCE = "storageProfile.imageReference"
# Marketplace publishers whose images the emulated cloud knows; an offer or plan with `cvm` in it boots
# confidential machines (Canonical's and Microsoft's naming).
_PUBLISHERS = ("canonical", "microsoftwindowsserver", "microsoft-dsvm", "redhat", "suse", "debian", "nvidia")


@dataclass(frozen=True, slots=True)
class Image:
    """An image as a machine sees it. A specialized one carries its own users and takes no OS profile;
    None where that is not known."""

    reference: str
    security_types: tuple[str, ...]
    specialized: bool | None


def image_of(request: Request) -> Image | None:
    """The image of a virtual machine; None for one that attaches an existing disk. Raises `CloudError`."""
    reference = request.inputs[_REFERENCE]
    if reference is None:
        if request.inputs["storageProfile.osDisk.createOption"] == "Attach":
            return None
        raise CloudError("InvalidParameter", "Required parameter 'imageReference' is missing (null).")
    view = View(reference)
    return _from_gallery(request, view.text("id")) if view["id"] is not None else _from_marketplace(view)


def text_of(request: Request) -> str:
    """The image reference as one string: an ARM id, or `publisher:offer:sku:version`."""
    view = View(request.inputs[_REFERENCE] or {})
    if view["id"] is not None:
        return view.text("id")
    return ":".join(view.text(name) for name in ("publisher", "offer", "sku", "version"))


def _from_gallery(request: Request, reference: str) -> Image:
    target = arm.parse(reference)
    if target is None or target.kind.lower() not in (GALLERY_VERSION.lower(), GALLERY_IMAGE.lower()):
        raise CloudError(
            "InvalidParameter",
            f"The value '{reference}' of parameter 'imageReference.id' is not the id of a gallery image version.",
        )
    facts = request.session.hardware.image(reference)
    if facts is not None:
        return Image(reference, tuple(facts["securityTypes"]), facts.get("specialized"))
    version = request.session.lookup(reference, preview=request.preview)
    if version is None:
        raise CloudError(
            "GalleryImageNotFound",
            f"The gallery image {reference} is not available in {request.inputs.text('location')} region. Please"
            " contact image owner to replicate to this region, or change your requested region.",
        )
    definition = version if version.kind == GALLERY_IMAGE else request.find(version.parent)
    return _from_definition(reference, View(definition.inputs))


def _from_definition(reference: str, definition: View) -> Image:
    """The security types that a gallery image definition's features allow."""
    features = {item.text("name"): item.text("value") for item in definition.items("features")}
    security = features.get("SecurityType", "Standard")
    types = {
        "ConfidentialVM": ("ConfidentialVM",),
        "ConfidentialVmSupported": ("ConfidentialVM", "Standard"),
        "TrustedLaunch": ("TrustedLaunch",),
        "TrustedLaunchSupported": ("TrustedLaunch", "Standard"),
        "TrustedLaunchAndConfidentialVmSupported": ("TrustedLaunch", "ConfidentialVM", "Standard"),
    }.get(security, ("Standard",))
    return Image(reference, types, definition["osState"] == "Specialized")


def _from_marketplace(view: View) -> Image:
    for name in ("publisher", "offer", "sku", "version"):
        if view[name] is None:
            raise CloudError("InvalidParameter", f"Required parameter 'imageReference.{name}' is missing (null).")
    reference = ":".join(view.text(name) for name in ("publisher", "offer", "sku", "version"))
    if view.text("publisher").lower() not in _PUBLISHERS:
        raise CloudError(
            "PlatformImageNotFound",
            f"The platform image '{reference}' is not available. Verify that all fields in the storage profile are"
            " correct.",
        )
    confidential = "cvm" in f"{view.text('offer')}:{view.text('sku')}".lower() or "confidential" in view.text("offer")
    types = ("ConfidentialVM", "TrustedLaunch", "Standard") if confidential else ("TrustedLaunch", "Standard")
    return Image(reference, types, specialized=False)
