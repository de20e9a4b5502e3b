package decode

import (
	"math"
	"strings"
	"testing"

	"nhip"

	"pgregory.net/rapid"
)

func TestConvert(t *testing.T) {
	for _, c := range []struct {
		quantity nhip.Quantity
		value    float64
		unit     string
		want     float64
	}{
		{nhip.PM25, 38.07, "", 38.07},
		{nhip.PM25, 38.07, "µg/m³", 38.07},  // U+00B5
		{nhip.PM25, 38.07, "μg/m3", 38.07},  // U+03BC
		{nhip.PM25, 38.07, "ug/Nm3", 38.07}, // normal at 25 °C, as QCVN 05:2023 has it
		{nhip.PM25, 38.07, "UG / NM^3", 38.07},
		{nhip.TSP, 0.12, "mg/m3", 120},
		{nhip.CO, 0.8124, "mg/Nm³", 812.4},
		{nhip.SO2, 1, "ppb", 2.61860},
		{nhip.NO, 1, "ppb", 1.22649},
		{nhip.NO2, 1, "ppb", 1.88046},
		{nhip.O3, 50, "ppb", 98.0957},
		{nhip.CO, 9, "ppm", 10304.12},
		{nhip.Temperature, 27.8, "oC", 27.8},
		{nhip.Temperature, 27.8, "°C", 27.8},
		{nhip.Temperature, 27.8, "℃", 27.8},
		{nhip.Temperature, 27.8, "C", 27.8},
		{nhip.Temperature, 212, "°F", 100},
		{nhip.Temperature, 32, "F", 0},
		{nhip.Temperature, 300.15, "K", 27},
		{nhip.Humidity, 70.2, "%", 70.2},
		{nhip.WindSpeed, 36, "km/h", 10},
		{nhip.WindSpeed, 10, "kn", 5.14444},
		{nhip.WindSpeed, 2.1, "m/s", 2.1},
		{nhip.WindDirection, 140, "Deg", 140},
		{nhip.WindDirection, 140, "°", 140},
		{nhip.WindDirection, 140, "Độ", 140},
		{nhip.Temperature, 27.8, "độ C", 27.8},
		{nhip.Humidity, 0.702, "1", 70.2},
		{nhip.Humidity, 0.702, "fraction", 70.2},
		{nhip.Pressure, 101_325, "Pa", 101_325},
		{nhip.Pressure, 1013.25, "hPa", 101_325},
		{nhip.Pressure, 1013.25, "mbar", 101_325},
		{nhip.Pressure, 101.325, "kPa", 101_325},
		{nhip.Pressure, 760, "mmHg", 101_325.01},
		{nhip.Pressure, 29.92, "inHg", 101_320.76},
	} {
		got, err := Convert(c.quantity, c.value, c.unit)
		if err != nil || math.Abs(got-c.want) > 1e-5*math.Abs(c.want)+1e-9 {
			t.Errorf("%v %s of %s = %v, %v; want %v", c.value, c.unit, c.quantity, got, err, c.want)
		}
	}
}

func TestConvertRejectsOtherUnits(t *testing.T) {
	for _, c := range []struct {
		quantity nhip.Quantity
		unit     string
		code     nhip.Code
		rule     string
	}{
		{nhip.PM25, "ppb", nhip.CodeMalformed, "particles have no molar mass"},
		{nhip.PM10, "ppm", nhip.CodeMalformed, "particles have no molar mass"},
		{nhip.PM25, "%", nhip.CodeMalformed, "is not a unit of pm25"},
		{nhip.SO2, "°C", nhip.CodeMalformed, "is not a unit of so2"},
		{nhip.Temperature, "Pa", nhip.CodeMalformed, "is not a unit of temperature"},
		{nhip.Humidity, "ppb", nhip.CodeMalformed, "is not a unit of humidity"},
		{nhip.PM25, "?g/m3", nhip.CodeUnknownField, "is not a known unit"}, // micro sign lost in a wrong encoding
		{nhip.PM25, "g/m3", nhip.CodeUnknownField, "is not a known unit"},
		{nhip.CO, "mg/m3 at 0 °C", nhip.CodeUnknownField, "is not a known unit"},
		{nhip.Pressure, "°", nhip.CodeMalformed, "is not a unit of pressure"},
		{"noise", "dB", nhip.CodeUnknownField, "is not a known quantity"},
	} {
		_, err := Convert(c.quantity, 1, c.unit)
		if nhip.ErrorCode(err) != c.code || !strings.HasPrefix(err.Error(), "unit: ") ||
			!strings.Contains(err.Error(), c.rule) {
			t.Errorf("%s of %s: %v, want %s: %s", c.unit, c.quantity, err, c.code, c.rule)
		}
	}
}

// TestEveryUnitHasAQuantity checks that each quantity has its own unit, and that each unit applies to a quantity.
func TestEveryUnitHasAQuantity(t *testing.T) {
	all := []nhip.Quantity{
		nhip.PM1, nhip.PM25, nhip.PM10, nhip.TSP, nhip.SO2, nhip.NO, nhip.NO2, nhip.CO, nhip.O3,
		nhip.Temperature, nhip.Humidity, nhip.Pressure, nhip.WindSpeed, nhip.WindDirection,
	}
	for _, q := range all {
		if got, err := Convert(q, 12.5, q.Unit()); err != nil || got != 12.5 {
			t.Errorf("12.5 %s of %s = %v, %v", q.Unit(), q, got, err)
		}
	}
	for name := range units {
		taken := false
		for _, q := range all {
			_, err := Convert(q, 1, name)
			taken = taken || err == nil
		}
		if !taken || len(name) >= maxUnitLength-1 {
			t.Errorf("no quantity has the unit %s", name)
		}
	}
}

func TestConvertAnyUnit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.String().Draw(t, "unit")
		v, err := Convert(nhip.O3, 1, name)
		if err == nil && !(v > 0) {
			t.Fatalf("1 %q of ozone is %v", name, v)
		}
		if err != nil && len(err.Error()) > 300 {
			t.Fatalf("error of %d bytes", len(err.Error()))
		}
	})
}

func TestConvertAllocatesNothing(t *testing.T) {
	raw := []byte("µg/Nm³")
	if n := testing.AllocsPerRun(100, func() { _, _ = Convert(nhip.PM25, 1, string(raw)) }); n > 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}
