package qc

import (
	"math"
	"testing"
	"time"

	"nhip"
)

func TestCorrect(t *testing.T) {
	march := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	lines := Correction{Calibrations: []LinearCorrection{{march, 1.1, 2}, {march.AddDate(0, 1, 0), 0.9, 0}}, EPA2021: true}
	for _, c := range []struct {
		name string
		by   *Correction
		q    nhip.Quantity
		v    float64
		at   time.Time
		rh   float64
		want float64
		rule string
	}{
		{"no correction", &Correction{}, nhip.PM25, 40, march, 50, 40, ""},
		{
			"before the first calibration",
			&Correction{Calibrations: lines.Calibrations},
			nhip.NO2,
			40,
			march.Add(-1),
			50,
			40,
			"",
		},
		{"first calibration", &lines, nhip.PM25, 40, march, 50, 46, "calibration 2026-03-01T00:00:00Z"},
		{"second calibration", &lines, nhip.PM25, 40, march.AddDate(1, 0, 0), 50, 36, "calibration 2026-04-01T00:00:00Z"},
		{"optical sensor", &Correction{EPA2021: true}, nhip.PM25, 20, march, 50, 0.524*20 - 0.0862*50 + 5.75, EPA2021},
		{
			"optical sensor in smoke",
			&Correction{EPA2021: true},
			nhip.PM25,
			300,
			march,
			50,
			2.966 + 207 + 8.84e-4*90_000,
			EPA2021,
		},
		{"never below zero", &Correction{EPA2021: true}, nhip.PM25, 1, march, 140, 0, EPA2021},
		{"no humidity", &Correction{EPA2021: true}, nhip.PM25, 20, march, math.NaN(), 20, ""},
		{"no direction", &lines, nhip.WindDirection, 350, march.AddDate(1, 0, 0), 50, 350, ""},
		{"not for PM10", &Correction{EPA2021: true}, nhip.PM10, 20, march, 50, 20, ""},
	} {
		got, rule := c.by.Correct(c.q, c.v, c.at, c.rh)
		if math.Abs(got-c.want) > 1e-9 || rule != c.rule {
			t.Errorf("%s: %v %q, want %v %q", c.name, got, rule, c.want, c.rule)
		}
	}
}

func TestEPA2021IsContinuous(t *testing.T) {
	for pm := 0.1; pm < 400; pm += 0.1 {
		if step := epa2021(pm+0.1, 60) - epa2021(pm, 60); math.Abs(step) > 0.3 {
			t.Errorf("at %.1f µg/m³ the correction jumps by %.2f", pm, step)
		}
	}
}
