package qc

import (
	"math"
	"time"

	"nhip"
)

// Line is a calibration: what an instrument says becomes what it should have said.
type Line struct {
	From          time.Time
	Slope, Offset float64 // Slope × value + Offset, in the quantity's unit
}

// EPA2021 is the name of the correction of optical PM2.5 by the humidity beside it.
const EPA2021 = "epa_2021"

// Correction says how raw values of one quantity of one station become corrected ones. The zero Correction
// changes nothing.
type Correction struct {
	Lines []Line // by From, rising: the last one that has begun counts
	EPA   bool   // PM2.5 of optics of PurpleAir's kind
}

// Correct returns the corrected value and the rule's name; "" where none applies. humidity is in %, NaN where it
// is not known: without it EPA2021 does not apply.
func (c *Correction) Correct(q nhip.Quantity, v float64, at time.Time, humidity float64) (corrected float64, rule string) {
	for i := len(c.Lines) - 1; i >= 0; i-- {
		if l := &c.Lines[i]; !at.Before(l.From) {
			return l.Slope*v + l.Offset, "calibration " + l.From.UTC().Format(time.RFC3339)
		}
	}
	if c.EPA && q == nhip.PM25 && !math.IsNaN(humidity) {
		return epa2021(v, humidity), EPA2021
	}
	return v, ""
}

// epa2021 is the US-wide correction for PurpleAir (Barkjohn et al. 2021, extended to smoke by the US EPA), in
// µg/m³ and %. It was fitted on the aerosol of the United States.
func epa2021(pm, humidity float64) float64 {
	if pm <= 0 {
		return 0
	}
	rh := min(max(humidity, 0), 100)
	line := func(slope float64) float64 { return slope*pm - 0.0862*rh + 5.75 }
	smoke := 2.966 + 0.69*pm + 8.84e-4*pm*pm
	switch {
	case pm < 30:
		return max(line(0.524), 0)
	case pm < 50:
		w := pm/20 - 1.5
		return max(line(0.786*w+0.524*(1-w)), 0)
	case pm < 210:
		return line(0.786)
	case pm < 260:
		w := pm/50 - 4.2
		return w*smoke + (1-w)*line(0.786)
	}
	return smoke
}
