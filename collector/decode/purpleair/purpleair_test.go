package purpleair

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"nhip"
	"nhip/collector/decode"
	"nhip/collector/decode/decodetest"

	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb"
)

func TestGolden(t *testing.T) { decodetest.Golden(t, Decoder) }

func FuzzDecode(f *testing.F) { decodetest.Fuzz(f, Decoder) }

func BenchmarkDecode(b *testing.B) {
	for _, c := range []string{"sensors", "sensor"} {
		b.Run(c, func(b *testing.B) { decodetest.Benchmark(b, Decoder, c) })
	}
}

// TestFieldNames compares fieldOf with field.String.
func TestFieldNames(t *testing.T) {
	for f := sensorIndex; f < fields; f++ {
		if got := fieldOf([]byte(f.String())); got != f || f.ambiguous() {
			t.Errorf("%q is field %d, want %d", f, got, f)
		}
	}
	for name, want := range map[string]field{
		"pm2.5": otherPM25, "pm2.5_alt": otherPM25, "pm2.5_10minute": otherPM25, "pm10.0_atm": other, "name": other,
		"": other,
	} {
		if got := fieldOf([]byte(name)); got != want {
			t.Errorf("%q is field %d, want %d", name, got, want)
		}
	}
}

func TestFieldSetMissing(t *testing.T) {
	for _, c := range []struct {
		fields []field
		want   string
	}{
		{nil, "sensor_index"},
		{[]field{lastSeen, pm25CF1}, "sensor_index"},
		{[]field{sensorIndex, pm25CF1}, "last_seen"},
		{[]field{sensorIndex, lastSeen}, "pm2.5_cf_1"},
		{[]field{sensorIndex, lastSeen, latitude, longitude, other}, "pm2.5_cf_1"},
		{[]field{sensorIndex, lastSeen, otherPM25, humidity}, "pm2.5_cf_1"},
		{[]field{sensorIndex, lastSeen, otherPM25, pm25CF1B}, ""},
		{[]field{sensorIndex, lastSeen, pm25CF1A}, ""},
		{[]field{sensorIndex, lastSeen, pm25CF1}, ""},
		{[]field{sensorIndex, lastSeen, humidity}, ""},
		{[]field{sensorIndex, lastSeen, pm10}, ""},
	} {
		var set fieldSet
		for _, f := range c.fields {
			set.add(f)
		}
		if got := set.missing(); got != c.want {
			t.Errorf("%v: missing %q, want %q", c.fields, got, c.want)
		}
	}
}

// sample returns a recorded response with the time of its recording.
func sample(t *testing.T, name string) decode.Input {
	t.Helper()
	payload, err := os.ReadFile(filepath.Join(decodetest.Data(t, "air/samples"), name))
	if err != nil {
		t.Fatal(err)
	}
	return decode.Input{
		Topic: "nhip/in/purpleair/pull", Payload: payload, Received: time.Unix(1667666223, 0), Feed: new(decode.Feed),
	}
}

func TestDecodeRecordedSensor(t *testing.T) {
	in := sample(t, "purpleair_get_sensor.json")
	want := map[nhip.Quantity]float64{
		nhip.PM1: 0, nhip.PM25: 0, nhip.PM10: 0, nhip.Humidity: 33, nhip.Temperature: decode.Celsius(69),
		nhip.Pressure: 100166,
	}
	if diff := cmp.Diff(want, decodetest.Values(t, Decoder, in)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for _, r := range decodetest.Decode(t, Decoder, in).Readings {
		if r.Station != "131075" || r.Time.Unix() != 1667666162 || r.Point.Or(orb.Point{}) != (orb.Point{
			-117.67972, 33.51511,
		}) {
			t.Errorf("%+v", r)
		}
	}
}

// TestDecodeRecordedListWithoutValues decodes a response to a request for names and positions only.
func TestDecodeRecordedListWithoutValues(t *testing.T) {
	err := Decoder.Decode(sample(t, "purpleair_get_sensors.json"), new(nhip.Facts))
	if nhip.ErrorCode(err) != nhip.CodeMissing || err.Error() != "fields: must contain last_seen" {
		t.Errorf("%v", err)
	}
}

// TestNumbersForNoValueAreNone sends -999 in fields whose unit is converted, and for one of two channels.
func TestNumbersForNoValueAreNone(t *testing.T) {
	payload := `{"fields":["sensor_index","last_seen","humidity","temperature","pressure","pm2.5_cf_1_a",` +
		`"pm2.5_cf_1_b"],"data":[[7,1771257482,61,-99,-999,-999,44]]}`
	got := make(map[nhip.Quantity]float64)
	facts := decodetest.Decode(t, Decoder, decode.Input{
		Topic: "nhip/in/purpleair/pull", Payload: []byte(payload), Feed: &decode.Feed{},
		Received: time.Unix(1771257490, 0),
	})
	for _, r := range facts.Readings {
		got[r.Quantity] = r.Value
	}
	if d := cmp.Diff(map[nhip.Quantity]float64{nhip.Humidity: 61, nhip.PM25: 44}, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}
