package tasmota

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"nhip"
	"nhip/collector/decode"
	"nhip/collector/decode/decodetest"

	"github.com/google/go-cmp/cmp"
)

func TestGolden(t *testing.T) { decodetest.Golden(t, Decoder) }

func FuzzDecode(f *testing.F) { decodetest.Fuzz(f, Decoder) }

func BenchmarkDecode(b *testing.B) { decodetest.Benchmark(b, Decoder, "plantower-and-bosch") }

// TestPascalsPerUnit converts one pressure from each unit that Tasmota can be set to.
func TestPascalsPerUnit(t *testing.T) {
	for unit, inUnit := range map[string]float64{
		"hPa": 1013.25, "mbar": 1013.25, "kPa": 101.325, "Pa": 101325, "mmHg": 760, "inHg": 29.921255, "psi": 14.695949,
	} {
		factor, err := pascalsPer(unit)
		if err != nil || math.Abs(inUnit*factor-101325) > 0.02 {
			t.Errorf("1 atm in %s: %v Pa, %v", unit, inUnit*factor, err)
		}
	}
}

func TestSensorRank(t *testing.T) {
	a, _ := sensorRank([]byte("SHT3X"))
	b, _ := sensorRank([]byte("BME280-76"))
	c, known := sensorRank([]byte("SCD30"))
	if !(a < b && b < c) || !known {
		t.Errorf("SHT3X %d, BME280 %d, SCD30 %d", a, b, c)
	}
	for _, name := range []string{"ESP32", "ENERGY", "ANALOG", "", "-1", "BME28", "BME2800"} {
		if rank, known := sensorRank([]byte(name)); known {
			t.Errorf("%q is taken for %s", name, sensors[rank])
		}
	}
}

func TestDecodeDocumentedPMS5003(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join(decodetest.Data(t, "air/samples"), "tasmota_pms5003.json"))
	if err != nil {
		t.Fatal(err)
	}
	var sample struct{ Payload json.RawMessage }
	if err := json.Unmarshal(raw, &sample); err != nil {
		t.Fatal(err)
	}
	in := decode.Input{
		Topic: "tele/d/SENSOR", Payload: sample.Payload, Received: time.Date(2018, 2, 16, 16, 23, 0, 0, time.UTC),
		Feed: new(decode.Feed),
	}
	want := map[nhip.Quantity]float64{nhip.PM1: 1, nhip.PM25: 2, nhip.PM10: 2, nhip.Temperature: 24.7, nhip.Humidity: 32.1}
	if diff := cmp.Diff(want, decodetest.Values(t, Decoder, in)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
