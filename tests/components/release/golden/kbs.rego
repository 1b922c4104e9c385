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

# default/model-key/llm on snp
allow if {
  data.plugin == "resource"
  data["resource-path"] == ["default", "model-key", "llm"]
  affirmed
  summary.issuer in ["http://verifier.example:8443"]
  evidence.snp.evidence.measurement in ["aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"]
  evidence.snp.evidence.vmpl in [0]
  evidence.snp.evidence.policy.debug_allowed == false
  evidence.snp.evidence.policy.migrate_ma_allowed == false
  at_least(evidence.snp.evidence.reported_tcb.bootloader, 4)
  at_least(evidence.snp.evidence.reported_tcb.tee, 0)
  at_least(evidence.snp.evidence.reported_tcb.snp, 22)
  at_least(evidence.snp.evidence.reported_tcb.microcode, 213)
}

# default/model-key/llm on tdx
allow if {
  data.plugin == "resource"
  data["resource-path"] == ["default", "model-key", "llm"]
  affirmed
  summary.issuer in ["http://verifier.example:8443"]
  evidence.tdx.quote.body.mr_td in ["aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"]
  evidence.tdx.td_attributes.debug == false
  evidence.tdx.tcb_status == "UpToDate"
}
