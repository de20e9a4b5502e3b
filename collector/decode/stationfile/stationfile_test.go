package stationfile

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

func BenchmarkDecode(b *testing.B) { decodetest.Benchmark(b, Decoder, "full") }

// TestDecodeEveryEncoding checks that a file results in the same facts in every encoding.
func TestDecodeEveryEncoding(t *testing.T) { decodetest.SameFacts(t, "full", "bom", "latin1") }

// TestDecodeSampleFile decodes a sample without validation, because the sample is years old.
func TestDecodeSampleFile(t *testing.T) {
	file := filepath.Join(decodetest.Data(t, "air/samples"), "HN_CCMT_KHITY3_20191120081500_constructed.txt")
	payload, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var facts nhip.Facts
	err = Decoder.Decode(decode.Input{
		Topic: "nhip/in/station-file/HN_CCMT_KHITY3", Payload: payload, Received: decodetest.Received,
		Feed: &decode.Feed{}, Reject: func(fault error) { t.Error(fault) },
	}, &facts)
	if err != nil || len(facts.Readings) != 8 {
		t.Fatalf("%d readings, %v", len(facts.Readings), err)
	}
	flags := map[nhip.Flag]int{}
	for _, r := range facts.Readings {
		flags[r.Flag]++
		if r.Time.Hour() != 1 || r.Time.Minute() != 15 || r.Station != "HN_CCMT_KHITY3" {
			t.Errorf("%+v", r)
		}
	}
	if diff := cmp.Diff(map[nhip.Flag]int{nhip.FlagGood: 6, nhip.FlagFail: 2}, flags); diff != "" {
		t.Errorf("flags: -want +got:\n%s", diff)
	}
}
