"""What the host is told of a virtual machine that it boots, one of its own or one of a scale set."""

import base64

from sandbox.clouds.azure import arm, compute_rules, images
from sandbox.clouds.hardware import Machine
from sandbox.clouds.resource import Request


def machine(
    request: Request, *, machine_id: str, name: str, location: str, zone: str | None, private_ip: str, subnet_id: str
) -> Machine:
    """The machine that `request` describes; a specialized image takes no OS profile, and is told `userData`."""
    inputs, size = request.inputs, compute_rules.machine_size(request)
    told = inputs["osProfile.customData"] or inputs["userData"]
    return Machine(
        id=machine_id,
        name=name,
        location=arm.normal_location(location),
        zone=zone,
        size=size.name,
        tee=size.tee,
        image_reference=images.text_of(request),
        custom_data=None if told is None else base64.b64decode(told),
        private_ip=private_ip,
        network_id=subnet_id.rsplit("/subnets/", 1)[0],
        secure_boot=inputs["securityProfile.uefiSettings.secureBootEnabled"] is True,
        vtpm=inputs["securityProfile.uefiSettings.vTpmEnabled"] is True,
        gpu=size.gpu,
        paravisor=size.tee is not None,
    )
