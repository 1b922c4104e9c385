"""Kubernetes' resource types in the words of the rules (`pulumi-kubernetes` 4): pods in confidential guests."""

from policies.clouds.kubernetes import access, data, init_data, keys, manifests, network, pods, supply, trustee
from policies.clouds.speaker import Speaker

SPEAKER = Speaker(
    family="kubernetes",
    audit_stream=data.audit_stream,
    brokers=init_data.brokers,
    bundle=manifests.bundle,
    container_images=pods.container_images,
    content_logs=pods.content_logs,
    egress_guard=network.egress_guard,
    freshness=trustee.freshness,
    grouping=manifests.grouping,
    guarded_network=network.guarded_network,
    holder=access.holder,
    key_rights=access.key_rights,
    key=keys.key,
    locations=data.locations,
    log_sinks=data.log_sinks,
    machine=pods.machine,
    model_sources=supply.model_sources,
    needs_guard=network.needs_guard,
    provenance_demands=supply.provenance_demands,
    provider_settings=data.provider_settings,
    record_store=data.record_store,
    release_documents=keys.release_documents,
    role=access.role,
    runtime=pods.runtime,
    service_keys=keys.service_keys,
    side_doors=lambda resource: (*pods.side_doors(resource), *init_data.side_doors(resource)),
    tags=data.tags,
    transport=network.transport,
    ways_in=network.ways_in,
    ways_out=network.ways_out,
)
