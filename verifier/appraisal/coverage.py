"""What a policy says of executables that nothing is at hand to compare with."""

from __future__ import annotations

from verifier.appraisal.policy import AppraisalPolicy
from verifier.appraisal.vector import Value


def without_values(policy: AppraisalPolicy, what: str = "reference values", *, given: bool = False) -> tuple[int, str]:
    """Score and reason: no claim is made only where the policy neither demands reference values, nor names images, nor
    lists what may run elsewhere or on top: whoever knows that lets nothing unknown run here.

    what: what is missing. given: whether there were reference values, none of which is for this.
    """
    if given:
        score, reason = Value.UNRECOGNIZED_EXECUTABLES, f"{what} are not among those that were given"
    elif policy.reference_values == "required":
        score, reason = Value.UNRECOGNIZED_EXECUTABLES, f"the policy demands {what}, none were given"
    elif policy.images is not None:
        accepted = ", ".join(sorted(policy.images)) or "no image"
        score, reason = Value.UNRECOGNIZED_EXECUTABLES, f"the policy accepts {accepted}, and no {what} were given"
    elif elsewhere := policy.lists:
        score, reason = Value.UNRECOGNIZED_EXECUTABLES, f"the policy lists {elsewhere} alone, and no {what} were given"
    else:
        score, reason = Value.NOT_APPRAISED, f"no {what} were given"
    return score, f"{reason}: what booted is not known"
