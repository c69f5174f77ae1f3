package guard

import (
	"bytes"
	"crypto/sha256"
	"math/big"
	"strings"
)

// identity returns the check of a kind of number that names one person or
// account, or nil. Each proves more than the form: a checksum, or at least
// ranges that are given out.
func identity(name string) func(string) bool {
	for _, c := range identityChecks() {
		if c.name == name {
			return c.check
		}
	}
	return nil
}

type namedCheck struct {
	name  string
	check func(string) bool
}

func identityChecks() []namedCheck {
	return []namedCheck{
		{"luhn", luhn},
		{"card", card},
		{"imei", imei},
		{"npi", npi},
		{"sin", sin},
		{"za_id", southAfrican},
		{"se_pn", swedish},
		{"il_id", israeli},
		{"iban", iban},
		{"ssn", ssn},
		{"nhs", nhs},
		{"aba", func(s string) bool {
			return weighted(s, 9, 10, 3, 7, 1, 3, 7, 1, 3, 7, 1) == 0 && strings.ContainsAny(s[:1], "01236789")
		}},
		{"bsn", func(s string) bool { return weighted(s, 9, 11, 9, 8, 7, 6, 5, 4, 3, 2, -1) == 0 }},
		{"pesel", func(s string) bool { return weighted(s, 11, 10, 1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1) == 0 }},
		{"pt_nif", func(s string) bool { return elevenTail(s, 9, 9, 8, 7, 6, 5, 4, 3, 2) }},
		{"cpf", cpf},
		{"cnpj", cnpj},
		{"tfn", func(s string) bool { return weighted(s, 9, 11, 1, 4, 3, 7, 5, 8, 6, 9, 10) == 0 }},
		{"medicare", medicare},
		{"abn", abn},
		{"aadhaar", aadhaar},
		{"nric", nric},
		{"rrn", rrn},
		{"my_number", myNumber},
		{"cn_id", chineseID},
		{"tckn", tckn},
		{"es_id", spanishID},
		{"it_cf", codiceFiscale},
		{"nir", nir},
		{"de_id", steuerID},
		{"be_nn", belgian},
		{"fi_hetu", hetu},
		{"no_fnr", fnr},
		{"dk_cpr", danish},
		{"curp", curp},
		{"pan", func(s string) bool { return len(s) == 10 && strings.ContainsAny(s[3:4], "PCHABGJLFTpchabgjlft") }},
		{"dea", dea},
		{"vin", vin},
		{"mrz", mrz},
		{"base58", base58Check},
		{"nino", nino},
	}
}

// digitsOf returns the ASCII digits of s.
func digitsOf(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, s)
}

func lastDigits(s string, n int) string {
	d := digitsOf(s)
	return d[max(0, len(d)-n):]
}

// uniform reports whether d is one digit repeated, or counts up: numbers of
// documentation that happen to have a right checksum.
func uniform(d string) bool {
	return d == "" || strings.Count(d, d[:1]) == len(d)
}

// date reports whether month and day can be a date's.
func date(month, day string) bool {
	return month >= "01" && month <= "12" && day >= "01" && day <= "31"
}

// weighted returns the weighted sum of the digits of s modulo m, or -1 when s
// has not n digits, all the same or not.
func weighted(s string, n, m int, weights ...int) int {
	d := digitsOf(s)
	if len(d) != n || uniform(d) {
		return -1
	}
	sum := 0
	for i, w := range weights {
		sum += w * int(d[i]-'0')
	}
	return ((sum % m) + m) % m
}

// elevenTail checks a last digit that is 11 less the weighted sum, 0 above 9.
func elevenTail(s string, n int, weights ...int) bool {
	rest := weighted(s, n, 11, weights...)
	if rest < 0 {
		return false
	}
	tail := 11 - rest
	if tail > 9 {
		tail = 0
	}
	return digitsOf(s)[n-1] == byte('0'+tail)
}

// luhn reports whether the digits of s have the checksum of cards.
func luhn(s string) bool {
	d := digitsOf(s)
	return len(d) >= 13 && len(d) <= 19 && luhnSum(d) && !uniform(d)
}

func luhnSum(d string) bool {
	sum := 0
	for i := range len(d) {
		n := int(d[len(d)-1-i] - '0')
		if i%2 == 1 {
			if n *= 2; n > 9 {
				n -= 9
			}
		}
		sum += n
	}
	return sum%10 == 0
}

// card reports whether s is a number that a card can have: the checksum and
// the beginnings and lengths that brands use.
func card(s string) bool {
	d := digitsOf(s)
	if !luhn(s) {
		return false
	}
	switch n := len(d); {
	case d[0] == '4':
		return n == 13 || n == 16 || n == 19
	case d[:2] >= "51" && d[:2] <= "55", d[:4] >= "2221" && d[:4] <= "2720":
		return n == 16
	case d[:2] == "34", d[:2] == "37":
		return n == 15
	case d[:2] == "36", d[:2] == "38", d[:2] == "39", d[:3] >= "300" && d[:3] <= "305":
		return n == 14 || n == 16
	case d[:2] == "35":
		return n == 16
	case d[:2] == "62", d[:2] == "81", d[:2] == "60", d[:2] == "64", d[:2] == "65", d[:2] == "50", d[:2] >= "56" && d[:2] <= "69":
		return n >= 15
	case d[:2] == "22", d[:2] == "97":
		return n == 16
	default:
		return false
	}
}

// ibanLengths are the lengths of account numbers by country.
const ibanLengths = "AD24AE23AL28AT20AZ28BA20BE16BG22BH22BR29BY28CH21CR22CY28CZ24DE22DK18DO28EE20EG29ES24FI18FO18FR27GB22" +
	"GE22GI23GL18GR27GT28HR21HU28IE22IL23IQ23IS26IT27JO30KW30KZ20LB28LC32LI21LT20LU20LV21LY25MC27MD24ME22" +
	"MK19MN20MR27MT31MU30NI28NL18NO15OM23PK24PL28PS29PT25QA29RO24RS22RU33SA24SC31SD18SE24SI19SK24SM27SO23" +
	"ST25SV28TL23TN24TR26UA29VA22VG24XK20YE30BI27DJ27FK18"

// iban reports whether s is an account number: a country's length and a right
// checksum.
func iban(s string) bool {
	s = strings.ToUpper(strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' {
			return -1
		}
		return r
	}, s))
	if len(s) < 15 || len(s) > 34 {
		return false
	}
	for i := 0; i+4 <= len(ibanLengths); i += 4 {
		if ibanLengths[i:i+2] == s[:2] {
			n := int(ibanLengths[i+2]-'0')*10 + int(ibanLengths[i+3]-'0')
			return len(s) == n && mod97(s[4:]+s[:4]) == 1
		}
	}
	return false
}

// mod97 reads digits and letters (A is 10) as one number, modulo 97; -1 for
// anything else.
func mod97(s string) int {
	rest := 0
	for i := range len(s) {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			rest = (rest*10 + int(c-'0')) % 97
		case c >= 'A' && c <= 'Z':
			rest = (rest*100 + int(c-'A') + 10) % 97
		default:
			return -1
		}
	}
	return rest
}

// base58Check reports whether s is base58 with its four bytes of checksum.
func base58Check(s string) bool {
	const alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
	if len(s) < 20 || len(s) > 120 {
		return false
	}
	n, base := new(big.Int), big.NewInt(58)
	for i := range len(s) {
		digit := strings.IndexByte(alphabet, s[i])
		if digit < 0 {
			return false
		}
		n.Mul(n, base).Add(n, big.NewInt(int64(digit)))
	}
	raw := n.Bytes()
	for i := 0; i < len(s) && s[i] == '1'; i++ {
		raw = append([]byte{0}, raw...)
	}
	if len(raw) < 5 {
		return false
	}
	once := sha256.Sum256(raw[:len(raw)-4])
	twice := sha256.Sum256(once[:])
	return bytes.Equal(twice[:4], raw[len(raw)-4:])
}
