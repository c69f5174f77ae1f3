package guard

// The checks of numbers that have few rules of their own.

// imei checks the number of a mobile device.
func imei(s string) bool {
	d := digitsOf(s)
	return len(d) == 15 && luhnSum(d) && !uniform(d)
}

// npi checks the number of a US provider of health care.
func npi(s string) bool {
	d := digitsOf(s)
	return len(d) == 10 && luhnSum("80840"+d) && !uniform(d)
}

// sin checks the number of a Canadian insured.
func sin(s string) bool {
	d := digitsOf(s)
	return len(d) == 9 && luhnSum(d) && d[0] != '0' && !uniform(d)
}

// southAfrican checks the number of a South African.
func southAfrican(s string) bool {
	d := digitsOf(s)
	return len(d) == 13 && luhnSum(d) && date(d[2:4], d[4:6])
}

// swedish checks the number of a Swede.
func swedish(s string) bool {
	d := lastDigits(s, 10)
	return len(d) == 10 && luhnSum(d) && date(d[2:4], d[4:6])
}

// israeli checks the number of an Israeli.
func israeli(s string) bool {
	d := digitsOf(s)
	return len(d) == 9 && luhnSum(d) && !uniform(d)
}

// aadhaar checks the number of an Indian resident.
func aadhaar(s string) bool {
	d := digitsOf(s)
	return len(d) == 12 && d[0] > '1' && verhoeff(d) && !uniform(d)
}

// danish checks the number of a Dane, which has a date but no checksum.
func danish(s string) bool {
	d := digitsOf(s)
	return len(d) == 10 && date(d[2:4], d[:2]) && !uniform(d)
}
