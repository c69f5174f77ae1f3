package panscanner

import (
	"net/url"
	"strings"
)

const maxLink = 1024 // bytes of a verdict's link

// The places of a report_url.
const (
	placeReport      = "{report_id}"
	placeScan        = "{scan_id}"
	placeSession     = "{session_id}"
	placeTransaction = "{transaction_id}"
)

// parseReportURL checks a template for links to reports.
func parseReportURL(raw string) string {
	const message = "must be an https address with {report_id} or {scan_id} in it"
	u, err := url.Parse(fill(raw, "id", "id", "id", "id"))
	other, otherErr := url.Parse(fill(raw, "x", "x", "x", "x"))
	switch {
	case err != nil || otherErr != nil || u.Host == "" || u.Host != other.Host || u.User != nil:
		return message
	// The relay takes no other link, and no verdict with one.
	case u.Scheme != "https", strings.ContainsFunc(raw, func(r rune) bool { return r <= ' ' || r > '~' }):
		return message
	case !strings.Contains(raw, placeReport) && !strings.Contains(raw, placeScan):
		return message
	case strings.ContainsAny(fill(raw, "", "", "", ""), "{}"):
		return "knows no places but {report_id}, {scan_id}, {session_id} and {transaction_id}"
	default:
		return ""
	}
}

func fill(template, report, scan, session, transaction string) string {
	escape := url.QueryEscape // safe in a path too, but for spaces, which no id holds
	return strings.NewReplacer(
		placeReport, escape(report), placeScan, escape(scan), placeSession, escape(session), placeTransaction, escape(transaction),
	).Replace(template)
}

// link returns where the report on an answer is, or nothing.
func (c *config) link(a answer) string {
	if c.reportURL == "" || a.reportID == "" && a.scanID == "" {
		return ""
	}
	scan, report := a.scanID, a.reportID
	if scan == "" {
		scan = strings.TrimPrefix(report, "R")
	}
	if report == "" {
		report = "R" + scan
	}
	if out := fill(c.reportURL, report, scan, a.sessionID, a.transactionID); len(out) <= maxLink {
		return out
	}
	return ""
}
