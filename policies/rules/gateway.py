"""GW: models are behind machines that prove what they are, and callers prove who they are."""

from collections.abc import Iterator

from pulumi_policy import Severity

from policies import examples, vocabulary
from policies.conditions import Matching, OneOf
from policies.context import DATA_CLASSES, Declared
from policies.rule import Example, ExampleResource, Rule
from policies.subject import Property, Resource
from policies.terms import Setting
from policies.verdict import Finding, NotApplicable, meet, refuse, require

_GUARANTEES = ("unattested", "attested", "attested-with-gpu")
"""What a caller may rely on, the least first."""
_UNATTESTED_UP_TO = "internal"
"""The most sensitive class of data that a backend may have which proves nothing."""
_ISSUER = Matching(r"https://[^\s/?#]+(/\S*)?", "an https address")
_ANYBODY = ("*", "anonymous", "public")


def _attested_backends(resource: Resource, declared: Declared) -> Iterator[Finding]:
    managed = vocabulary.managed_models_of(resource)
    if vocabulary.is_gateway(resource):
        yield from _models(resource.props.at("models"), declared)
    elif not managed:
        raise NotApplicable("serves no model")
    elif declared.handles("confidential"):
        for one in managed:
            yield from refuse(one)


def _models(models: Property, declared: Declared) -> Iterator[Finding]:
    if not models.items():
        yield Finding(models.path, "is empty", "every model that the gateway answers for")
    for model in models.items():
        for key, what in (("verifier", "the verifier that judges it"), ("key", "the key of its weights")):
            if not model.at(key).stated:
                yield Finding(model.at(key).path, "is not stated", what)
        yield from require(Setting(model.at("guarantee"), OneOf(_GUARANTEES)))
        if model.at("guarantee").text == _GUARANTEES[0] and _sensitive(model.at("dataClass"), declared):
            found = "is unattested, and the model takes data of a class above that"
            yield Finding(model.at("guarantee").path, found, f"a guarantee, or dataClass {_UNATTESTED_UP_TO} at most")


def _sensitive(data_class: Property, declared: Declared) -> bool:
    """Whether a model takes data that needs a guarantee; a model that does not say takes what the stack does."""
    if not data_class.stated:
        return declared.handles("confidential")
    stated = data_class.text
    return stated not in DATA_CLASSES[: DATA_CLASSES.index(_UNATTESTED_UP_TO) + 1]


_INTERNAL = {"dataClass": "internal"}
_DEPLOYMENT = ExampleResource(
    "azure-native:cognitiveservices:Deployment",
    "chat",
    {"accountName": "models", "sku": {"name": "ProvisionedManaged", "capacity": 50}},
)

GW_01 = Rule(
    id="GW-01",
    title="Every model that is served has a verifier, a key and a guarantee, and no route leads below its class",
    why="A caller cannot see what is behind a name; one backend that proves nothing makes every answer doubtful.",
    severity=Severity.CRITICAL,
    remediation="serve the model from a confidential machine of the stack, or lower what data it may take",
    confirm="that a program which forwards requests by itself forwards them to models of this stack.",
    check=_attested_backends,
    passing=Example(
        "A gateway whose model is attested.",
        (examples.GATEWAY,),
    ),
    failing=(
        Example("Confidential data, and a model on machines that prove nothing.", (_DEPLOYMENT,)),
        Example("A model that names no verifier.", (examples.but(examples.GATEWAY, {"models.0.verifier": None}),)),
        Example("A model without a key.", (examples.but(examples.GATEWAY, {"models.0.key": None}),)),
        Example("A model that promises nothing.", (examples.but(examples.GATEWAY, {"models.0.guarantee": None}),)),
        Example(
            "Internal data elsewhere, and confidential data here, to a backend that proves nothing.",
            (
                examples.but(
                    examples.GATEWAY, {"models.0.guarantee": "unattested", "models.0.dataClass": "confidential"}
                ),
            ),
            _INTERNAL,
        ),
        Example("A gateway for nothing in particular.", (examples.but(examples.GATEWAY, {"models": []}),)),
    ),
)


def _known_callers(resource: Resource, _: Declared) -> Iterator[Finding]:
    wanted = vocabulary.callers_of(resource)
    if vocabulary.is_gateway(resource):
        yield from _policies(resource.props)
    elif not wanted:
        raise NotApplicable("takes no calls to models")
    for one in wanted:
        yield from meet(one)


def _policies(gateway: Property) -> Iterator[Finding]:
    issuers, policies = gateway.at("identity", "issuers"), gateway.at("policies")
    if not issuers.items():
        yield Finding(issuers.path, "names nobody whose word on callers is taken", "one issuer of tokens or more")
    for issuer in issuers.items():
        yield from require(Setting(issuer, _ISSUER))
    if not policies.items():
        yield Finding(policies.path, "is empty", "one policy for each team")
    teams = set[str]()
    for policy in policies.items():
        team = policy.at("team")
        if not team.stated or (team.text or "").casefold() in _ANYBODY:
            yield Finding(team.path, "is nobody in particular", "one team")
        elif team.text in teams:
            yield Finding(team.path, "has a policy already", "one policy for each team")
        teams.add(team.text or "")


_ACCOUNT = ExampleResource(
    "azure-native:cognitiveservices:Account",
    "models",
    {"location": examples.LOCATION, "kind": "OpenAI", "properties": {"disableLocalAuth": True}},
)

GW_02 = Rule(
    id="GW-02",
    title="Callers of models prove who they are, and each team has one policy",
    why="A key in a configuration file is everybody who has read the file; nobody can be told from anybody else.",
    severity=Severity.HIGH,
    remediation="switch local keys off, take tokens of an identity provider, and give each team its policy",
    confirm="that the identity provider knows the callers and is in the jurisdiction.",
    check=_known_callers,
    passing=Example("An account without keys, and a gateway with one team.", (_ACCOUNT, examples.GATEWAY)),
    failing=(
        Example("An account with keys.", (examples.but(_ACCOUNT, {"properties.disableLocalAuth": False}),)),
        Example("Keys are the default.", (examples.but(_ACCOUNT, {"properties": None}),)),
        Example(
            "An endpoint with a key.",
            (
                ExampleResource(
                    "azure-native:machinelearningservices:OnlineEndpoint",
                    "score",
                    {"location": examples.LOCATION, "properties": {"authMode": "Key"}},
                ),
            ),
        ),
        Example(
            "An API that asks for a subscription's key, and no token.",
            (
                ExampleResource(
                    "azure-native:apimanagement:ApiPolicy",
                    "models",
                    {"apiId": "models", "value": "<policies><inbound><base/></inbound></policies>"},
                ),
            ),
        ),
        Example("A gateway that takes nobody's word.", (examples.but(examples.GATEWAY, {"identity": None}),)),
        Example("A policy for everybody.", (examples.but(examples.GATEWAY, {"policies.0.team": "*"}),)),
        Example(
            "Two policies for one team, of which one is forgotten.",
            (examples.but(examples.GATEWAY, {"policies": [{"team": "research"}, {"team": "research"}]}),),
        ),
    ),
)

RULES = (GW_01, GW_02)
