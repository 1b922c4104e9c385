"""Release policies as conditions of a workload identity pool."""

import pytest

from components.release import Authority, MinimumTcb, ReleasePolicy, ReleasePolicyError, Tee
from components.release.gcp import compile_policy, member

GOOGLE = "https://confidentialcomputing.googleapis.com"
NEAR = (Authority(uri=GOOGLE, jurisdiction="NL"),)
OWN = "https://verifier.example.org"
DIGESTS = ("sha256:" + "12" * 32, "sha256:" + "34" * 32)
SIGNER = "ECDSA_P256_SHA256:" + "56" * 32
ACCOUNTS = ("workload@project.iam.gserviceaccount.com",)


def policy(uri: str = GOOGLE, *tees: Tee, **changes: object) -> ReleasePolicy:
    return ReleasePolicy.model_validate(
        {
            "jurisdiction": "EU",
            "data_class": "confidential",
            "tees": tees or (Tee.TDX,),
            "launch_measurements": ("aa" * 48, "bb" * 48),
            "image_digests": DIGESTS,
            "minimum_tcb": MinimumTcb(bootloader=4, tee=0, snp=22, microcode=213) if Tee.SNP in tees else None,
            "authorities": (Authority(uri=uri, jurisdiction="DE"),),
            **changes,
        }
    )


def test_confidential_space_is_held_to_hardware_software_place_account_and_container() -> None:
    compiled = compile_policy(policy(jurisdiction="NL", authorities=NEAR), service_accounts=ACCOUNTS)
    assert compiled.document == {
        "issuer": GOOGLE,
        "allowedAudiences": ["https://sts.googleapis.com"],
        "attributeCondition": (
            'assertion.swname == "CONFIDENTIAL_SPACE" && assertion.hwmodel in ["GCP_INTEL_TDX", "INTEL_TDX"] && '
            '"STABLE" in assertion.submods.confidential_space.support_attributes && '
            '["europe-west4-"].exists(region, assertion.submods.gce.zone.startsWith(region)) && '
            f'["{ACCOUNTS[0]}"].exists(account, account in assertion.google_service_accounts) && '
            'assertion.dbgstat == "disabled-since-boot"'
        ),
        "attributeMapping": {
            "google.subject": "assertion.sub",
            "attribute.image_digest": "assertion.submods.container.image_digest",
        },
        "binding": {
            "role": "roles/cloudkms.cryptoKeyDecrypter",
            "attribute": "image_digest",
            "values": list(DIGESTS),
        },
    }
    assert {one.condition for one in compiled.cannot_express} >= {"launch_measurements", "vmpl", "allow_migration"}


def test_an_image_can_be_named_by_its_signer_alone() -> None:
    document = compile_policy(policy(image_digests=(), image_signers=(SIGNER,)), service_accounts=ACCOUNTS).document
    assert document["binding"] == {
        "role": "roles/cloudkms.cryptoKeyDecrypter",
        "attribute": "image_signer",
        "values": [SIGNER],
    }
    assert f'["{SIGNER}"].exists(signer, signer in ' in document["attributeCondition"]


def test_debug_is_let_in_only_where_the_policy_says_so() -> None:
    compiled = compile_policy(policy(allow_debug=True), service_accounts=ACCOUNTS)
    assert "dbgstat" not in compiled.document["attributeCondition"]


def test_a_verifier_of_one_s_own_states_the_measurement() -> None:
    compiled = compile_policy(policy(OWN, Tee.SNP, Tee.TDX))
    condition = compiled.document["attributeCondition"]
    taken = '["snp", "az-snp-vtpm", "aws-snp-nitrotpm"]'
    assert f'assertion["ear.status"] == "affirming" && assertion.tee in {taken}' in condition
    assert f'["{"aa" * 48}", "{"bb" * 48}"]' in condition
    assert compiled.document["binding"]["values"] == ["aa" * 48, "bb" * 48]
    with_tpm = compile_policy(policy(OWN, Tee.SNP, vtpm=True)).document["attributeCondition"]
    assert 'assertion.tee in ["az-snp-vtpm", "aws-snp-nitrotpm"]' in with_tpm
    lost = {one.condition: one.reason for one in compiled.cannot_express}
    assert "tdx is not compiled" in lost["tees"]


@pytest.mark.parametrize(
    ("asked", "accounts", "problem"),
    [
        (policy(GOOGLE, Tee.SNP), ACCOUNTS, "no name for SEV-SNP hardware; nearest supported: tdx"),
        (policy(image_digests=()), ACCOUNTS, "name the images by image_digests or image_signers"),
        (policy(), (), "service_accounts: name whom the workload runs as"),
        (policy(), ('a"b',), "cannot stand in a condition"),
        (policy(OWN), (), "compiled for SEV-SNP only"),
        (policy(OWN, Tee.SNP, launch_measurements=()), (), "a verifier's results know no containers"),
        (policy("http://verifier.internal:8443", Tee.SNP), (), "Google believes https issuers only"),
        (
            policy(authorities=(Authority(uri=GOOGLE, jurisdiction="US"),)),
            ACCOUNTS,
            r"authority outside EU: https://confidentialcomputing.googleapis.com \(US\)",
        ),
        (
            policy(authorities=(Authority(uri=GOOGLE, jurisdiction="DE"), Authority(uri=OWN, jurisdiction="DE"))),
            ACCOUNTS,
            "believes one issuer",
        ),
    ],
)
def test_what_could_only_be_widened_is_refused(asked: ReleasePolicy, accounts: tuple[str, ...], problem: str) -> None:
    with pytest.raises(ReleasePolicyError, match=problem):
        compile_policy(asked, service_accounts=accounts)


def test_a_policy_for_snp_has_a_floor() -> None:
    with pytest.raises(ValueError, match="minimum_tcb"):
        policy(GOOGLE, Tee.SNP, minimum_tcb=None)


def test_members_are_named_by_attribute() -> None:
    assert member("projects/1/locations/global/workloadIdentityPools/p", "measurement", "ab") == (
        "principalSet://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/attribute.measurement/ab"
    )
