"""The images that the emulated region boots, and their signed reference values."""

from sandbox.region.images.build import BUILD_KEY, REFERENCE_VALUES, build
from sandbox.region.images.gallery import Component, Image, TrustDomainImage, find, gallery

__all__ = ["BUILD_KEY", "REFERENCE_VALUES", "Component", "Image", "TrustDomainImage", "build", "find", "gallery"]
