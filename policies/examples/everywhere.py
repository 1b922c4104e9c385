"""Examples of rules that judge what every cloud's components state alike: the verifier, the graph, the gateway.

They are Azure's examples (`policies.rules`) under the names and in the places of another cloud.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from policies.examples import aws, azure, common, components, gcp, kubernetes
from policies.examples.common import but
from policies.rule import Covered, Example, ExampleResource

_POLICY: Final = "guestConfiguration.resources.0.policy"
_KEYS: Final = {"kind": "keys", "carries": "keys"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What differs from cloud to cloud."""

    components: str
    """How the names of the cloud's components begin: `Gcp`."""
    config: Mapping[str, str]
    real: Mapping[str, str]
    """What makes `config` that of a stack that is not emulated."""
    location: str
    jurisdiction: str
    abroad: str
    """A place outside the jurisdiction."""
    machines: tuple[ExampleResource, ...]
    """A machine, last, and what makes it confidential where that is a resource of its own."""
    processor_alone: tuple[str, ...] = ()
    """Why evidence of the processor alone says nothing of an image there; empty where it does."""
    told_by: str | None
    """The property by which a machine is told its configuration; None where that is a file of its own."""


def covered(place: Place) -> Mapping[str, Covered]:
    """By id of the rule: its examples for the components of one cloud."""
    verifier = components.verifier_on(place.components)
    its_machine = but(place.machines[-1], {}, name="verifier-0", parent="verifier")
    cache = ExampleResource(f"bailiwick:index:{place.components}CollateralCache", "collateral", {})
    gateway = but(components.GATEWAY, {}, type=f"bailiwick:index:{place.components}ModelGateway")
    here = {"location": place.location, "jurisdiction": place.jurisdiction}
    debugged = {f"{_POLICY}.debug": True}
    sandboxed = {"guestConfiguration.trust_anchors": ["sandbox"]}

    def told(changes: Mapping[str, Any]) -> tuple[ExampleResource, ...]:
        """The verifier's machine as it is told the verifier's configuration, changed."""
        if place.told_by is None:
            return ()
        return (but(its_machine, {place.told_by: json.dumps(but(verifier, changes).props["guestConfiguration"])}),)

    def example(says: str, *resources: ExampleResource, **others: str) -> Example:
        return Example(says, resources, {**place.config, **others})

    def region(**edge: str) -> ExampleResource:
        return components.region(edge, cloud=place.components)

    def state(**others: str) -> dict[str, str]:
        return {"state": common.state(**{"location": place.location, **others})}

    return {
        "RES-07": Covered(
            example("State in the region.", verifier, **state()),
            (
                example("State in another country.", verifier, **state(location=place.abroad)),
                example("Pulumi's own service.", verifier, **state(backend="https://api.pulumi.com")),
            ),
        ),
        "RES-11": Covered(
            example("Keys stay.", region(**_KEYS, **here)),
            (
                example("Keys elsewhere.", region(**_KEYS, location=place.abroad, jurisdiction="US")),
                example(
                    "Collateral from no place.",
                    region(kind="collateral", carries="evidence", location="global", jurisdiction="US"),
                ),
            ),
        ),
        "RES-12": Covered(
            example(
                "A region with its guard.",
                region(**_KEYS, **here),
                ExampleResource(f"bailiwick:index:{place.components}ResidencyGuard", "guard", {}, parent="region"),
            ),
            (example("A region without one.", region(**_KEYS, **here)),),
        ),
        "ATT-01": Covered(
            example("A machine, and a verifier on a machine of its own.", verifier, its_machine, *place.machines),
            (example("Machines, and no verifier.", *place.machines),),
        ),
        "ATT-02": Covered(
            example("One key, one image, one signed reference value.", verifier),
            (example("No reference value.", but(verifier, {"guestConfiguration.reference_values": []})),),
        ),
        "ATT-03": Covered(
            example("A key for SEV-SNP.", verifier),
            (
                example("A key for any hardware.", but(verifier, {f"{_POLICY}.tee": []})),
                example("A platform with a hole.", but(verifier, {f"{_POLICY}.tdx": {"statuses": ["OutOfDate"]}})),
                *(example(says, but(verifier, {f"{_POLICY}.tee": ["snp"]})) for says in place.processor_alone),
            ),
        ),
        "ATT-04": Covered(
            example("A floor for each part of the firmware.", verifier),
            (example("No floor.", but(verifier, {f"{_POLICY}.minimum_tcb": None})),),
        ),
        "ATT-05": Covered(
            example("No debugging, no migration, privilege level 0.", verifier),
            (
                example("Debugging is allowed.", but(verifier, debugged)),
                *(example("The machine is told that debugging is allowed.", one) for one in told(debugged)),
            ),
        ),
        "ATT-06": Covered(
            example("Five minutes.", verifier),
            (example("A day.", but(verifier, {f"{_POLICY}.max_token_seconds": 86_400})),),
        ),
        "ATT-07": Covered(
            example("A verifier and a cache.", verifier, cache),
            (
                example("A verifier that asks the vendors.", verifier),
                example(
                    "Collateral from abroad.",
                    verifier,
                    region(kind="collateral", carries="evidence", location="global", jurisdiction="US"),
                ),
            ),
        ),
        "ATT-09": Covered(
            example("One processor.", but(verifier, {f"{_POLICY}.chips": ["5c" * 64]}), dataClass="secret"),
            (example("Any processor.", verifier, dataClass="secret"),),
        ),
        "ATT-10": Covered(
            example("A real region that trusts the vendors' roots.", verifier, *told({}), **place.real),
            (
                example("A real region whose verifier trusts the sandbox.", but(verifier, sandboxed), **place.real),
                *(
                    example("A real region whose machine is told to trust the sandbox.", one, **place.real)
                    for one in told(sandboxed)
                ),
            ),
        ),
        "KEY-10": Covered(
            example(
                "A broker, and two people who must agree to a deployment.",
                verifier,
                **place.real,
                approval=common.approval(),
            ),
            (
                example("A broker that whoever deploys changes alone.", verifier, **place.real),
                example("One who must agree.", verifier, **place.real, approval=common.approval(1)),
                example(
                    "One person, twice.",
                    verifier,
                    **place.real,
                    approval=common.approval(2, "alice@example.org", "Alice@example.org"),
                ),
            ),
        ),
        "LOG-02": Covered(
            example("A gateway that keeps nothing of what is said.", gateway),
            (
                example("A gateway that keeps it in clear.", but(gateway, {"log.content": "clear"})),
                example("A gateway that does not say.", but(gateway, {"log": None})),
            ),
        ),
        "SUP-01": Covered(
            example("A model behind the gateway, by digest and with its signer.", gateway),
            (
                example("A model by its name.", but(gateway, {"models.0.weights.digest": None})),
                example("A model that nobody has signed.", but(gateway, {"models.0.weights.signer": None})),
            ),
        ),
        "GW-01": Covered(
            example("A gateway whose model is attested.", gateway),
            (
                example("A model that names no verifier.", but(gateway, {"models.0.verifier": None})),
                example("A backend that proves nothing.", but(gateway, {"models.0.guarantee": "unattested"})),
            ),
        ),
        "GW-02": Covered(
            example("A gateway with one team.", gateway),
            (
                example("A gateway that takes nobody's word.", but(gateway, {"identity.issuers": []})),
                example("A policy for everybody.", but(gateway, {"policies.0.team": "*"})),
            ),
        ),
    }


_AZURE: Final = Place(
    components="Azure",
    config={},
    real={"emulated": "false", "subscriptionId": "11111111-1111-1111-1111-111111111111"},
    location=common.LOCATION,
    jurisdiction="DE",
    abroad="eastus",
    machines=(azure.VM,),
    told_by="userData",
)
_GCP: Final = Place(
    components="Gcp",
    config=gcp.CONFIG,
    real={"emulated": "false", "projectId": "example-project"},
    location=gcp.LOCATION,
    jurisdiction="DE",
    abroad="us-central1",
    machines=(gcp.VM,),
    told_by="metadata.user-data",
)
_AWS: Final = Place(
    components="Aws",
    config=aws.CONFIG,
    real={"emulated": "false", "accountId": "123456789012"},
    location=aws.LOCATION,
    jurisdiction="IE",
    abroad="us-east-1",
    machines=(aws.VM,),
    processor_alone=("A machine by its processor alone, which measures AWS's firmware and no image.",),
    told_by="userData",
)
_KUBERNETES: Final = Place(
    components="Kubernetes",
    config=kubernetes.CONFIG,
    real={"emulated": "false", "cluster": "production"},
    location="onprem-berlin",
    jurisdiction="DE",
    abroad="elsewhere",
    machines=(kubernetes.RUNTIME, kubernetes.PODS),
    told_by=None,
)

COVERED: Final[Mapping[str, Mapping[str, Covered]]] = {
    "azure": {rule: covered(_AZURE)[rule] for rule in ("SUP-01", "KEY-10")},
    "gcp": covered(_GCP),
    "aws": covered(_AWS),
    "kubernetes": covered(_KUBERNETES),
}
"""By provider of the catalogue, then by id of the rule. A cloud's own examples come first, where it has some."""
