package jsonscan

import (
	"testing"

	"nhip"
)

func TestStringOrNumber(t *testing.T) {
	for payload, want := range map[string]string{
		`"4170215"`: "4170215", ` 4170215`: "4170215", `-1.50e2`: "-1.50e2", `""`: "", `"a\u0062"`: "ab",
	} {
		s := New([]byte(payload))
		if got, err := s.StringOrNumber(); err != nil || got != want || s.End() != nil {
			t.Errorf("%s: %q, %v, want %q", payload, got, err, want)
		}
	}
	for _, payload := range []string{`null`, `true`, `{}`, ``, `01x`, `"a`} {
		s := New([]byte(payload))
		if got, err := s.StringOrNumber(); err == nil && s.End() == nil {
			t.Errorf("%s is read as %q, want an error", payload, got)
		}
	}
}

func TestFloatOrString(t *testing.T) {
	for payload, want := range map[string]float64{`"60.25"`: 60.25, `60.25`: 60.25, `" -1e1 "`: -10} {
		s := New([]byte(payload))
		if got, err := s.FloatOrString(); err != nil || got != want || s.End() != nil {
			t.Errorf("%s: %v, %v, want %v", payload, got, err, want)
		}
	}
	for _, payload := range []string{`""`, `"1 2"`, `"0x10"`, `"inf"`, `"1,5"`, `"NaN"`, `"1_0"`, `null`, `"1`} {
		s := New([]byte(payload))
		if got, err := s.FloatOrString(); nhip.ErrorCode(err) != nhip.CodeMalformed {
			t.Errorf("%s: %v, %v, want malformed", payload, got, err)
		}
	}
}

func TestKeySetReportsNewKeysOnce(t *testing.T) {
	var k keySet
	names := []string{"", "a", "b", "ab", "ba", "stop", "spot", "\x00", "ÿ"}
	for i := range 60 { // more than fit into keySet.few, and enough for common bits
		names = append(names, "key"+string(rune('A'+i)))
	}
	for _, name := range names {
		if !k.add([]byte(name)) {
			t.Errorf("%q is not new at first", name)
		}
	}
	for _, name := range names {
		if k.add([]byte(name)) {
			t.Errorf("%q is new a second time", name)
		}
	}
}
