package guard

import "testing"

func TestChecks(t *testing.T) {
	tests := map[string]struct{ yes, no []string }{
		"luhn":   {[]string{"4242 4242 4242 4242", "378282246310005"}, []string{"4242 4242 4242 4241", "0000000000000000", "42"}},
		"iban":   {[]string{"GB33BUKB20201555555555", "DE89 3704 0044 0532 0130 00"}, []string{"GB34BUKB20201555555555", "GB33"}},
		"ssn":    {[]string{"219-09-9998"}, []string{"000-12-3456", "666-12-3456", "912-12-3456", "123-45-6789", "12"}},
		"secret": {[]string{"hunter2!Xq9", "9f8e7d6c5b4a"}, []string{"your-password", "${TOKEN}", "config.get", "aaaaaa", "<secret>"}},
	}
	for name, test := range tests {
		check := checks(name)
		for _, s := range test.yes {
			if !check(s) {
				t.Errorf("%s refuses %q", name, s)
			}
		}
		for _, s := range test.no {
			if check(s) {
				t.Errorf("%s accepts %q", name, s)
			}
		}
	}
	if checks("no such check") != nil {
		t.Error("an unknown check is not refused")
	}
}
