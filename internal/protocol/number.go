package protocol

import (
	"math"
	"strconv"
	"strings"
)

// maxSafe is the largest integer that a JavaScript number holds without doubt,
// and so the largest that a mirrored parameter may have.
const maxSafe = 1<<53 - 1

// exactDigits is how many decimal digits a float64 tells apart.
const exactDigits = 15

// integer reads a JSON number that stands for a safe integer, however it is
// spelled: 42, 42.0 and 4.2e1 are one. It reports false for anything else.
func integer(raw []byte) (int64, bool) {
	text := string(raw)
	if n, err := strconv.ParseInt(text, 10, 64); err == nil && text[0] != '+' {
		return n, n >= -maxSafe && n <= maxSafe
	}
	mantissa, _, _ := strings.Cut(strings.ToLower(text), "e")
	digits := strings.Trim(strings.NewReplacer("-", "", ".", "").Replace(mantissa), "0")
	if len(digits) > exactDigits || strings.Trim(digits, "0123456789") != "" {
		return 0, false
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) > maxSafe || f == 0 && digits != "" {
		return 0, false
	}
	return int64(f), true
}
