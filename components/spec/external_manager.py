"""A key manager outside the cloud: what a stack file says of it, and what each cloud takes.

Forms and lengths are those of the clouds: `ServiceResolver` and `cryptoSpacePath` of Google's `EkmConnection` (Cloud
KMS API v1), and `CreateCustomKeyStore` with `CreateKey` of AWS KMS (API 2014-11-01).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from catalog import Catalog, nearest
from components.spec.base import Spec
from components.spec.problems import Problem, key_path

KEY: Final = "externalManager"
MOST_CERTIFICATES: Final = 10
_CERTIFICATE: Final = r"^-----BEGIN CERTIFICATE-----\n([A-Za-z0-9+/=]{1,64}\n)+-----END CERTIFICATE-----\n?$"
_HOST: Final = r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$"


def _certificate(text: str) -> str:
    """The text, if it is a certificate in PEM (RFC 7468, 5). What is none is not shown: it may be a private key."""
    if not re.fullmatch(_CERTIFICATE, text):
        raise PydanticCustomError("certificate", "is no certificate in PEM (-----BEGIN CERTIFICATE-----)")
    return text


Certificate = Annotated[str, AfterValidator(_certificate), Field(json_schema_extra={"pattern": _CERTIFICATE})]


XksKeyId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,128}$")]


class ExternalManagerSpec(Spec):
    """A key manager that the customer chose, outside the cloud: keys are made there, and stay there."""

    operator: Annotated[str, Field(examples=["Example Trustee"])] = Field(
        min_length=1, max_length=100, description="Who runs it: the customer, or a trustee."
    )
    jurisdiction: str = Field(description="Jurisdiction in whose territory it runs; inside the region's own.")
    legal_reach: tuple[str, ...] = Field(
        min_length=1, description="Jurisdictions whose law can compel its operator, wherever it runs."
    )
    host: Annotated[str, Field(pattern=_HOST, examples=["keys.trustee.example"])] = Field(
        description="Host name by which the cloud's key service reaches it, over the private network."
    )
    connection: str = Field(
        description="The way there. Google Cloud: the Service Directory service "
        "(projects/…/locations/…/namespaces/…/services/…). AWS: the VPC endpoint service (com.amazonaws.vpce.…)."
    )
    path: str = Field(
        description="Where the region's keys are in it. Google Cloud: the crypto space, such as "
        "v0/cryptospaces/sovereign. AWS: the path of its proxy, which ends in /kms/xks/v1."
    )
    certificates: tuple[Certificate, ...] = Field(
        default=(),
        max_length=MOST_CERTIFICATES,
        description="Google Cloud: the server certificates (PEM) with which the host answers, 1 to 10.",
    )
    keys: dict[str, XksKeyId] = Field(
        default={},
        examples=[{"os-disk": "disks", "store": "store", "model-llm": "llm"}],
        description="AWS: for each key of the region (os-disk, store, model-<name>) the id of the manager's key, each "
        "another one. Google Cloud has the manager make the keys, and takes no names.",
    )


@dataclass(frozen=True, slots=True)
class _Form:
    """What one cloud takes for a field."""

    pattern: str
    words: str


@dataclass(frozen=True, slots=True)
class _Terms:
    """What one provider's key service asks of an external manager."""

    forms: Mapping[str, _Form]
    """By field of the section."""
    own: tuple[str, ...]
    """Fields that this provider needs and others do not have."""


_TERMS: Final[Mapping[str, _Terms]] = {
    "gcp": _Terms(
        forms={
            "connection": _Form(
                r"projects/[^/\s]+/locations/[^/\s]+/namespaces/[^/\s]+/services/[^/\s]+",
                "projects/<project>/locations/<region>/namespaces/<namespace>/services/<service>",
            ),
            "path": _Form(r"[^/\s]\S*", "a crypto space without a leading '/', such as v0/cryptospaces/sovereign"),
        },
        own=("certificates",),
    ),
    "aws": _Terms(
        forms={
            "connection": _Form(
                r"(com|eu)\.amazonaws\.vpce\.([a-z]+-){2,3}\d+\.vpce-svc-[0-9a-z]+",
                "com.amazonaws.vpce.<region>.vpce-svc-<id>",
            ),
            "path": _Form(r"(?=.{10,128}$)(/[a-zA-Z0-9/_-]+)?/kms/xks/v\d{1,2}", "a path that ends in /kms/xks/v1"),
        },
        own=("keys",),
    ),
}
"""By provider that an external manager is built for."""
_OWN = tuple(dict.fromkeys(field for terms in _TERMS.values() for field in terms.own))


def external_manager_problems(given: object, facts: Catalog, provider: str, jurisdiction: object) -> Iterator[Problem]:
    """What is wrong with `keys.externalManager` of a region on `provider` in `jurisdiction`."""
    path = ("keys", KEY)
    if provider not in _TERMS:
        yield Problem(key_path(*path), f"is not built for {provider}: only for {' and '.join(_TERMS)}")
        return
    if not isinstance(given, Mapping):
        return
    for field in _OWN:
        if field in _TERMS[provider].own and not given.get(field):
            yield Problem(key_path(*path, field), f"is missing: {provider} cannot use an external manager without it")
        elif field not in _TERMS[provider].own and given.get(field):
            yield Problem(key_path(*path, field), f"is not for {provider}: leave the key out")
    for field, form in _TERMS[provider].forms.items():
        value = given.get(field)
        if isinstance(value, str) and not re.fullmatch(form.pattern, value):
            yield Problem(key_path(*path, field), f"'{value}' has not the form that {provider} takes: {form.words}")
    yield from _place(given, facts, jurisdiction)


def _place(given: Mapping[str, Any], facts: Catalog, jurisdiction: object) -> Iterator[Problem]:
    """Where the manager is and whose law reaches it: known areas, and the manager's inside the region's."""
    area, reach = given.get("jurisdiction"), given.get("legalReach")
    named: list[tuple[tuple[str | int, ...], object]] = [(("jurisdiction",), area)]
    named += [(("legalReach", at), one) for at, one in enumerate(reach if isinstance(reach, list | tuple) else ())]
    for where, one in named:
        if isinstance(one, str) and one not in facts.jurisdictions:
            found = f"'{one}' is not a jurisdiction of the catalogue"
            yield Problem(key_path("keys", KEY, *where), found, nearest(one, facts.jurisdictions))
    areas = [one for one in (area, jurisdiction) if isinstance(one, str) and one in facts.jurisdictions]
    if len(areas) == 2 and not facts.within(*areas):
        found = f"'{area}' is outside the jurisdiction {jurisdiction}, and the region's keys are there"
        yield Problem(key_path("keys", KEY, "jurisdiction"), found, str(jurisdiction))
