"""Fixtures of the AWS components' tests."""

from pathlib import Path

import pytest

from components.aws import Placement
from components.release import Authority, MinimumTcb, ReleasePolicy, Tee
from tests.components.aws import region
from tests.components.recorder import Recording


@pytest.fixture(scope="session")
def reference_values(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the reference values of every image that the tests name."""
    return region.write_reference_values(tmp_path_factory.mktemp("reference-values"))


@pytest.fixture(scope="session")
def ireland(reference_values: Path) -> Recording:
    """The region of `region.IRELAND`, recorded once."""
    return region.deploy(region.IRELAND, reference_values)


@pytest.fixture
def placement() -> Placement:
    return region.placement()


@pytest.fixture
def sovereign() -> Placement:
    """A place in the European Sovereign Cloud."""
    return region.placement(cloud="aws-eusc", location="eusc-de-east-1")


@pytest.fixture(scope="session")
def release_policy() -> ReleasePolicy:
    return ReleasePolicy(
        jurisdiction="EU",
        data_class="confidential",
        tees=(Tee.SNP,),
        launch_measurements=("aa" * 48,),
        minimum_tcb=MinimumTcb(bootloader=4, tee=0, snp=22, microcode=213),
        authorities=(Authority(uri="http://verifier.aws-ireland.bailiwick.internal:8443", jurisdiction="IE"),),
    )
