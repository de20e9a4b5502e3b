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

// TestFieldsHaveTheirNames holds the two directions of the names against each other.
func TestFieldsHaveTheirNames(t *testing.T) {
	for f := sensorIndex; f < fields; f++ {
		if got := fieldOf([]byte(f.String())); got != f || f.shared() {
			t.Errorf("%q is field %d, want %d", f, got, f)
		}
	}
	for name, want := range map[string]field{
		"pm2.5": otherPM25, "pm2.5_alt": otherPM25, "pm2.5_10minute": otherPM25, "pm10.0_atm": other, "name": other, "": other,
	} {
		if got := fieldOf([]byte(name)); got != want {
			t.Errorf("%q is field %d, want %d", name, got, want)
		}
	}
}

func TestWhatAnAnswerLacks(t *testing.T) {
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
		if got := set.lacks(); got != c.want {
			t.Errorf("%v lacks %q, want %q", c.fields, got, c.want)
		}
	}
}

// sample is a recorded answer, read as it came in.
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

func TestARealSensor(t *testing.T) {
	in := sample(t, "purpleair_get_sensor.json")
	want := map[nhip.Quantity]float64{
		nhip.PM1: 0, nhip.PM25: 0, nhip.PM10: 0, nhip.Humidity: 33, nhip.Temperature: decode.Celsius(69), nhip.Pressure: 100166,
	}
	if diff := cmp.Diff(want, decodetest.Values(t, Decoder, in)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for _, r := range decodetest.Decode(t, Decoder, in).Readings {
		if r.Station != "131075" || r.Time.Unix() != 1667666162 || r.Point.Or(orb.Point{}) != (orb.Point{-117.67972, 33.51511}) {
			t.Errorf("%+v", r)
		}
	}
}

// TestARealListWithoutValues is of an answer that was asked for names and places only.
func TestARealListWithoutValues(t *testing.T) {
	err := Decoder.Decode(sample(t, "purpleair_get_sensors.json"), new(nhip.Facts))
	if nhip.ErrorCode(err) != nhip.Missing || err.Error() != "fields: must name last_seen" {
		t.Errorf("%v", err)
	}
}
