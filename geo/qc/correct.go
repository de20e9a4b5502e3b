package qc

import (
	"math"
	"time"

	"nhip"
)

// LinearCorrection is a calibration that holds from a time on.
type LinearCorrection struct {
	From          time.Time
	Slope, Offset float64 // Slope × value + Offset, in the quantity's unit
}

// EPA2021 is the name of the humidity correction of optical PM2.5 sensors.
const EPA2021 = "epa_2021"

// Correction converts raw values of one quantity of one station to corrected values. The zero Correction changes
// nothing.
type Correction struct {
	Calibrations []LinearCorrection // sorted by From; the latest that has begun applies
	EPA2021      bool               // PM2.5 of an optical sensor as used by PurpleAir
}

// Correct returns the corrected value and the name of the rule, or v and "" if no rule applies. humidity is in %,
// or NaN if unknown; EPA2021 requires it. A direction is never corrected: the result could be no direction.
func (c *Correction) Correct(q nhip.Quantity, v float64, at time.Time, humidity float64) (corrected float64,
	rule string,
) {
	if q.Circular() {
		return v, ""
	}
	for i := len(c.Calibrations) - 1; i >= 0; i-- {
		if l := &c.Calibrations[i]; !at.Before(l.From) {
			return l.Slope*v + l.Offset, "calibration " + l.From.UTC().Format(time.RFC3339)
		}
	}
	if c.EPA2021 && q == nhip.PM25 && !math.IsNaN(humidity) {
		return epa2021(v, humidity), EPA2021
	}
	return v, ""
}

// epa2021 is the US-wide correction for PurpleAir (Barkjohn et al. 2021, extended to smoke by the US EPA), in
// µg/m³ and %. It was fitted to aerosol in the United States.
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
