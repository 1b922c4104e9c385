"""Refusals in Google's wording: those of the APIs, and those of the provider before it calls one."""

from sandbox.clouds.resource import CloudError
from sandbox.provider import ProviderError
from sandbox.values import Value


class ApiError(CloudError):
    """`googleapi: Error 400: message, reason`."""

    def __init__(self, status: int, message: str, reason: str) -> None:
        super().__init__(f"googleapi: Error {status}", f"{message}, {reason}")


class FieldError(ApiError):
    """A field that Compute Engine names in its refusal."""

    def __init__(self, field: str, value: Value, why: str) -> None:
        super().__init__(400, f"Invalid value for field 'resource.{field}': '{value}'. {why}", "invalid")


class NotFoundError(ApiError):
    def __init__(self, object_id: str) -> None:
        super().__init__(404, f"The resource '{object_id}' was not found", "notFound")


class RefusedError(CloudError):
    """What the provider itself refuses; it has no code."""

    def __init__(self, message: str) -> None:
        ProviderError.__init__(self, message)
        self.code = "provider"


def not_one_of(path: str, found: Value, allowed: tuple[str, ...]) -> RefusedError:
    listed = " ".join(f'"{value}"' for value in allowed)
    return RefusedError(f"expected {path} to be one of [{listed}], got {found}")
