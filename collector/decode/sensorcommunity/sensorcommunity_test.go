package sensorcommunity

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/collector/decode"
	"nhip/collector/decode/decodetest"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestGolden(t *testing.T) { decodetest.Golden(t, Decoder) }

func FuzzDecode(f *testing.F) { decodetest.Fuzz(f, Decoder) }

func BenchmarkDecode(b *testing.B) {
	for _, c := range []string{"push", "custom-api", "api", "archive"} {
		b.Run(c, func(b *testing.B) { decodetest.Benchmark(b, Decoder, c) })
	}
}

func TestQuantityBitsAreUnique(t *testing.T) {
	seen := uint8(0)
	for _, name := range []string{"P0", "P1", "P2", "temperature", "humidity", "pressure"} {
		q := quantity([]byte(name))
		if q == "" || seen&bit(q) != 0 {
			t.Errorf("%s has no unique bit", name)
		}
		seen |= bit(q)
	}
}

func TestNamed(t *testing.T) {
	for name, want := range map[string]nhip.Quantity{
		"P2": nhip.PM25, "SDS_P1": nhip.PM10, "PMS_P0": nhip.PM1, "BME280_pressure": nhip.Pressure,
		"HTU21D_humidity":   nhip.Humidity,
		"SHT3X_temperature": nhip.Temperature, "DS18B20_temperature": nhip.Temperature, "BMP_pressure": nhip.Pressure,
		"SPS30_P4": "", "SPS30_N10": "", "durP1": "", "ratioP2": "", "co2_ppm": "", "pressure_sealevel": "",
		"cpu_temperature": "",
		"_P1":             nhip.PM10, "": "", "_": "", "SDS_": "",
	} {
		if _, got := named([]byte(name)); got != want {
			t.Errorf("%q is %q, want %q", name, got, want)
		}
	}
}

// TestDecodeEveryForm decodes the same values as a push, a message to a custom API, a response of the API and a file of
// the archive.
func TestDecodeEveryForm(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pm10 := rapid.StringMatching(`[1-9][0-9]{0,2}\.[0-9]{2}`).Draw(t, "PM10")
		pm25 := rapid.StringMatching(`[1-9][0-9]{0,2}\.[0-9]{2}`).Draw(t, "PM2.5")
		var first map[nhip.Quantity]float64
		for form, payload := range map[string]string{
			"push": `{"sensordatavalues":[{"value_type":"P1","value":"PM10"},{"value_type":"P2","value":"PM25"}]}`,
			"custom": `{"esp8266id":"1","sensordatavalues":[{"value":"PM25","value_type":"SDS_P2"},{"value_type":"SDS_P1",` +
				`"value":"PM10"}]}`,
			"numbers": `{"sensordatavalues":[{"value_type":"P1","value":PM10},{"value_type":"P2","value":PM25}]}`,
			"api": `[{"timestamp":"2026-02-16 15:58:02","sensor":{"id":7},"sensordatavalues":[
			         {"id":1,"value_type":"P1","value":"PM10"},{"id":2,"value_type":"P2","value":"PM25"}]}]`,
			"archive": "sensor_id;timestamp;P2;P1\n7;2026-02-16T15:58:02;PM25;PM10\n",
		} {
			payload = strings.NewReplacer("PM10", pm10, "PM25", pm25).Replace(payload)
			in := decode.Input{
				Topic: "nhip/in/sensor-community/n", Payload: []byte(payload), Received: decodetest.Received,
				Feed: new(decode.Feed),
			}
			var facts nhip.Facts
			if err := Decoder.Decode(in, &facts); err != nil {
				t.Fatalf("%s: %v", form, err)
			}
			got := make(map[nhip.Quantity]float64)
			for _, r := range facts.Readings {
				got[r.Quantity] = r.Value
			}
			if first == nil {
				first = got
			}
			if diff := cmp.Diff(first, got); diff != "" || len(got) != 2 {
				t.Fatalf("%s: -first +got:\n%s", form, diff)
			}
		}
	})
}

func TestDecodeConstructedSamples(t *testing.T) {
	dir := decodetest.Data(t, "air/samples")
	raw, err := os.ReadFile(filepath.Join(dir, "sensor_community_push_constructed.json"))
	if err != nil {
		t.Fatal(err)
	}
	var push struct{ Body json.RawMessage }
	if err := json.Unmarshal(raw, &push); err != nil {
		t.Fatal(err)
	}
	custom, err := os.ReadFile(filepath.Join(dir, "airrohr_custom_api_constructed.json"))
	if err != nil {
		t.Fatal(err)
	}
	particles := map[nhip.Quantity]float64{nhip.PM10: 23.45, nhip.PM25: 12.3}
	all := map[nhip.Quantity]float64{
		nhip.PM10: 23.45, nhip.PM25: 12.3, nhip.Temperature: 29.1, nhip.Humidity: 81.2, nhip.Pressure: 100512,
	}
	for _, c := range []struct {
		payload []byte
		want    map[nhip.Quantity]float64
	}{{push.Body, particles}, {custom, all}} {
		in := decode.Input{
			Topic: "nhip/in/sensor-community/n", Payload: c.payload, Received: decodetest.Received, Feed: new(decode.Feed),
		}
		if diff := cmp.Diff(c.want, decodetest.Values(t, Decoder, in)); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	}
}

// TestDecodeRecordedArchive decodes the archive of one day, and counts the values in another way.
func TestDecodeRecordedArchive(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(decodetest.Data(t, "air/sensor_community_aberdeen"), "*.csv"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, file := range files {
		payload, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		in := decode.Input{
			Topic: "nhip/in/import/sensor-community/day", Payload: payload,
			Received: time.Date(2019, 5, 21, 0, 0, 0, 0, time.UTC), Feed: new(decode.Feed),
		}
		var facts nhip.Facts
		if err := Decoder.Decode(in, &facts); err != nil {
			t.Errorf("%s: %v", filepath.Base(file), err)
			continue
		}
		if got, want := len(facts.Readings), countValues(string(payload)); got != want {
			t.Errorf("%s: %d readings, want %d", filepath.Base(file), got, want)
		}
		for i := range facts.Readings {
			r := &facts.Readings[i]
			if !strings.HasSuffix(file, "_"+r.Station+".csv") {
				t.Fatalf("%s contains station %s", file, r.Station)
			}
			if err := r.Validate(in.Received); err != nil {
				t.Errorf("%s: %v", filepath.Base(file), err)
			}
		}
	}
}

// countValues counts the numbers in the columns of quantities in an archive file.
func countValues(file string) int {
	lines := strings.Split(strings.TrimSpace(file), "\n")
	head := strings.Split(strings.TrimSpace(lines[0]), ";")
	n := 0
	for _, line := range lines[1:] {
		for i, text := range strings.Split(strings.TrimSpace(line), ";") {
			if strings.Contains("P0 P1 P2 temperature humidity pressure", head[i]) && strings.ContainsAny(text, "0123456789") {
				n++
			}
		}
	}
	return n
}
