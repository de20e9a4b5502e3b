package officetable_test

import (
	"maps"
	"strings"
	"testing"

	"nhip"
	"nhip/collector/officetable"
)

// TestUnitsAreParsed parses units of one quantity and of all, and rejects what is neither.
func TestUnitsAreParsed(t *testing.T) {
	want := map[nhip.Quantity]string{nhip.NO2: "ppb", "": "mg/m³"}
	if got, err := officetable.ParseUnits([]string{" NO2 = ppb", "mg/m³"}); err != nil || !maps.Equal(got, want) {
		t.Errorf("got %v, %v", got, err)
	}
	for text, fault := range map[string]string{
		"stones": "unit", "": "unit", "no2=stones": "stones", "noise=ppb": "quantity", "pm25=ppb": "ppb",
	} {
		got, err := officetable.ParseUnits([]string{"no2=ppb", text})
		if err == nil || !strings.Contains(err.Error(), fault) {
			t.Errorf("%q is parsed as %v, %v", text, got, err)
		}
	}
}
