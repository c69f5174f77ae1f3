package audit

import (
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/mcp-relay/relay/internal/verdict"
)

// Limits of one record, so that whoever writes the strings cannot push other
// records out of the log.
const (
	maxString   = 256 // bytes of one string, before escaping
	maxLink     = 1 << 10
	maxPointer  = 16 // tokens of one JSON Pointer
	maxFindings = 32 // findings, and as many uninspected parts
)

// appendRecord appends r as one line that ends with LF. now stands in for a
// record without a time.
func appendRecord(dst []byte, r *Record, now time.Time) []byte {
	if !r.Time.IsZero() {
		now = r.Time
	}
	dst = append(dst, `{"time":"`...)
	dst = now.UTC().AppendFormat(dst, timeFormat)
	dst = append(dst, '"')
	dst = appendMember(dst, `,"event":`, string(r.Event))
	dst = appendMember(dst, `,"scan_id":`, r.ScanID)
	dst = appendMember(dst, `,"call":`, r.Call)
	dst = appendMember(dst, `,"session":`, r.Session)
	dst = appendMember(dst, `,"principal":`, r.Principal)
	dst = appendMember(dst, `,"client":`, r.Client)
	dst = appendMember(dst, `,"server":`, r.Server)
	dst = appendMember(dst, `,"method":`, r.Method)
	dst = appendMember(dst, `,"target":`, withoutSecrets(r.Target))
	if r.Phase != verdict.PhaseUnspecified {
		dst = appendMember(dst, `,"phase":`, r.Phase.String())
	}
	dst = appendMember(dst, `,"scanner":`, r.Scanner)
	dst = appendMember(dst, `,"scanner_sha256":`, r.ScannerSHA256)
	dst = appendMember(dst, `,"mode":`, r.Mode)
	if r.Stage > 0 {
		dst = strconv.AppendInt(append(dst, `,"stage":`...), int64(r.Stage), 10)
	}
	if r.Action != verdict.ActionUnspecified {
		dst = appendMember(dst, `,"action":`, r.Action.String())
	}
	if r.Effective != verdict.ActionUnspecified {
		dst = appendMember(dst, `,"effective":`, r.Effective.String())
	}
	dst = appendMember(dst, `,"outcome":`, r.Outcome)
	dst = appendMember(dst, `,"reason":`, r.Reason)
	if r.Cause != verdict.CauseUnspecified {
		dst = appendMember(dst, `,"cause":`, r.Cause.String())
	}
	dst = appendMember(dst, `,"fallback":`, r.Fallback)
	dst = appendMember(dst, `,"instead_of":`, r.InsteadOf)
	dst = appendFindings(dst, r.Findings, r.Excepted)
	dst = appendUninspected(dst, r.Uninspected)
	dst = appendMember(dst, `,"reference":`, r.Reference)
	dst = appendLink(dst, `,"link":`, r.Link)
	dst = appendCost(dst, r)
	if r.Event == Opened {
		dst = appendMember(dst, `,"version":`, r.version)
		dst = append(dst, `,"pid":`...)
		dst = strconv.AppendInt(dst, int64(r.pid), 10)
		dst = appendMember(dst, `,"after":`, r.after)
	}
	return append(dst, '}', '\n')
}

// appendCost appends how long a verdict took, and how many it stands for.
func appendCost(dst []byte, r *Record) []byte {
	if r.Overlapped {
		dst = append(dst, `,"overlapped":true`...)
	}
	if r.Cached {
		dst = append(dst, `,"cached":true`...)
	}
	dst = appendMicroseconds(dst, `,"scanner_us":`, r.ScannerTime)
	dst = appendMicroseconds(dst, `,"relay_us":`, r.RelayTime)
	if r.Count > 0 {
		dst = append(dst, `,"count":`...)
		dst = strconv.AppendUint(dst, r.Count, 10)
	}
	if !r.Since.IsZero() {
		dst = append(dst, `,"since":"`...)
		dst = r.Since.UTC().AppendFormat(dst, timeFormat)
		dst = append(dst, '"')
	}
	return dst
}

// timeFormat is always as long, so that what follows stands at the same place.
const timeFormat = "2006-01-02T15:04:05.000000Z07:00"

func appendFindings(dst []byte, findings []verdict.Finding, excepted []int) []byte {
	if len(findings) == 0 {
		return dst
	}
	dst = append(dst, `,"findings":[`...)
	for i := range findings[:min(len(findings), maxFindings)] {
		f := &findings[i]
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, `{"rule":`...)
		dst = appendString(dst, f.Rule)
		dst = appendMember(dst, `,"category":`, f.Category)
		dst = appendMember(dst, `,"severity":`, f.Severity.String())
		dst = append(dst, `,"pointer":`...)
		dst = appendPointer(dst, f.Location.Pointer)
		if f.Location.End > 0 {
			dst = append(dst, `,"start":`...)
			dst = strconv.AppendInt(dst, int64(f.Location.Start), 10)
			dst = append(dst, `,"end":`...)
			dst = strconv.AppendInt(dst, int64(f.Location.End), 10)
		}
		if slices.Contains(excepted, i) {
			dst = append(dst, `,"excepted":true`...)
		}
		dst = append(dst, '}')
	}
	dst = append(dst, ']')
	return appendOmitted(dst, `,"findings_omitted":`, len(findings))
}

func appendUninspected(dst []byte, parts []verdict.Uninspected) []byte {
	if len(parts) == 0 {
		return dst
	}
	dst = append(dst, `,"uninspected":[`...)
	for i := range parts[:min(len(parts), maxFindings)] {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, `{"pointer":`...)
		dst = appendPointer(dst, parts[i].Pointer)
		dst = appendMember(dst, `,"reason":`, parts[i].Reason)
		dst = append(dst, '}')
	}
	dst = append(dst, ']')
	return appendOmitted(dst, `,"uninspected_omitted":`, len(parts))
}

func appendOmitted(dst []byte, name string, n int) []byte {
	if n <= maxFindings {
		return dst
	}
	dst = append(dst, name...)
	return strconv.AppendInt(dst, int64(n-maxFindings), 10)
}

func appendMicroseconds(dst []byte, name string, d time.Duration) []byte {
	if d <= 0 {
		return dst
	}
	dst = append(dst, name...)
	return strconv.AppendInt(dst, d.Microseconds(), 10)
}

// appendMember appends name, which holds the comma, the quotes and the colon,
// and the value. An empty value is left out.
func appendMember(dst []byte, name, value string) []byte {
	if value == "" {
		return dst
	}
	return appendString(append(dst, name...), value)
}

// appendLink is appendMember for an address, of which a part would lead nowhere:
// one that is too long is left out.
func appendLink(dst []byte, name, value string) []byte {
	if value == "" || len(value) > maxLink {
		return dst
	}
	return append(appendEscaped(append(append(dst, name...), '"'), value), '"')
}

// appendString appends s as a JSON string of printable ASCII, cut after
// maxString bytes.
func appendString(dst []byte, s string) []byte {
	cut := len(s) > maxString
	if cut {
		s = s[:maxString]
	}
	dst = append(dst, '"')
	dst = appendEscaped(dst, s)
	if cut {
		dst = append(dst, "..."...)
	}
	return append(dst, '"')
}

const digits = "0123456789abcdef"

// appendEscaped appends the characters of s so that the result is printable
// ASCII inside a JSON string. A character that was cut in half and invalid
// UTF-8 become U+FFFD.
func appendEscaped(dst []byte, s string) []byte {
	plain := 0 // s[plain:i] needs no escape and is not appended yet
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c < 0x7f && c != '"' && c != '\\' {
			i++
			continue
		}
		dst = append(dst, s[plain:i]...)
		size := 1
		switch {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c < utf8.RuneSelf:
			dst = appendUnit(dst, rune(c))
		default:
			var r rune
			r, size = utf8.DecodeRuneInString(s[i:])
			if r > 0xffff {
				r -= 0x10000
				dst = appendUnit(dst, 0xd800|r>>10)
				r = 0xdc00 | r&0x3ff
			}
			dst = appendUnit(dst, r)
		}
		i += size
		plain = i
	}
	return append(dst, s[plain:]...)
}

func appendUnit(dst []byte, r rune) []byte {
	return append(dst, '\\', 'u', digits[r>>12&0xf], digits[r>>8&0xf], digits[r>>4&0xf], digits[r&0xf])
}
