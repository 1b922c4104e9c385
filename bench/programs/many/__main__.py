"""A program of about `bench:count` resources in `bench:cloud`: two of its simplest types, half and half."""

import pulumi


def azure(pairs: int) -> None:
    """Identities and security groups in one resource group."""
    import pulumi_azure_native as sdk
    from pulumi_azure_native import managedidentity, network, resources

    from components.azure.aliases import drop_version_aliases

    pulumi.runtime.register_stack_transformation(drop_version_aliases)
    zero = "00000000-0000-0000-0000-000000000000"
    provider = sdk.Provider("sdk", subscription_id=zero, location="germanywestcentral", environment="public")
    options = pulumi.ResourceOptions(provider=provider)
    group = resources.ResourceGroup("group", resource_group_name="bench", opts=options)
    for index in range(pairs):
        managedidentity.UserAssignedIdentity(
            f"identity-{index}", resource_name_=f"identity-{index}", resource_group_name=group.name, opts=options
        )
        network.NetworkSecurityGroup(
            f"rules-{index}", network_security_group_name=f"rules-{index}", resource_group_name=group.name, opts=options
        )


def gcp(pairs: int) -> None:
    """Service accounts and firewalls of one network."""
    import pulumi_gcp as sdk

    provider = sdk.Provider("sdk", project="bailiwick-emulated", region="europe-west3")
    options = pulumi.ResourceOptions(provider=provider)
    network = sdk.compute.Network("network", name="bench", auto_create_subnetworks=False, opts=options)
    for index in range(pairs):
        sdk.serviceaccount.Account(f"account-{index}", account_id=f"account-{index}", opts=options)
        sdk.compute.Firewall(
            f"rules-{index}",
            name=f"rules-{index}",
            network=network.id,
            direction="EGRESS",
            denies=[{"protocol": "all"}],
            destination_ranges=["0.0.0.0/0"],
            opts=options,
        )


def aws(pairs: int) -> None:
    """Roles, and security groups of one network."""
    import pulumi_aws as sdk

    provider = sdk.Provider("sdk", region="eu-west-1", allowed_account_ids=["000000000000"])
    options = pulumi.ResourceOptions(provider=provider)
    network = sdk.ec2.Vpc("network", cidr_block="10.0.0.0/16", opts=options)
    trust = (
        '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},'
        '"Action":"sts:AssumeRole"}]}'
    )
    for index in range(pairs):
        sdk.iam.Role(f"role-{index}", name=f"role-{index}", assume_role_policy=trust, opts=options)
        sdk.ec2.SecurityGroup(
            f"rules-{index}", name=f"rules-{index}", description="bench", vpc_id=network.id, opts=options
        )


def kubernetes(pairs: int) -> None:
    """Config maps and service accounts in one namespace."""
    import pulumi_kubernetes as sdk

    provider = sdk.Provider("sdk", context="bailiwick-emulated")
    options = pulumi.ResourceOptions(provider=provider)
    namespace = sdk.core.v1.Namespace("namespace", metadata={"name": "bench"}, opts=options)
    for index in range(pairs):
        place = {"name": f"one-{index}", "namespace": namespace.metadata.name}
        sdk.core.v1.ConfigMap(f"config-{index}", metadata=place, data={"key": "value"}, opts=options)
        sdk.core.v1.ServiceAccount(f"account-{index}", metadata=place, opts=options)


config = pulumi.Config("bench")
{"azure": azure, "gcp": gcp, "aws": aws, "kubernetes": kubernetes}[config.require("cloud")](
    config.require_int("count") // 2
)
