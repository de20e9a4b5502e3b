package ufms

import (
	"strings"
	"testing"

	"nhip"

	"pgregory.net/rapid"
)

func TestPlate(t *testing.T) {
	for text, want := range map[string]string{
		"29B12345": "29B12345", "29B-123.45": "29B12345", "29B 12345": "29B12345", "29b12345": "29B12345",
		" 29B_123-45\t": "29B12345", "29B\u00a012345": "29B12345",
		"29A1511": "29A1511", "29K-8942": "29K8942", "29-LD 012.34": "29LD01234", "29-mđ1 234.56": "29MĐ123456",
	} {
		if got, err := Plate(text); err != nil || got != want {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
	for text, code := range map[string]nhip.Code{
		"": nhip.CodeMissing, " -. ": nhip.CodeMissing, "29B/12345": nhip.CodeMalformed, "29B12345\x00": nhip.CodeMalformed,
		"29B\xff2345": nhip.CodeMalformed, "xe số 7!": nhip.CodeMalformed, strings.Repeat("2", 33): nhip.CodeMalformed,
	} {
		if got, err := Plate(text); nhip.ErrorCode(err) != code {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
}

// TestPlateIsIdempotent checks that a canonical plate does not change, and that it is a valid id.
func TestPlateIsIdempotent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOfN(rapid.RuneFrom([]rune("0129ABbđĐKéß.-_ \u00a0")), 0, 12, -1).Draw(t, "text")
		plate, err := Plate(text)
		if err != nil {
			return
		}
		if again, err := Plate(plate); err != nil || again != plate {
			t.Fatalf("Plate(%q) is %q, Plate of that is %q, %v", text, plate, again, err)
		}
		if err := nhip.CheckID("vehicle", plate); err != nil {
			t.Fatal(err)
		}
	})
}
