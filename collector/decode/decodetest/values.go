package decodetest

import (
	"os"
	"path/filepath"
	"testing"

	"nhip"
	"nhip/collector/decode"
)

// Data returns a folder of real recordings, and skips the test where there are none.
func Data(t testing.TB, folder string) string {
	t.Helper()
	root := os.Getenv("TESTDATA_DIR")
	if root == "" {
		t.Skip("TESTDATA_DIR is not set: no real recordings to test with")
	}
	return filepath.Join(root, folder)
}

// Values decodes and validates a message of one station and returns its values. A quantity that
// stands twice fails the test.
func Values(t testing.TB, d decode.Decoder, in decode.Input) map[nhip.Quantity]float64 {
	t.Helper()
	values := make(map[nhip.Quantity]float64)
	for _, r := range Decode(t, d, in).Readings {
		if _, twice := values[r.Quantity]; twice {
			t.Errorf("%s stands twice", r.Quantity)
		}
		values[r.Quantity] = r.Value
	}
	return values
}

// Decode decodes and validates a message that must be good.
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

// Benchmark measures the decoder, with the checks at the door, on one of its golden cases.
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
