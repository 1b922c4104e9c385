"""The part of an appraisal policy that is about tokens that others issued: key `tokens` of a policy file.

A token is a third party's word: that it verified evidence which nobody here has seen. By default nobody is believed.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class TokenPolicy(BaseModel):
    """Whose tokens are believed, beyond what policies demand of every kind of evidence."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    issuers: frozenset[str] = Field(
        frozenset(), description="Names of the issuers whose word is taken (`verifier/tokens/issuers.yaml`)."
    )
    operator_countries: frozenset[str] | None = Field(
        None, description="Countries whose law the issuer's operator may be under; None: any."
    )
    audiences: frozenset[str] | None = Field(None, description="Acceptable audiences (`aud`); None: not looked at.")
    measurements: frozenset[str] | None = Field(
        None,
        description="Acceptable launch measurements, MRTDs (hex) or digests of container images (`sha256:…`). None: "
        "what was started is not known, which `reference_values: if-given` alone accepts.",
    )
