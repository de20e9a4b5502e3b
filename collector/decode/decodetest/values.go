package decodetest

import (
	"os"
	"path/filepath"
	"testing"

	"nhip"
	"nhip/collector/decode"

	"github.com/google/go-cmp/cmp"
)

// Data returns a folder with real recordings, and skips the test without them.
func Data(t testing.TB, folder string) string {
	t.Helper()
	root := os.Getenv("TESTDATA_DIR")
	if root == "" {
		t.Skip("TESTDATA_DIR is not set; no real recordings to test with")
	}
	return filepath.Join(root, folder)
}

// Values decodes and validates a message of one station, and returns its values. A quantity that occurs twice fails
// the test.
func Values(t testing.TB, d decode.Decoder, in decode.Input) map[nhip.Quantity]float64 {
	t.Helper()
	values := make(map[nhip.Quantity]float64)
	for _, r := range Decode(t, d, in).Readings {
		if _, ok := values[r.Quantity]; ok {
			t.Errorf("%s occurs twice", r.Quantity)
		}
		values[r.Quantity] = r.Value
	}
	return values
}

// Decode decodes and validates a message that must be valid.
func Decode(t testing.TB, d decode.Decoder, in decode.Input) nhip.Facts {
	t.Helper()
	var facts nhip.Facts
	if err := d.Decode(in, &facts); err != nil {
		t.Fatal(err)
	}
	if err := facts.Validate(in.Received); err != nil {
		t.Fatal(err)
	}
	return facts
}

// Benchmark measures decoding and validating one of the golden cases.
func Benchmark(b *testing.B, d decode.Decoder, name string) {
	in := load(b, filepath.Join("testdata", name))
	var facts nhip.Facts
	b.SetBytes(int64(len(in.Payload)))
	b.ReportAllocs()
	for b.Loop() {
		facts.Reset()
		if err := d.Decode(in, &facts); err != nil {
			b.Fatal(err)
		}
		if err := facts.Validate(Received); err != nil {
			b.Fatal(err)
		}
	}
}

// SameFacts checks that golden cases result in the same facts as the first one, as do copies of a message.
func SameFacts(t *testing.T, first string, copies ...string) {
	t.Helper()
	facts := func(name string) string {
		raw, err := os.ReadFile(filepath.Join("testdata", name, "want.json"))
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	for _, name := range copies {
		if diff := cmp.Diff(facts(first), facts(name)); diff != "" {
			t.Errorf("%s: -%s +%s:\n%s", name, first, name, diff)
		}
	}
}
