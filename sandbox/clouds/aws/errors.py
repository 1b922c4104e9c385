"""What AWS refuses, in one line: the service's own code and message, or botocore's where a request is malformed."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from sandbox.clouds.resource import CloudError


@contextmanager
def translated() -> Iterator[None]:
    """Raise `CloudError` for what boto3 raises."""
    try:
        yield
    except ClientError as error:
        answer = error.response.get("Error", {})
        raise CloudError(
            str(answer.get("Code") or "Unknown"), f"{error.operation_name}: {_one_line(str(answer.get('Message')))}"
        ) from None
    except ParamValidationError as error:
        raise CloudError("ValidationException", _one_line(str(error))) from None
    except BotoCoreError as error:
        raise CloudError("InvalidRequest", _one_line(str(error))) from None
    except NotImplementedError as error:
        raise CloudError("NotEmulated", f"moto does not emulate this request: {_one_line(str(error))}") from None


def _one_line(text: str) -> str:
    return " ".join(text.split())
