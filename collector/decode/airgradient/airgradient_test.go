package airgradient

import (
	"os"
	"path/filepath"
	"testing"

	"nhip"
	"nhip/collector/decode"
	"nhip/collector/decode/decodetest"

	"github.com/google/go-cmp/cmp"
)

func TestGolden(t *testing.T) { decodetest.Golden(t, Decoder) }

func FuzzDecode(f *testing.F) { decodetest.Fuzz(f, Decoder) }

func BenchmarkDecode(b *testing.B) { decodetest.Benchmark(b, Decoder, "one-indoor") }

func TestDecodeRecordedMonitors(t *testing.T) {
	dir := decodetest.Data(t, "air/samples")
	for file, want := range map[string]map[nhip.Quantity]float64{
		"airgradient_current_measures.json": {
			nhip.PM1: 22, nhip.PM25: 34, nhip.PM10: 41, nhip.Temperature: 23.1, nhip.Humidity: 32,
		},
		"airgradient_current_measures_2.json": {
			nhip.PM1: 0, nhip.PM25: 2, nhip.PM10: 2, nhip.Temperature: 20.35, nhip.Humidity: 32.51,
		},
		"airgradient_current_measures_zero.json": {
			nhip.PM1: 22, nhip.PM25: 34, nhip.PM10: 41, nhip.Temperature: 23.1, nhip.Humidity: 32,
		},
		"airgradient_measures_after_boot.json": {},
	} {
		payload, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		in := decode.Input{
			Topic: "nhip/in/airgradient/m", Payload: payload, Received: decodetest.Received, Feed: new(decode.Feed),
		}
		if diff := cmp.Diff(want, decodetest.Values(t, Decoder, in)); diff != "" {
			t.Errorf("%s: -want +got:\n%s", file, diff)
		}
	}
}
