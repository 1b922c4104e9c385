"""How the data plane of a Managed HSM refuses: an HTTP status with a code and a message."""


class HsmRefusal(Exception):  # noqa: N818 - an answer of the service, which the transport sends
    """`{"error": {"code": …, "message": …}}` with a status."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.status = status
        self.code = code
        self.message = message


def bad_parameter(message: str) -> HsmRefusal:
    return HsmRefusal(400, "BadParameter", message)


def not_found(code: str, message: str) -> HsmRefusal:
    return HsmRefusal(404, code, message)


def forbidden(message: str) -> HsmRefusal:
    return HsmRefusal(403, "Forbidden", message)


def conflict(message: str) -> HsmRefusal:
    return HsmRefusal(409, "Conflict", message)
