"""Microsoft.Insights: diagnostic settings."""

from sandbox.clouds.azure import arm
from sandbox.clouds.azure.operationalinsights import WORKSPACE
from sandbox.clouds.azure.storage import ACCOUNT
from sandbox.clouds.resource import CloudError, Reference, Request, ResourceType

SETTING = "Microsoft.Insights/diagnosticSettings"


def _sink(request: Request) -> None:
    sinks = ("workspaceId", "storageAccountId", "eventHubAuthorizationRuleId", "marketplacePartnerId")
    if not any(request.inputs[name] for name in sinks):
        raise CloudError(
            "BadRequest",
            "At least one data sink needs to be specified: workspaceId, storageAccountId,"
            " eventHubAuthorizationRuleId or marketplacePartnerId.",
        )


def _categories(request: Request) -> None:
    """Each log entry names a category or a group of them, not both."""
    for entry in request.inputs.items("logs"):
        if (entry["category"] is None) == (entry["categoryGroup"] is None):
            raise CloudError("BadRequest", "Each log setting must have either a category or a categoryGroup.")


TYPES = (
    ResourceType(
        pulumi_type="azure-native:monitor:DiagnosticSetting",
        kind=SETTING,
        identify=arm.on_scope(SETTING, "resourceUri", "name"),
        name_property="name",
        located="none",
        replace_on=("resourceUri", "name"),
        references=(
            Reference("resourceUri"),
            Reference("workspaceId", (WORKSPACE,)),
            Reference("storageAccountId", (ACCOUNT,)),
        ),
        checks=(_sink, _categories),
    ),
)
