"""Entry point of the pack under `pulumi preview|up --policy-pack policies`."""

from policies.analyzer import serve

serve()
