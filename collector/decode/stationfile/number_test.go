package stationfile

import (
	"strconv"
	"strings"
	"testing"

	"nhip"

	"pgregory.net/rapid"
)

func TestNumber(t *testing.T) {
	for text, want := range map[string]float64{
		"0": 0, "0.00": 0, "0,00": 0, "61.52": 61.52, "61,52": 61.52, "-1,5": -1.5, "+3": 3, "1e3": 1000, "2,5E-2": 0.025,
		"007": 7, "1,234": 1.234,
	} {
		if got, err := number([]byte(text)); err != nil || got != want {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for text, code := range map[string]nhip.Code{
		"": nhip.CodeMalformed, "-": nhip.CodeMalformed, ".": nhip.CodeMalformed, "1.": nhip.CodeMalformed,
		",5":      nhip.CodeMalformed,
		"1.234,5": nhip.CodeMalformed, "1,234,5": nhip.CodeMalformed, "NaN": nhip.CodeMalformed, "inf": nhip.CodeMalformed,
		"0x1p3": nhip.CodeMalformed, "1_000": nhip.CodeMalformed, "--1": nhip.CodeMalformed, "1e": nhip.CodeMalformed,
		"<5": nhip.CodeMalformed, "N/A": nhip.CodeMalformed, "#####": nhip.CodeMalformed, "1e999": nhip.CodeOutOfRange,
		strings.Repeat("1", 33): nhip.CodeMalformed,
	} {
		if got, err := number([]byte(text)); nhip.ErrorCode(err) != code {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
}

func TestNumberRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.Float64().Draw(t, "number")
		text := strconv.FormatFloat(want, rapid.SampledFrom([]byte("eE")).Draw(t, "format"), -1, 64)
		if rapid.Bool().Draw(t, "comma") {
			text = strings.Replace(text, ".", ",", 1)
		}
		if got, err := number([]byte(text)); err != nil || got != want {
			t.Fatalf("%s is parsed as %v, %v", text, got, err)
		}
	})
}
