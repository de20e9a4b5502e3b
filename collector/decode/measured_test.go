package decode_test

import (
	"testing"

	"nhip"
	"nhip/collector/decode"
	"nhip/collector/decode/jsonscan"
)

func TestMeasured(t *testing.T) {
	none := nhip.Opt[float64]{}
	for payload, want := range map[string]nhip.Opt[float64]{
		`12.3`: nhip.Some(12.3), `"12.3"`: nhip.Some(12.3), `" -4 "`: nhip.Some(-4.0), `"1e2"`: nhip.Some(100.0),
		`"0"`: nhip.Some(0.0),
		`""`:  none, `"  "`: none, `"nan"`: none, `"NaN"`: none, `"unavailable"`: none, `"Unknown"`: none, `null`: none,
	} {
		s := jsonscan.New([]byte(payload))
		got, err := decode.Measured(&s)
		if err != nil || got != want || s.End() != nil {
			t.Errorf("%s: %v, %v", payload, got, err)
		}
	}
}

func TestMeasuredRejectsOtherText(t *testing.T) {
	for payload, want := range map[string]nhip.Code{
		`"12,3"`: nhip.CodeMalformed, `"0x10"`: nhip.CodeMalformed, `"inf"`: nhip.CodeMalformed, `"1_0"`: nhip.CodeMalformed,
		`"12 µg"`: nhip.CodeMalformed,
		`"--"`:    nhip.CodeMalformed, `"1e999"`: nhip.CodeOutOfRange, `1e999`: nhip.CodeOutOfRange,
		`nan`: nhip.CodeMalformed, `nul`: nhip.CodeMalformed,
		`true`: nhip.CodeMalformed, `[1]`: nhip.CodeMalformed, `"`: nhip.CodeMalformed, ``: nhip.CodeMalformed,
	} {
		s := jsonscan.New([]byte(payload))
		if got, err := decode.Measured(&s); nhip.ErrorCode(err) != want {
			t.Errorf("%s: %v, %v", payload, got, err)
		}
	}
}
