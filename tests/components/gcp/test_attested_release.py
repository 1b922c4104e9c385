"""The right to decrypt for attested workloads."""

from components.gcp import AttestedRelease, AttestedReleaseArgs, Placement
from components.release import Authority, ReleasePolicy, Tee
from tests.components.gcp import region

GOOGLE = "https://confidentialcomputing.googleapis.com"
DIGEST = "sha256:" + "12" * 32


def test_a_pool_believes_one_issuer_and_the_key_one_container(placement: Placement) -> None:
    policy = ReleasePolicy(
        jurisdiction="EU",
        data_class="confidential",
        tees=(Tee.TDX,),
        image_digests=(DIGEST,),
        authorities=(Authority(uri=GOOGLE, jurisdiction="DE"),),
    )
    args = AttestedReleaseArgs(
        placement=placement, role="llm", key_id="key", policy=policy, service_accounts=("workload@example.org",)
    )
    found = region.record(lambda: AttestedRelease("release", args))
    provider, grant = found["release-provider"].inputs, found["release-decrypt-0"].inputs
    assert provider["oidc"]["issuerUri"] == GOOGLE
    assert 'assertion.swname == "CONFIDENTIAL_SPACE"' in provider["attributeCondition"]
    pool = found["release-pool"].inputs["workloadIdentityPoolId"]
    assert grant["member"] == (
        f"principalSet://iam.googleapis.com/projects/1234567/locations/global/workloadIdentityPools/{pool}"
        f"/attribute.image_digest/{DIGEST}"
    )
    assert grant["role"] == "roles/cloudkms.cryptoKeyDecrypter"
    assert "release-provider" in found["release-decrypt-0"].depends_on
