package guard

import (
	"fmt"
	"strings"
	"testing"
)

// person describes numbers for fixtures: random ones of the form that pass the
// check. That the check itself is right, TestChecks shows on published numbers.
type person struct {
	name, form, check string
	labels            []string
	alone             bool // it needs no label
}

var persons = []person{
	{"visa", `4\d{3} \d{4} \d{4} \d{4}`, "card", []string{"card", "Credit card number", "PAN"}, true},
	{"visa plain", `4\d{15}`, "card", []string{"card_number", "creditCard", "Visa"}, false},
	{"mastercard", `5[1-5]\d{2}-\d{4}-\d{4}-\d{4}`, "card", []string{"mastercard", "Payment card"}, true},
	{"mastercard 2", `222[1-9] \d{4} \d{4} \d{4}`, "card", []string{"card on file"}, true},
	{"amex", `3[47]\d{2} \d{6} \d{5}`, "card", []string{"Amex", "card"}, true},
	{"amex plain", `3[47]\d{13}`, "card", []string{"American Express", "cc"}, false},
	{"discover", `6011 \d{4} \d{4} \d{4}`, "card", []string{"Discover card"}, true},
	{"jcb", `35[2-8]\d \d{4} \d{4} \d{4}`, "card", []string{"JCB"}, true},
	{"diners", `36\d{2} \d{6} \d{4}`, "card", []string{"Diners Club"}, true},
	{"unionpay", `62\d{14}`, "card", []string{"UnionPay card"}, false},
	{"maestro", `6759\d{12}`, "card", []string{"Maestro"}, false},
	{"ssn", `[1-6]\d{2}-[1-9]\d-\d{4}`, "ssn", []string{"SSN", "Social Security Number", "ssn_last"}, true},
	{"ssn plain", `[1-6]\d{2}[1-9]\d{5}`, "ssn", []string{"SSN", "social security"}, false},
	{"iban de", `DE\d{20}`, "iban", []string{"IBAN", "Konto", "pay to"}, true},
	{"iban gb", `GB\d{2} [A-Z]{4} \d{4} \d{4} \d{4} \d{2}`, "iban", []string{"IBAN", "account"}, true},
	{"iban fr", `FR\d{12}[A-Z0-9]{11}\d{2}`, "iban", []string{"IBAN", "compte"}, true},
	{"iban es", `ES\d{2} \d{4} \d{4} \d{4} \d{4} \d{4}`, "iban", []string{"IBAN", "cuenta"}, true},
	{"iban nl", `NL\d{2}ABNA\d{10}`, "iban", []string{"iban", "transfer"}, true},
	{"iban it", `IT\d{2}[A-Z]\d{10}[A-Z0-9]{12}`, "iban", []string{"IBAN"}, true},
	{"iban mt", `MT\d{2}MALT\d{5}[A-Z0-9]{18}`, "iban", []string{"IBAN"}, true},
	{"iban ch", `CH\d{7}[A-Z0-9]{12}`, "iban", []string{"IBAN"}, true},
	{"iban sa", `SA\d{4}[A-Z0-9]{18}`, "iban", []string{"IBAN"}, true},
	{"iban no", `NO\d{2} \d{4} \d{4} \d{3}`, "iban", []string{"IBAN"}, true},
	{"nino", `[A-CEGHJ-NPR-TW-Z][A-CEGHJ-MPR-TW-Z] \d{2} \d{2} \d{2} [A-D]`, "nino", []string{"National Insurance number", "NINO"}, false},
	{"nhs", `\d{3} \d{3} \d{4}`, "nhs", []string{"NHS number", "nhs no"}, false},
	{"sin", `[1-7]\d{2}-\d{3}-\d{3}`, "sin", []string{"SIN", "Social Insurance Number"}, false},
	{"dni", `\d{8}[A-Z]`, "es_id", []string{"DNI", "Documento"}, false},
	{"nie", `[XYZ]-\d{7}-[A-Z]`, "es_id", []string{"NIE"}, false},
	{"codice fiscale", `[B-DF-HJ-NP-TV-Z]{6}[4-9]\d[ABCDEHLMPRST][0-3]\d[A-L]\d{3}[A-Z]`, "it_cf", []string{"codice fiscale", "CF", "tax code"}, true},
	{"nir", `[12] \d{2} 0[1-9] [1-8]\d \d{3} \d{3} \d{2}`, "nir", []string{"NIR", "Numéro de sécurité sociale"}, false},
	{"steuer", `[1-9]\d{10}`, "de_id", []string{"Steuer-ID", "Steueridentifikationsnummer", "Tax ID"}, false},
	{"bsn", `[1-9]\d{8}`, "bsn", []string{"BSN", "burgerservicenummer"}, false},
	{"belgian", `[4-9]\d\.0[1-9]\.[012]\d-\d{3}\.\d{2}`, "be_nn", []string{"Rijksregisternummer", "NISS", "national number"}, false},
	{"pesel", `[4-9]\d0[1-9][012]\d{6}`, "pesel", []string{"PESEL"}, false},
	{"swedish", `[4-9]\d0[1-9][012]\d-\d{4}`, "se_pn", []string{"Personnummer", "personal number"}, false},
	{"finnish", `[012]\d0[1-9]\d{2}-\d{3}[A-Y]`, "fi_hetu", []string{"henkilötunnus", "HETU", "code"}, true},
	{"norwegian", `[012]\d0[1-9]\d{7}`, "no_fnr", []string{"fødselsnummer", "Norwegian ID"}, false},
	{"danish", `[012]\d0[1-9]\d{2}-\d{4}`, "dk_cpr", []string{"CPR", "cpr-nummer"}, false},
	{"portuguese", `[123]\d{8}`, "pt_nif", []string{"NIF", "Contribuinte"}, false},
	{"cpf", `\d{3}\.\d{3}\.\d{3}-\d{2}`, "cpf", []string{"CPF", "cliente"}, true},
	{"cpf plain", `\d{11}`, "cpf", []string{"CPF"}, false},
	{"cnpj", `\d{2}\.\d{3}\.\d{3}/0001-\d{2}`, "cnpj", []string{"CNPJ", "empresa"}, true},
	{"aadhaar", `[2-9]\d{3} \d{4} \d{4}`, "aadhaar", []string{"Aadhaar", "UIDAI number"}, false},
	{"pan", `[A-Z]{3}P[A-Z]\d{4}[A-Z]`, "pan", []string{"PAN", "Permanent Account Number"}, false},
	{"tfn", `\d{3} \d{3} \d{3}`, "tfn", []string{"TFN", "Tax File Number"}, false},
	{"medicare", `[2-6]\d{3} \d{5} \d`, "medicare", []string{"Medicare", "medicare card"}, false},
	{"abn", `[1-9]\d \d{3} \d{3} \d{3}`, "abn", []string{"ABN"}, false},
	{"nric", `[STFG]\d{7}[A-Z]`, "nric", []string{"NRIC", "FIN"}, false},
	{"rrn", `[5-9]\d0[1-9][012]\d-[12]\d{6}`, "rrn", []string{"주민등록번호", "RRN", "id"}, true},
	{"my number", `\d{4} \d{4} \d{4}`, "my_number", []string{"マイナンバー", "My Number"}, false},
	{"chinese", `[1-6]\d{5}19[5-9]\d0[1-9][012]\d{4}[0-9X]`, "cn_id", []string{"身份证", "ID card", "id"}, true},
	{"turkish", `[1-9]\d{10}`, "tckn", []string{"TC Kimlik No", "TCKN"}, false},
	{"israeli", `[0-3]\d{8}`, "il_id", []string{"Teudat Zehut", "Israeli ID"}, false},
	{"curp", `[B-DF-HJ-NP-TV-Z]{4}[5-9]\d0[1-9][012]\d[HM][A-Z]{5}[0-9A]\d`, "curp", []string{"CURP", "clave"}, true},
	{"south african", `[5-9]\d0[1-9][012]\d{5}08\d`, "za_id", []string{"ID number", "South African ID"}, false},
	{"aba", `0[1-9]\d{7}`, "aba", []string{"Routing number", "ABA"}, false},
	{"imei", `35\d{13}`, "imei", []string{"IMEI"}, false},
	{"vin", `[1-5][A-HJ-NPR-Z]{2}[A-HJ-NPR-Z0-9]{5}[0-9X][A-HJ-NPR-Z0-9]{2}\d{6}`, "vin", []string{"VIN", "vehicle"}, false},
	{"dea", `[AB][A-Z]\d{7}`, "dea", []string{"DEA", "DEA number"}, false},
	{"npi", `[12]\d{9}`, "npi", []string{"NPI"}, false},
	{"passport", `P[A-Z]\d{6}[A-Z<]\d[A-Z]{3}[4-9]\d0[1-9][012]\d\dF[23]\d0[1-9][012]\d\d[A-Z0-9]{8}<<<<<<\d\d`, "mrz", []string{"MRZ", "passport"}, true},
}

// personLayouts are places of such numbers: L is the label, V the value.
var personLayouts = []string{
	"L: V", "Customer record\nL: V", "Customer record\nL V", `{"L": "V"}`, "L=V", "| L | V |", "name: Ann Miller\nL: V\ncity: Oslo",
	"The L of the applicant is V.", "L;Name\nV;Ann", "Her L is V and she lives in Rome.", "<L>V</L>", "L #V",
}

// aloneLayouts have no label.
var aloneLayouts = []string{"Ann Miller, V, Oslo", "V", "id,value\n7,V\n", "see V for it"}

func personFixtures() []fixture {
	d := newDice(4)
	var all []fixture
	for _, p := range persons {
		check := checks(p.check)
		for n := range 5 {
			value := d.example(p.form)
			for !check(value) {
				value = d.example(p.form)
			}
			layout := personLayouts[d.IntN(len(personLayouts))]
			if p.alone && n == 4 {
				layout = aloneLayouts[d.IntN(len(aloneLayouts))]
			}
			text := strings.NewReplacer("L", pick(d, p.labels), "V", value).Replace(layout)
			all = append(all, fixture{fmt.Sprintf("%s %d", p.name, n), text})
		}
	}
	return all
}

func TestPersonalDataIsFound(t *testing.T) {
	detection(t, personFixtures(), 0.97, "pii.")
}

// TestNumbersAreNotPersons scans numbers that are like those of persons, with
// wrong checksums or without the words that tell what they are.
func TestNumbersAreNotPersons(t *testing.T) {
	d := newDice(5)
	e := testEngine(t)
	hits := 0
	const rounds = 2000
	for range rounds {
		text := fmt.Sprintf("%s order %s at %s took %s ms, trace %s, sku %s, sum %s, %s",
			d.example(`20\d\d-0[1-9]-[12]\d`), d.digits(10), d.digits(13), d.digits(3), d.from("0123456789abcdef", 32),
			d.example(`[A-Z]{3}-\d{4}-\d{3}`), d.example(`\d{1,3}\.\d{2}`), d.digits(16))
		if detects(t, e, text, []string{"pii."}) {
			hits++
			t.Logf("found in %q", text)
		}
	}
	if hits > rounds/200 {
		t.Errorf("%d of %d lines of numbers are taken for personal data", hits, rounds)
	}
}
