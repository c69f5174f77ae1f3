package verdict

// Merge makes one verdict of those of several scanners, given in the scanners'
// order. The strongest action wins, findings stand in the scanners' order, and
// what any scanner did not inspect counts as not inspected. Edits stay only on
// findings of scanners that asked to redact. The reference is that of the first
// scanner with the winning action that has one; the times are added.
//
// Without a block, one verdict whose action is not valid makes the result
// ActionUnspecified, which is a failure; so does no verdict at all.
func Merge(verdicts ...Verdict) Verdict {
	merged := Verdict{Action: strongest(verdicts)}
	seen := map[Uninspected]bool{}
	for _, v := range verdicts {
		for _, f := range v.Findings {
			if v.Action != Redact {
				f.Edit = nil
			}
			merged.Findings = append(merged.Findings, f)
		}
		for _, u := range v.Uninspected {
			if !seen[u] {
				seen[u] = true
				merged.Uninspected = append(merged.Uninspected, u)
			}
		}
		merged.ScannerTime += v.ScannerTime
		if merged.Reference == "" && v.Action == merged.Action {
			merged.Reference = v.Reference
		}
	}
	return merged
}

func strongest(verdicts []Verdict) Action {
	action, failed := ActionUnspecified, false
	for _, v := range verdicts {
		if !v.Action.Valid() {
			failed = true
			continue
		}
		action = max(action, v.Action)
	}
	if failed && action != Block {
		return ActionUnspecified
	}
	return action
}
