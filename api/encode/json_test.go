package encode

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestRoundedEqualsRoundedFloat(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		unit := rapid.SampledFrom([]float64{1, 10, DegreeSteps}).Draw(t, "unit")
		f := rapid.OneOf(rapid.Float64Range(-400, 400), rapid.Float64Range(-1e-6, 1e-6), rapid.Float64()).Draw(t, "f")
		if math.IsInf(f*unit, 0) {
			return
		}
		got, err := strconv.ParseFloat(string(Rounded(nil, f, unit)), 64)
		if want := math.Round(f*unit) / unit; err != nil || got != want && !(got == 0 && want == 0) {
			t.Fatalf("%v in steps of 1/%v: %v (%v), want %v", f, unit, got, err, want)
		}
	})
}

func TestTextQuotesLikeStrconv(t *testing.T) {
	for in, want := range map[string]string{
		"Cầu Giấy": `"Cầu Giấy"`, `a"b\`: `"a\"b\\"`, "x\ny": `"x\u000ay"`, "a\xffb": `"a\ufffdb"`, "": `""`,
	} {
		got := string(Text(nil, in))
		a, _ := strconv.Unquote(got)
		b, _ := strconv.Unquote(want)
		if a != b {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
}

func TestTextDecodesToValidUTF8(t *testing.T) {
	for _, s := range []string{"", "Mỹ Đình", `a"b\c`, "a\nb\x00", "\xff", "\u2028"} {
		var got string
		if err := json.Unmarshal(Text(nil, s), &got); err != nil || got != strings.ToValidUTF8(s, "\uFFFD") {
			t.Errorf("%q decodes to %q, %v", s, got, err)
		}
	}
}
