"""Microsoft.OperationalInsights: Log Analytics workspaces."""

from sandbox.clouds.azure import arm
from sandbox.clouds.resource import CloudError, Request, ResourceType, creation_time, fresh_guid

WORKSPACE = "Microsoft.OperationalInsights/workspaces"
_RETENTION_DAYS = range(30, 731)


def _retention(request: Request) -> None:
    days = request.inputs["retentionInDays"]
    if days is not None and days not in _RETENTION_DAYS and days != 7:
        raise CloudError(
            "InvalidParameter",
            f"'RetentionInDays' property doesn't match the SKU limits: {days:g} is not between 30 and 730.",
        )


TYPES = (
    ResourceType(
        pulumi_type="azure-native:operationalinsights:Workspace",
        kind=WORKSPACE,
        identify=arm.in_group(WORKSPACE, "workspaceName"),
        name_property="workspaceName",
        replace_on=("resourceGroupName", "workspaceName", "location"),
        checks=(
            arm.name_matches(
                r"[A-Za-z0-9][A-Za-z0-9-]{2,61}[A-Za-z0-9]",
                "InvalidResourceName",
                "The workspace name '{name}' is invalid: it must have 4 to 63 letters, digits and '-', and begin and"
                " end with a letter or digit.",
            ),
            _retention,
        ),
        outputs={
            "customerId": fresh_guid("customerId"),
            "createdDate": creation_time("createdDate"),
            "modifiedDate": creation_time("modifiedDate"),
        },
    ),
)
