package api

import (
	"math"
	"strconv"
	"testing"

	"pgregory.net/rapid"
)

func TestRoundedIsAsAFloat(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		unit := rapid.SampledFrom([]float64{1, 10, degrees}).Draw(t, "unit")
		f := rapid.OneOf(rapid.Float64Range(-400, 400), rapid.Float64Range(-1e-6, 1e-6), rapid.Float64()).Draw(t, "f")
		if math.IsInf(f*unit, 0) {
			return
		}
		got, err := strconv.ParseFloat(string(appendRounded(nil, f, unit)), 64)
		if want := math.Round(f*unit) / unit; err != nil || got != want && !(got == 0 && want == 0) {
			t.Fatalf("%v in steps of 1/%v is %v (%v), want %v", f, unit, got, err, want)
		}
	})
}

func TestTextIsAsAnybodyQuotesIt(t *testing.T) {
	for in, want := range map[string]string{"Cầu Giấy": `"Cầu Giấy"`, `a"b\`: `"a\"b\\"`, "x\ny": `"x\u000ay"`, "a\xffb": `"a\ufffdb"`, "": `""`} {
		got := string(appendText(nil, in))
		a, _ := strconv.Unquote(got)
		b, _ := strconv.Unquote(want)
		if a != b {
			t.Errorf("%q becomes %s, want %s", in, got, want)
		}
	}
}
