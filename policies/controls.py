"""Requirements of published frameworks, as rules name them.

The mapping follows the initiatives that Azure publishes for the nearest built-in rule; that to the EU Cloud Sovereignty
Framework is Bailiwick's own (IaC can evidence parts of SOV-2 to SOV-7, never SOV-1 or SOV-8).
"""

from dataclasses import dataclass

FRAMEWORKS = {
    "sov": "EU Cloud Sovereignty Framework 1.2.1",
    "c5": "BSI C5:2020",
    "nist": "NIST SP 800-53 rev. 5",
    "ccm": "CSA CCM 4",
    "cis_gcp": "CIS Google Cloud Platform",
    "dora": "DORA (EU) 2022/2554",
    "nis2": "NIS 2 (EU) 2022/2555",
    "ai_act": "EU AI Act (EU) 2024/1689",
}


@dataclass(frozen=True, slots=True)
class Control:
    """One requirement: `NIST SP 800-53 rev. 5`, `SC-28`."""

    framework: str
    requirement: str


def controls(**requirements: str) -> tuple[Control, ...]:
    """The requirements, by the keys of `FRAMEWORKS`, several separated by a comma: `nist="SC-28, IA-5"`."""
    return tuple(
        Control(FRAMEWORKS[framework], requirement.strip())
        for framework, listed in requirements.items()
        for requirement in listed.split(",")
    )
