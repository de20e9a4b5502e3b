package reading

import (
	"strings"
	"testing"

	"nhip"
	"nhip/collector/decode"
	"nhip/collector/decode/decodetest"
)

func TestGolden(t *testing.T) { decodetest.Golden(t, Decoder) }

func FuzzDecode(f *testing.F) { decodetest.Fuzz(f, Decoder) }

func TestCost(t *testing.T) {
	decodetest.Cost(t, Decoder, "full", 3)
	decodetest.Cost(t, Decoder, "batch", 3)
}

func BenchmarkReading(b *testing.B) { decodetest.Benchmark(b, Decoder, "full") }

func BenchmarkBatchOf3(b *testing.B) { decodetest.Benchmark(b, Decoder, "batch") }

// TestFaultyPlaceCostsThePlace sends coordinates of another type, alone and in a list.
func TestFaultyPlaceCostsThePlace(t *testing.T) {
	object := func(place string) string {
		return `{"time":"2026-02-16T15:00:00Z","period":"1h",` + place + `,"values":{"pm25":69.2}}`
	}
	for payload, want := range map[string]string{
		object(`"lat":"21.02 N","lon":105.81`):  "lat",
		object(`"lon":{"deg":105},"lat":21`):    "lon",
		"[" + object(`"lat":"","lon":""`) + "]": "[0].lat [0].lon",
		object(`"lat":null,"lon":null`):         "",
	} {
		var facts nhip.Facts
		var dropped []string
		err := Decoder.Decode(decode.Input{
			Topic: "nhip/in/reading/hn-01", Payload: []byte(payload), Feed: &decode.Feed{},
			Reject: func(fault error) { t.Errorf("%s: %v", payload, fault) },
			Drop: func(row string, field *nhip.Error) {
				dropped = append(dropped, decode.InRow(row, field).(*nhip.Error).Field)
			},
		}, &facts)
		if err != nil || len(facts.Readings) != 1 || facts.Readings[0].Point.Known() ||
			strings.Join(dropped, " ") != want {
			t.Errorf("%s: %v, %d readings, dropped %q", payload, err, len(facts.Readings), dropped)
		}
	}
}
