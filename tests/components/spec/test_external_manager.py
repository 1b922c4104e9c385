"""What a stack file says of a key manager outside the cloud."""

from pathlib import Path
from typing import Any

import pytest

from components.spec import RegionSpec, SpecError
from tests.components.gcp.region import GERMANY, MANAGER, write_reference_values

KEY = "bailiwick:keys.externalManager"


@pytest.fixture
def google(tmp_path: Path) -> Path:
    """The reference values of the images of a region in Google Cloud."""
    return write_reference_values(tmp_path)


def read(keys: dict[str, Any], reference_values: Path, **changes: Any) -> RegionSpec:
    return RegionSpec.from_mapping({**GERMANY, **changes, "keys": keys}, reference_values=reference_values)


def test_a_manager_outside_brings_its_key_service(google: Path) -> None:
    keys = read({"externalManager": MANAGER}, google).keys
    assert keys.service == "cloud-ekm"
    assert keys.external_manager is not None
    assert keys.external_manager.host == "keys.trustee.example"


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        ({"service": "cloud-ekm"}, f"{KEY}: is missing: cloud-ekm uses keys of a manager outside the cloud"),
        (
            {"service": "cloud-hsm", "externalManager": MANAGER},
            "bailiwick:keys.service: 'cloud-hsm' makes keys itself, and externalManager is named; nearest",
        ),
        ({"externalManager": {}}, f"{KEY}.operator: is missing"),
        ({"externalManager": "keys.trustee.example"}, f"{KEY}: must be a mapping"),
    ],
)
def test_what_does_not_go_together(keys: dict[str, Any], problem: str, google: Path) -> None:
    with pytest.raises(SpecError) as refused:
        read(keys, google)
    assert problem in str(refused.value)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"jurisdiction": "US"}, ".jurisdiction: 'US' is outside the jurisdiction DE, and the region's keys are there"),
        ({"jurisdiction": "DEE"}, ".jurisdiction: 'DEE' is not a jurisdiction of the catalogue; nearest valid: EE"),
        ({"legalReach": ["DE", "UUS"]}, ".legalReach[1]: 'UUS' is not a jurisdiction of the catalogue"),
        ({"legalReach": []}, ".legalReach: "),
        ({"host": "https://keys.trustee.example"}, ".host: 'https://keys.trustee.example' has the wrong form"),
        ({"connection": "10.0.0.9"}, ".connection: '10.0.0.9' has not the form that gcp takes: projects/<project>/"),
        ({"path": "/v0/keys"}, ".path: '/v0/keys' has not the form that gcp takes: a crypto space without a leading"),
        ({"certificates": []}, ".certificates: is missing: gcp cannot use an external manager without it"),
        ({"certificates": 11 * MANAGER["certificates"]}, ".certificates: "),
        ({"mode": "MANUAL"}, ".mode: is not a key"),
    ],
)
def test_one_line_for_each_mistake(change: dict[str, Any], problem: str, google: Path) -> None:
    with pytest.raises(SpecError) as refused:
        read({"externalManager": MANAGER | change}, google)
    assert [str(one) for one in refused.value.problems if str(one).startswith(KEY + problem)], refused.value


def test_what_is_no_certificate_is_not_shown(google: Path) -> None:
    private = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n"
    with pytest.raises(SpecError, match="is no certificate in PEM") as refused:
        read({"externalManager": MANAGER | {"certificates": [private]}}, google)
    assert "c2VjcmV0" not in str(refused.value)


def test_another_cloud_has_no_such_manager(google: Path) -> None:
    changes = {"cloud": "azure", "location": "germanywestcentral", "projectId": "", "machines": [], "verifier": {}}
    with pytest.raises(SpecError, match="externalManager: is not built for azure: only for gcp and aws"):
        read({"externalManager": MANAGER}, google, **changes)
