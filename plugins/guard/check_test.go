package guard

import "testing"

func TestChecks(t *testing.T) {
	tests := map[string]struct{ yes, no []string }{
		"luhn":      {[]string{"4242 4242 4242 4242", "378282246310005"}, []string{"4242 4242 4242 4241", "0000000000000000", "42"}},
		"card":      {[]string{"4111111111111111", "6011-1111-1111-1117", "30569309025904"}, []string{"4111111111111112", "1111111111111117"}},
		"iban":      {[]string{"GB33BUKB20201555555555", "DE89 3704 0044 0532 0130 00"}, []string{"GB34BUKB20201555555555", "GB33", "DE89370400440532013000X"}},
		"ssn":       {[]string{"219-09-9998"}, []string{"000-12-3456", "666-12-3456", "912-12-3456", "123-45-6789", "12"}},
		"nhs":       {[]string{"943 476 5919"}, []string{"943 476 5918", "1"}},
		"nino":      {[]string{"AB123456C"}, []string{"QQ123456C", "AB"}},
		"sin":       {[]string{"130-692-544"}, []string{"130-692-545"}},
		"es_id":     {[]string{"12345678Z", "X1234567L"}, []string{"12345678A", "1"}},
		"it_cf":     {[]string{"RSSMRA85T10A562S"}, []string{"RSSMRA85T10A562T", "RSS"}},
		"nir":       {[]string{"184127645108946"}, []string{"184127645108947", "1"}},
		"de_id":     {[]string{"86095742719"}, []string{"86095742718", "8"}},
		"bsn":       {[]string{"111222333"}, []string{"111222334"}},
		"be_nn":     {[]string{"85.07.30-033.28"}, []string{"85.07.30-033.29"}},
		"pesel":     {[]string{"44051401359"}, []string{"44051401358"}},
		"se_pn":     {[]string{"811218-9876", "19811218-9876"}, []string{"811218-9875"}},
		"fi_hetu":   {[]string{"131052-308T"}, []string{"131052-308U", "131052"}},
		"no_fnr":    {[]string{"15108695088"}, []string{"15108695089"}},
		"dk_cpr":    {[]string{"211062-5629"}, []string{"991362-5629"}},
		"pt_nif":    {[]string{"501964843"}, []string{"501964842"}},
		"cpf":       {[]string{"390.533.447-05"}, []string{"390.533.447-06", "111.111.111-11"}},
		"cnpj":      {[]string{"11.222.333/0001-81"}, []string{"11.222.333/0001-82"}},
		"aadhaar":   {[]string{"234123412346"}, []string{"234123412347"}},
		"pan":       {[]string{"ACUPA7085R"}, []string{"ACUXA7085R"}},
		"tfn":       {[]string{"123 456 782"}, []string{"123 456 783"}},
		"medicare":  {[]string{"2123 45670 1"}, []string{"2123 45671 1"}},
		"abn":       {[]string{"51 824 753 556"}, []string{"51 824 753 557"}},
		"nric":      {[]string{"S1234567D"}, []string{"S1234567A", "X1234567D"}},
		"rrn":       {[]string{"971013-9019902"}, []string{"971013-9019903", "97"}},
		"my_number": {[]string{"621498320257"}, []string{"621498320258", "6"}},
		"cn_id":     {[]string{"11010519491231002X"}, []string{"110105194912310021", "1"}},
		"tckn":      {[]string{"10000000146"}, []string{"10000000147"}},
		"il_id":     {[]string{"039337423"}, []string{"039337424"}},
		"curp":      {[]string{"BOXW310820HNERXN09"}, []string{"BOXW310820HNERXN08"}},
		"za_id":     {[]string{"8001015009087"}, []string{"8001015009088"}},
		"aba":       {[]string{"111000025"}, []string{"111000026", "1"}},
		"dea":       {[]string{"AB1234563"}, []string{"AB1234564", "A"}},
		"npi":       {[]string{"1234567893"}, []string{"1234567894"}},
		"imei":      {[]string{"490154203237518"}, []string{"490154203237519"}},
		"vin":       {[]string{"1M8GDM9AXKP042788"}, []string{"1M8GDM9AYKP042788", "1"}},
		"mrz":       {[]string{"L898902C36UTO7408122F1204159ZE184226B<<<<<10"}, []string{"L898902C37UTO7408122F1204159ZE184226B<<<<<10"}},
		"base58":    {[]string{"1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2"}, []string{"1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN3", "0O"}},
		"secret":    {[]string{"hunter2!Xq9", "9f8e7d6c5b4a"}, []string{"your-password", "${TOKEN}", "aaaaaa", "<secret>"}},
		"password":  {[]string{"hunter2!Xq9", "sunny-day-77"}, []string{"your-password", "${TOKEN}", "config.get", "aaaaaa", "<secret>", "password123", "VARCHAR(60)"}},
		"token":     {[]string{"9f8e7d6c5b4a39281706f5e4", "qW3eR5tY7uI9oP1aS2dF"}, []string{"getAccessTokenFromStorage", "my-application-name-2", "https://a.test/b1c2d3", "123e4567-e89b-12d3-a456-426614174000"}},
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
