package guard

import (
	"strconv"
	"strings"
)

// The checks of numbers that states give to persons.

// ssn reports whether s is a US social security number that can exist.
func ssn(s string) bool {
	d := digitsOf(s)
	return len(d) == 9 && d[:3] != "000" && d[:3] != "666" && d[0] != '9' && d[3:5] != "00" && d[5:] != "0000" &&
		d != "123456789" && d != "987654321" && d != "078051120" && !uniform(d)
}

// nhs checks a number of the British health service.
func nhs(s string) bool {
	rest := weighted(s, 10, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2)
	return rest >= 0 && (11-rest)%11 == int(digitsOf(s)[9]-'0')
}

// nino checks the prefix of a British insurance number, which has no checksum.
func nino(s string) bool {
	s = strings.ToUpper(strings.NewReplacer(" ", "", "-", "").Replace(s))
	return len(s) == 9 && !strings.ContainsAny(s[:2], "DFIQUV") && s[1] != 'O' &&
		!listed("BG|GB|KN|NK|NT|TN|ZZ|QQ", s[:2]) && !uniform(s[2:8])
}

// cpf checks a Brazilian person's number.
func cpf(s string) bool {
	d := digitsOf(s)
	return len(d) == 11 && elevenTail(d[:10], 10, 10, 9, 8, 7, 6, 5, 4, 3, 2) && elevenTail(d, 11, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2)
}

// cnpj checks a Brazilian company's number.
func cnpj(s string) bool {
	d := digitsOf(s)
	return len(d) == 14 && elevenTail(d[:13], 13, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2) &&
		elevenTail(d, 14, 6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2)
}

// medicare checks an Australian health card.
func medicare(s string) bool {
	d := digitsOf(s)
	return (len(d) == 10 || len(d) == 11) && d[0] >= '2' && d[0] <= '6' && weighted(d[:9], 9, 10, 1, 3, 7, 9, 1, 3, 7, 9) == int(d[8]-'0')
}

// abn checks an Australian business number.
func abn(s string) bool {
	d := digitsOf(s)
	if len(d) != 11 || d[0] == '0' {
		return false
	}
	return weighted(string(d[0]-1)+d[1:], 11, 89, 10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19) == 0
}

// verhoeff checks the last digit of d by Verhoeff's scheme.
func verhoeff(d string) bool {
	const product = "0123456789123406789523401789563401289567401239567859876043216598710432765982104387659321049876543210"
	const permutation = "01234567891576283094580379614289160435279453126870428657390127938064157046913258"
	c := 0
	for i := range len(d) {
		digit := int(d[len(d)-1-i] - '0')
		p := int(permutation[(i%8)*10+digit] - '0')
		c = int(product[c*10+p] - '0')
	}
	return c == 0
}

// nric checks a Singaporean identity number.
func nric(s string) bool {
	s = strings.ToUpper(s)
	if len(s) != 9 {
		return false
	}
	sum := weighted(s[1:8], 7, 11, 2, 7, 6, 5, 4, 3, 2)
	switch s[0] {
	case 'S':
		return sum >= 0 && "JZIHGFEDCBA"[sum] == s[8]
	case 'T':
		return sum >= 0 && "JZIHGFEDCBA"[(sum+4)%11] == s[8]
	case 'F':
		return sum >= 0 && "XWUTRQPNMLK"[sum] == s[8]
	case 'G':
		return sum >= 0 && "XWUTRQPNMLK"[(sum+4)%11] == s[8]
	default:
		return false
	}
}

// rrn checks a South Korean resident's number.
func rrn(s string) bool {
	d := digitsOf(s)
	sum := weighted(d, 13, 11, 2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)
	return sum >= 0 && date(d[2:4], d[4:6]) && (11-sum)%10 == int(d[12]-'0')
}

// myNumber checks a Japanese individual's number.
func myNumber(s string) bool {
	d := digitsOf(s)
	rest := weighted(d, 12, 11, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)
	if rest < 0 {
		return false
	}
	tail := 11 - rest
	if rest <= 1 {
		tail = 0
	}
	return int(d[11]-'0') == tail
}

// chineseID checks a Chinese identity card.
func chineseID(s string) bool {
	s = strings.ToUpper(s)
	if len(s) != 18 || !date(s[10:12], s[12:14]) {
		return false
	}
	sum := weighted(s[:17], 17, 11, 7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
	return sum >= 0 && "10X98765432"[sum] == s[17]
}

// tckn checks a Turkish identity number.
func tckn(s string) bool {
	d := digitsOf(s)
	if len(d) != 11 || d[0] == '0' || uniform(d) {
		return false
	}
	odd, even, all := 0, 0, 0
	for i := range 10 {
		n := int(d[i] - '0')
		all += n
		switch {
		case i == 9:
		case i%2 == 0:
			odd += n
		default:
			even += n
		}
	}
	return (odd*7-even+100)%10 == int(d[9]-'0') && all%10 == int(d[10]-'0')
}

// spanishID checks a Spanish DNI or NIE.
func spanishID(s string) bool {
	s = strings.ToUpper(strings.NewReplacer(" ", "", "-", "", ".", "").Replace(s))
	if len(s) != 9 {
		return false
	}
	if i := strings.IndexByte("XYZ", s[0]); i >= 0 {
		s = strconv.Itoa(i) + s[1:]
	}
	n, err := strconv.Atoi(s[:8])
	return err == nil && n > 0 && !uniform(s[:8]) && "TRWAGMYFPDXBNJZSQVHLCKE"[n%23] == s[8]
}

// codiceFiscale checks an Italian tax code.
func codiceFiscale(s string) bool {
	s = strings.ToUpper(s)
	if len(s) != 16 {
		return false
	}
	odd := [...]int{1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23}
	sum := 0
	for i := range 15 {
		n := int(s[i] - '0')
		if s[i] >= 'A' {
			n = int(s[i] - 'A')
		}
		if n < 0 || n > 25 {
			return false
		}
		if i%2 == 0 {
			n = odd[n]
		}
		sum += n
	}
	return byte('A'+sum%26) == s[15]
}

// nir checks a French social security number.
func nir(s string) bool {
	s = strings.ToUpper(strings.ReplaceAll(s, " ", ""))
	if len(s) != 15 {
		return false
	}
	body := strings.NewReplacer("2A", "19", "2B", "18").Replace(s[5:7])
	n, err := strconv.ParseInt(s[:5]+body+s[7:13], 10, 64)
	key, err2 := strconv.ParseInt(s[13:], 10, 64)
	return err == nil && err2 == nil && (s[0] == '1' || s[0] == '2') && 97-n%97 == key
}

// steuerID checks a German tax identification number.
func steuerID(s string) bool {
	d := digitsOf(s)
	if len(d) != 11 || d[0] == '0' {
		return false
	}
	repeated := 0
	for c := '0'; c <= '9'; c++ {
		if n := strings.Count(d[:10], string(c)); n > 3 {
			return false
		} else if n > 1 {
			repeated++
		}
	}
	product := 10
	for i := range 10 {
		sum := (int(d[i]-'0') + product) % 10
		if sum == 0 {
			sum = 10
		}
		product = sum * 2 % 11
	}
	return repeated >= 1 && (11-product)%10 == int(d[10]-'0')
}

// belgian checks a Belgian national number.
func belgian(s string) bool {
	d := digitsOf(s)
	if len(d) != 11 || d[2:4] > "52" {
		return false
	}
	n, err := strconv.ParseInt(d[:9], 10, 64)
	key, err2 := strconv.ParseInt(d[9:], 10, 64)
	return err == nil && err2 == nil && (97-n%97 == key || 97-(2_000_000_000+n)%97 == key)
}

// hetu checks a Finnish personal code.
func hetu(s string) bool {
	s = strings.ToUpper(s)
	d := digitsOf(s[:min(len(s), 10)])
	if len(s) != 11 || len(d) != 9 || !date(d[2:4], d[:2]) {
		return false
	}
	n, err := strconv.Atoi(d)
	return err == nil && "0123456789ABCDEFHJKLMNPRSTUVWXY"[n%31] == s[10]
}

// fnr checks a Norwegian birth number.
func fnr(s string) bool {
	d := digitsOf(s)
	if len(d) != 11 {
		return false
	}
	return weighted(d, 11, 11, 3, 7, 6, 1, 8, 9, 4, 5, 2, 1) == 0 && weighted(d, 11, 11, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1) == 0
}

// curp checks a Mexican population code.
func curp(s string) bool {
	const alphabet = "0123456789ABCDEFGHIJKLMNÑOPQRSTUVWXYZ"
	s = strings.ToUpper(s)
	if len(s) != 18 || !date(s[6:8], s[8:10]) {
		return false
	}
	values := []rune(alphabet)
	sum := 0
	for i := range 17 {
		n := 0
		for n < len(values) && values[n] != rune(s[i]) {
			n++
		}
		sum += n * (18 - i)
	}
	return byte('0'+(10-sum%10)%10) == s[17]
}

// dea checks the number of a US prescriber.
func dea(s string) bool {
	d := digitsOf(s)
	if len(s) != 9 || len(d) < 7 {
		return false
	}
	d = d[len(d)-7:]
	return weighted(d, 7, 10, 1, 2, 1, 2, 1, 2) == int(d[6]-'0')
}

// vin checks the number of a vehicle.
func vin(s string) bool {
	const letters = "ABCDEFGH..JKLMN.P.R.STUVWXYZ"
	const values = "12345678..12345.7.9.23456789"
	weights := [...]int{8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2}
	s = strings.ToUpper(s)
	if len(s) != 17 {
		return false
	}
	sum := 0
	for i := range 17 {
		n := int(s[i] - '0')
		if s[i] >= 'A' {
			at := strings.IndexByte(letters, s[i])
			if at < 0 {
				return false
			}
			n = int(values[at] - '0')
		}
		sum += n * weights[i]
	}
	return "0123456789X"[sum%11] == s[8]
}

// mrz checks the second line of a passport's machine-readable zone.
func mrz(s string) bool {
	digit := func(part string) int {
		sum := 0
		for i := range len(part) {
			n := 0
			switch c := part[i]; {
			case c >= '0' && c <= '9':
				n = int(c - '0')
			case c >= 'A' && c <= 'Z':
				n = int(c-'A') + 10
			}
			sum += n * [...]int{7, 3, 1}[i%3]
		}
		return sum % 10
	}
	holds := func(part string, check byte) bool { return digit(part) == int(check-'0') }
	return len(s) == 44 && holds(s[:9], s[9]) && holds(s[13:19], s[19]) && holds(s[21:27], s[27])
}
