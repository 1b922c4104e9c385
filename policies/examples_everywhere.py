"""Examples of rules that judge what every cloud's components state alike: the verifier, the graph, the gateway.

They are Azure's examples (`policies.rules`) under the names and in the places of another cloud.
"""

from collections.abc import Mapping
from typing import Final

from policies import examples, examples_aws, examples_gcp, examples_kubernetes
from policies.examples import but
from policies.rule import Covered, Example, ExampleResource

_POLICY: Final = "guestConfiguration.resources.0.policy"
_KEYS: Final = {"kind": "keys", "carries": "keys"}


def covered(
    cloud: str, config: Mapping[str, str], *, location: str, jurisdiction: str, abroad: str
) -> Mapping[str, Covered]:
    """By id of the rule: its examples for the components of `cloud` (`Gcp`), with one place inside and one `abroad`."""
    verifier = examples.verifier_on(cloud)
    cache = ExampleResource(f"bailiwick:index:{cloud}CollateralCache", "collateral", {})
    gateway = but(examples.GATEWAY, {}, type=f"bailiwick:index:{cloud}ModelGateway")
    here = {"location": location, "jurisdiction": jurisdiction}

    def example(says: str, *resources: ExampleResource, **others: str) -> Example:
        return Example(says, resources, {**config, **others})

    def region(**edge: str) -> ExampleResource:
        return examples.region(edge, cloud=cloud)

    def state(**others: str) -> dict[str, str]:
        return {"state": examples.state(**{"location": location, **others})}

    return {
        "RES-07": Covered(
            example("State in the region.", verifier, **state()),
            (
                example("State in another country.", verifier, **state(location=abroad)),
                example("Pulumi's own service.", verifier, **state(backend="https://api.pulumi.com")),
            ),
        ),
        "RES-11": Covered(
            example("Keys stay.", region(**_KEYS, **here)),
            (
                example("Keys elsewhere.", region(**_KEYS, location=abroad, jurisdiction="US")),
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
                ExampleResource(f"bailiwick:index:{cloud}ResidencyGuard", "guard", {}, parent="region"),
            ),
            (example("A region without one.", region(**_KEYS, **here)),),
        ),
        "ATT-03": Covered(
            example("A key for SEV-SNP.", verifier),
            (
                example("A key for any hardware.", but(verifier, {f"{_POLICY}.tee": []})),
                example("A platform with a hole.", but(verifier, {f"{_POLICY}.tdx": {"statuses": ["OutOfDate"]}})),
            ),
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


COVERED: Final[Mapping[str, Mapping[str, Covered]]] = {
    "azure": {
        "SUP-01": covered("Azure", {}, location=examples.LOCATION, jurisdiction="DE", abroad="eastus")["SUP-01"],
    },
    "gcp": covered("Gcp", examples_gcp.CONFIG, location=examples_gcp.LOCATION, jurisdiction="DE", abroad="us-central1"),
    "aws": covered("Aws", examples_aws.CONFIG, location=examples_aws.LOCATION, jurisdiction="IE", abroad="us-east-1"),
    "kubernetes": covered(
        "Kubernetes", examples_kubernetes.CONFIG, location="onprem-berlin", jurisdiction="DE", abroad="elsewhere"
    ),
}
"""By provider of the catalogue, then by id of the rule. A cloud's own examples come first, where it has some."""
