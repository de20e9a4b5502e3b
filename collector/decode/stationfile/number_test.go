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
		"": nhip.Malformed, "-": nhip.Malformed, ".": nhip.Malformed, "1.": nhip.Malformed, ",5": nhip.Malformed,
		"1.234,5": nhip.Malformed, "1,234,5": nhip.Malformed, "NaN": nhip.Malformed, "inf": nhip.Malformed,
		"0x1p3": nhip.Malformed, "1_000": nhip.Malformed, "--1": nhip.Malformed, "1e": nhip.Malformed,
		"<5": nhip.Malformed, "N/A": nhip.Malformed, "#####": nhip.Malformed, "1e999": nhip.OutOfRange,
		strings.Repeat("1", 33): nhip.Malformed,
	} {
		if got, err := number([]byte(text)); nhip.ErrorCode(err) != code {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
}

func TestNumbersAreReadAsTheyAreWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.Float64().Draw(t, "number")
		text := strconv.FormatFloat(want, rapid.SampledFrom([]byte("eE")).Draw(t, "format"), -1, 64)
		if rapid.Bool().Draw(t, "comma") {
			text = strings.Replace(text, ".", ",", 1)
		}
		if got, err := number([]byte(text)); err != nil || got != want {
			t.Fatalf("%s is read as %v, %v", text, got, err)
		}
	})
}
