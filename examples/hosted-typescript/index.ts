// An audit log and a network of Bailiwick, from TypeScript. `@pulumi/bailiwick` is the SDK that `pulumi package add` makes.
import * as azure from "@pulumi/azure-native";
import * as bailiwick from "@pulumi/bailiwick";

const location = "germanywestcentral";
const zero = "00000000-0000-0000-0000-000000000000";
const group = new azure.resources.ResourceGroup("group", {
    resourceGroupName: "archive-ts",
    location,
    tags: { jurisdiction: "DE", "data-class": "internal", owner: "data@example.org", stack: "archive-ts" },
});
const placed = {
    stack: "archive-ts",
    subscriptionId: zero,
    tenantId: zero,
    location,
    jurisdiction: "DE",
    dataClass: "internal",
    owner: "data@example.org",
    resourceGroupName: group.name,
};
const network = new bailiwick.AzureSovereignNetwork("network", {
    ...placed,
    addressSpace: "10.62.0.0/16",
    domain: "archive-ts.example.internal",
});
const audit = new bailiwick.AzureAuditLog("audit", {
    ...placed,
    retentionDays: 365,
    subnetId: network.subnetIds.apply((ids) => ids["endpoints"]),
    zoneIds: network.zoneIds,
});

export const auditStore = audit.accountName;
