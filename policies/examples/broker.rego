package policy

import rego.v1

default allow := false

summary := input.trust_context.attestation_summary

cpu := summary.claims.submods.cpu0

evidence := cpu["ear.veraison.annotated-evidence"]

affirmed if {
  summary.verification_result == true
  cpu["ear.status"] == "affirming"
}

at_least(value, floor) if {
  is_number(value)
  value >= floor
}

reads_at_least(value, floor) if {
  is_string(value)
  to_number(value) >= floor
}

# default/model-key/llm on snp
allow if {
  data.plugin == "resource"
  data["resource-path"] == ["default", "model-key", "llm"]
  affirmed
  summary.issuer in ["https://verifier.example.internal"]
  evidence.snp.evidence.measurement in ["5c2f5c2f5c2f5c2f5c2f5c2f5c2f5c2f5c2f5c2f5c2f5c2f5c2f5c2f5c2f5c2f5c2f5c2f5c2f5c2f5c2f5c2f5c2f5c2f"]
  evidence.snp.evidence.vmpl in [0]
  evidence.snp.evidence.policy.debug_allowed == false
  evidence.snp.evidence.policy.migrate_ma_allowed == false
  at_least(evidence.snp.evidence.reported_tcb.bootloader, 4)
  at_least(evidence.snp.evidence.reported_tcb.tee, 0)
  at_least(evidence.snp.evidence.reported_tcb.snp, 22)
  at_least(evidence.snp.evidence.reported_tcb.microcode, 213)
}

# default/model-key/llm on az-snp-vtpm
allow if {
  data.plugin == "resource"
  data["resource-path"] == ["default", "model-key", "llm"]
  affirmed
  summary.issuer in ["https://verifier.example.internal"]
  evidence["az-snp-vtpm"].measurement in ["XC9cL1wvXC9cL1wvXC9cL1wvXC9cL1wvXC9cL1wvXC9cL1wvXC9cL1wvXC9cL1wv"]
  evidence["az-snp-vtpm"].policy_debug_allowed == "false"
  evidence["az-snp-vtpm"].policy_migrate_ma == "false"
  reads_at_least(evidence["az-snp-vtpm"].reported_tcb_bootloader, 4)
  reads_at_least(evidence["az-snp-vtpm"].reported_tcb_tee, 0)
  reads_at_least(evidence["az-snp-vtpm"].reported_tcb_snp, 22)
  reads_at_least(evidence["az-snp-vtpm"].reported_tcb_microcode, 213)
}
