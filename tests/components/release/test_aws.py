"""Release policies as statements of a KMS key policy."""

import dataclasses

import pytest

from components.release import Authority, MinimumTcb, ReleasePolicy, ReleasePolicyError, Tee
from components.release.aws import Caller, NitroMeasurements, compile_policy

ROLE = "arn:aws:iam::000000000000:role/verifier"
PCR = "ab" * 48
ZEROS = "0" * 96
POLICY = ReleasePolicy(
    jurisdiction="EU",
    data_class="confidential",
    tees=(Tee.SNP,),
    launch_measurements=("aa" * 48,),
    minimum_tcb=MinimumTcb(bootloader=4, tee=0, snp=22, microcode=213),
    authorities=(Authority(uri="http://verifier.example:8443", jurisdiction="IE"),),
)
CALLER = Caller(ROLE, "vpc-1")


def test_one_caller_is_allowed_and_everybody_else_denied() -> None:
    allow, deny = compile_policy(POLICY, CALLER).document["Statement"]
    assert (allow["Effect"], allow["Principal"], allow["Action"]) == ("Allow", {"AWS": ROLE}, ["kms:Decrypt"])
    assert (deny["Effect"], deny["Principal"]) == ("Deny", "*")
    assert deny["Condition"] == {"StringNotEquals": {"aws:PrincipalArn": ROLE}}


def test_what_kms_cannot_check_is_listed_and_never_dropped() -> None:
    unexpressed = {one.condition for one in compile_policy(POLICY, CALLER).cannot_express}
    assert unexpressed == {
        "tees",
        "launch_measurements",
        "minimum_tcb",
        "vmpl",
        "allow_debug",
        "allow_migration",
        "authorities",
        "max_token_seconds",
        "data_class",
    }
    assert unexpressed < set(ReleasePolicy.model_fields)


def test_a_caller_on_nitro_is_measured_as_well() -> None:
    measured = NitroMeasurements(image_sha384=PCR, pcrs={8: PCR}, nitro_tpm_pcrs={4: PCR, 12: PCR})
    allow, _ = compile_policy(POLICY, dataclasses.replace(CALLER, measurements=measured)).document["Statement"]
    assert allow["Condition"]["StringEqualsIgnoreCase"] == {
        "kms:RecipientAttestation:PCR8": PCR,
        "kms:RecipientAttestation:NitroTPMPCR4": PCR,
        "kms:RecipientAttestation:NitroTPMPCR12": PCR,
        "kms:RecipientAttestation:ImageSha384": PCR,
    }


def test_an_attestable_image_is_passed_no_command_line() -> None:
    measured = NitroMeasurements(nitro_tpm_pcrs={4: PCR, 12: ZEROS})
    allow, _ = compile_policy(POLICY, dataclasses.replace(CALLER, measurements=measured)).document["Statement"]
    assert allow["Condition"]["StringEqualsIgnoreCase"]["kms:RecipientAttestation:NitroTPMPCR12"] == ZEROS


@pytest.mark.parametrize(
    ("measurements", "says"),
    [
        (NitroMeasurements(), "are empty, so that any Nitro caller would do"),
        (NitroMeasurements(pcrs={0: "abc"}), "PCR0: must be a SHA-384 in hexadecimal"),
        (
            NitroMeasurements(nitro_tpm_pcrs={4: ZEROS, 12: ZEROS}),
            "NitroTPMPCR4: must be a SHA-384 in hexadecimal, and",
        ),
        (NitroMeasurements(nitro_tpm_pcrs={12: ZEROS}), "NitroTPMPCR12: names no image by itself; add NitroTPMPCR4"),
        (NitroMeasurements(nitro_tpm_pcrs={12: PCR}), "NitroTPMPCR12: names no image by itself; add NitroTPMPCR4"),
        (NitroMeasurements(image_sha384=ZEROS), "ImageSha384: must be a SHA-384 in hexadecimal, and not all zeros"),
    ],
)
def test_measurements_that_would_let_anybody_in_are_refused(measurements: NitroMeasurements, says: str) -> None:
    with pytest.raises(ReleasePolicyError, match=says):
        compile_policy(POLICY, dataclasses.replace(CALLER, measurements=measurements))


def test_a_verifier_abroad_is_refused() -> None:
    abroad = POLICY.model_copy(update={"authorities": (Authority(uri="https://a.example", jurisdiction="US"),)})
    with pytest.raises(ReleasePolicyError, match="authority outside EU"):
        compile_policy(abroad, CALLER)
