package decode

import (
	"strings"
	"testing"

	"nhip"

	"github.com/google/go-cmp/cmp"
)

func TestParseFields(t *testing.T) {
	got, err := ParseFields(" air.pm2_5 = pm25,temp=temperature  °F , no2=no2 ppb ")
	want := []Field{{"air.pm2_5", nhip.PM25, ""}, {"temp", nhip.Temperature, "°F"}, {"no2", nhip.NO2, "ppb"}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Fatalf("%v\n%s", err, diff)
	}
	if again, err := ParseFields(FormatFields(got)); err != nil || !cmp.Equal(got, again) {
		t.Errorf("%q is parsed as %v, %v", FormatFields(got), again, err)
	}
	if none, err := ParseFields(" "); none != nil || err != nil {
		t.Errorf("blank text is parsed as %v, %v", none, err)
	}
	for text, want := range map[string]string{
		"pm25":                 `must be PATH=QUANTITY UNIT`,
		"=pm25":                `must be PATH=QUANTITY UNIT`,
		"a=":                   `must be PATH=QUANTITY UNIT`,
		"a=pm25,":              `must be PATH=QUANTITY UNIT`,
		"a=dust":               `a: "dust" is not a known quantity`,
		"a=pm25 ppb":           `a: "ppb" does not apply to pm25`,
		"a=temperature meters": `a: "meters" is not a known unit`,
		"a=pm25, a=pm10":       `names a twice`,
	} {
		if _, err := ParseFields(text); nhip.ErrorCode(err) != nhip.CodeInvalid || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}
