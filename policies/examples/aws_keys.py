"""Examples of the rules for AWS's keys and what leads to them: policies of IAM, trails, endpoints, listeners."""

from collections.abc import Mapping
from typing import Final

from policies.examples.aws import BUCKET, CONFIG, KEY, LOCATION, LOCK, TRAIL, policy
from policies.examples.common import but
from policies.rule import Covered, Example, ExampleResource

_ACCOUNT: Final = CONFIG["accountId"]
_VERIFIER: Final = f"arn:aws:iam::{_ACCOUNT}:role/verifier"
_ROOT: Final = f"arn:aws:iam::{_ACCOUNT}:root"


def _example(says: str, *resources: ExampleResource) -> Example:
    return Example(says, resources, CONFIG)


_TRUSTED: Final = {"Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
_ROLE = ExampleResource("aws:iam/role:Role", "verifier", {"name": "verifier", "assumeRolePolicy": policy(_TRUSTED)})
_GOVERN: Final = {"Principal": {"AWS": _ROOT}, "Action": ["kms:PutKeyPolicy", "kms:ScheduleKeyDeletion"]}
_USE: Final = {"Principal": {"AWS": _VERIFIER}, "Action": "kms:Decrypt"}
_GOVERNED = but(KEY, {"policy": policy(_GOVERN, _USE)})
_READS = ExampleResource(
    "aws:iam/rolePolicy:RolePolicy",
    "read-models",
    {"role": "inference", "policy": policy({"Action": ["s3:GetObject"], "Resource": "arn:aws:s3:::models/*"})},
)
_ATTACHED = ExampleResource(
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
    "nodes",
    {"role": "nodes", "policyArn": "arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy"},
)
_GRANT = ExampleResource(
    "aws:kms/grant:Grant",
    "volumes",
    {"region": LOCATION, "granteePrincipal": _VERIFIER, "operations": ["Encrypt"]},
)
_DECRYPTS: Final = {"Action": ["kms:Decrypt"], "Resource": "*"}
_CHANGES_RULES: Final = policy({"Action": ["kms:PutKeyPolicy"], "Resource": "*"})
_USES = but(_READS, {"role": "verifier", "policy": policy(_DECRYPTS)}, name="decrypt")
_OPERATES = but(_READS, {"role": "operator", "policy": _CHANGES_RULES}, name="operate")
_OWN = ExampleResource("aws:iam/policy:Policy", "govern", {"policy": _CHANGES_RULES})
_HANDS_ON = but(_GRANT, {"operations": ["CreateGrant"]})
_STORE = ExampleResource(
    "aws:kms/customKeyStore:CustomKeyStore",
    "site",
    {
        "region": LOCATION,
        "customKeyStoreType": "EXTERNAL_KEY_STORE",
        "xksProxyConnectivity": "VPC_ENDPOINT_SERVICE",
    },
)
_BROUGHT = ExampleResource(
    "aws:kms/externalKey:ExternalKey", "brought", {"region": LOCATION, "deletionWindowInDays": 30}
)
_DOOR = ExampleResource(
    "aws:ec2/vpcEndpoint:VpcEndpoint",
    "kms",
    {
        "region": LOCATION,
        "serviceName": f"com.amazonaws.{LOCATION}.kms",
        "vpcEndpointType": "Interface",
        "privateDnsEnabled": True,
    },
)
_LISTENER = ExampleResource(
    "aws:lb/listener:Listener",
    "front",
    {"region": LOCATION, "protocol": "HTTPS", "sslPolicy": "ELBSecurityPolicy-TLS13-1-2-2021-06"},
)
_SELECTOR: Final = {"fieldSelectors": [{"field": "eventCategory", "equals": ["Management"]}]}

_ANYWHERE: Final = "eu.mistral.pixtral-large-2502-v1:0"
_AGENT = ExampleResource(
    "aws:bedrock/agentAgent:AgentAgent",
    "helper",
    {"region": LOCATION, "foundationModel": "mistral.mistral-large-2402-v1:0"},
)

COVERED: Final[Mapping[str, Covered]] = {
    "RES-06": Covered(
        _example("A model of the region.", _AGENT),
        (
            _example(
                "A model in whichever region of Europe.",
                but(_AGENT, {"foundationModel": _ANYWHERE}),
            ),
            _example(
                "A profile of several regions.",
                ExampleResource(
                    "aws:bedrock/inferenceProfile:InferenceProfile",
                    "chat",
                    {
                        "region": LOCATION,
                        "modelSource": {
                            "copyFrom": f"arn:aws:bedrock:{LOCATION}:{_ACCOUNT}:inference-profile/{_ANYWHERE}"
                        },
                    },
                ),
            ),
        ),
    ),
    "KEY-01": Covered(
        _example("A key that AWS KMS made, and a store of one's own.", KEY, _STORE),
        (
            _example("A key that was brought, and that its maker may still have.", _BROUGHT),
            _example("A store of a kind that nobody knows.", but(_STORE, {"customKeyStoreType": "SOFTWARE"})),
        ),
    ),
    "KEY-06": Covered(
        _example("A key, a store outside AWS, and the network's own way to both.", KEY, _STORE, _DOOR),
        (
            _example("A key that is asked over the public network.", KEY),
            _example("A way to another service.", KEY, but(_DOOR, {"serviceName": f"com.amazonaws.{LOCATION}.s3"})),
            _example(
                "A key manager that AWS reaches over the public network.",
                but(_STORE, {"xksProxyConnectivity": "PUBLIC_ENDPOINT"}),
                _DOOR,
            ),
        ),
    ),
    "KEY-07": Covered(
        _example(
            "A key, and a trail of everything that is managed.",
            KEY,
            but(TRAIL, {"advancedEventSelectors": [_SELECTOR]}),
            BUCKET,
            LOCK,
        ),
        (
            _example("A key that nobody watches.", KEY),
            _example("A trail to a bucket that keeps nothing.", KEY, TRAIL, BUCKET),
            _example("A trail that is off.", KEY, but(TRAIL, {"enableLogging": False})),
            _example(
                "A trail that leaves KMS out.",
                KEY,
                but(TRAIL, {"eventSelectors": [{"excludeManagementEventSources": ["kms.amazonaws.com"]}]}),
            ),
            _example(
                "A trail of writes alone; unwrapping a key reads.",
                KEY,
                but(
                    TRAIL,
                    {
                        "advancedEventSelectors": [
                            {
                                "fieldSelectors": [
                                    {"field": "eventCategory", "equals": ["Management"]},
                                    {"field": "readOnly", "equals": ["false"]},
                                ]
                            }
                        ]
                    },
                ),
            ),
        ),
    ),
    "KEY-08": Covered(
        _example(
            "The account governs the key, the verifier uses it, and each operation is named.",
            _GOVERNED,
            _READS,
            _ATTACHED,
            _GRANT,
            _OPERATES,
        ),
        (
            _example(
                "A role whose two policies do both.",
                _USES,
                but(_OPERATES, {"role": "verifier"}),
            ),
            _example(
                "A role that a key's policy lets use the key, and a policy of its own lets change its rules.",
                _GOVERNED,
                but(_OPERATES, {"role": "verifier"}),
            ),
            _example(
                "A role that uses a key by a policy inside it, and governs it by one that is attached.",
                but(_ROLE, {"inlinePolicies": [{"name": "use", "policy": policy(_DECRYPTS)}]}),
                _OWN,
                but(_ATTACHED, {"role": "verifier"}, uses={"policyArn": ("govern",), "role": ("verifier",)}),
            ),
            _example("A role that a grant lets hand the key on, beside its own use.", _USES, _HANDS_ON),
            _example(
                "A role with one of AWS's policies that allow everything.",
                but(_ROLE, {"managedPolicyArns": ["arn:aws:iam::aws:policy/AdministratorAccess"]}),
            ),
            _example(
                "A role that uses the key and may change its policy.",
                but(KEY, {"policy": policy({**_USE, "Action": ["kms:Decrypt", "kms:PutKeyPolicy"]})}),
            ),
            _example(
                "The same, in two statements.",
                but(KEY, {"policy": policy(_USE, {**_GOVERN, "Principal": {"AWS": _VERIFIER}})}),
            ),
            _example("Everything with a key.", but(KEY, {"policy": policy({**_USE, "Action": "kms:*"})})),
            _example("Everything that is not listed.", but(_READS, {"policy": policy({"NotAction": ["iam:*"]})})),
            _example(
                "A policy of AWS's that allows everything.",
                but(_ATTACHED, {"policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}),
            ),
            _example("A policy that cannot be read.", but(_READS, {"policy": "allow"})),
        ),
    ),
    "REL-07": Covered(
        _example("A role for machines, and a grant for a role.", _ROLE, _GRANT),
        (
            _example("A user.", ExampleResource("aws:iam/user:User", "operator", {"name": "operator"})),
            _example(
                "A role that anybody of the account takes.",
                but(_ROLE, {"assumeRolePolicy": policy({**_TRUSTED, "Principal": {"AWS": _ROOT}})}),
            ),
            _example(
                "A role that persons take by the company's login.",
                but(
                    _ROLE,
                    {
                        "assumeRolePolicy": policy(
                            {**_TRUSTED, "Principal": {"Federated": f"arn:aws:iam::{_ACCOUNT}:saml-provider/login"}}
                        )
                    },
                ),
            ),
            _example(
                "A grant for a user.", but(_GRANT, {"granteePrincipal": f"arn:aws:iam::{_ACCOUNT}:user/operator"})
            ),
        ),
    ),
    "NET-03": Covered(
        _example("An endpoint that answers the service's public name.", _DOOR),
        (
            _example("An endpoint without a name.", but(_DOOR, {"privateDnsEnabled": False})),
            _example(
                "A network with a peer.",
                _DOOR,
                ExampleResource("aws:ec2/vpcPeeringConnection:VpcPeeringConnection", "office", {"region": LOCATION}),
            ),
        ),
    ),
    "NET-04": Covered(
        _example("A listener of TLS 1.3 and 1.2.", _LISTENER),
        (
            _example(
                "A domain that takes plain HTTP.",
                ExampleResource("aws:opensearch/domain:Domain", "records", {"region": LOCATION}),
            ),
            _example("HTTP.", but(_LISTENER, {"protocol": "HTTP"})),
            _example("TLS 1.0 too.", but(_LISTENER, {"sslPolicy": "ELBSecurityPolicy-2016-08"})),
            _example("Whatever AWS's default is.", but(_LISTENER, {"sslPolicy": None})),
        ),
    ),
}
"""By id of the rule."""
