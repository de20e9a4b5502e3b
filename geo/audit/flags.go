package audit

import (
	"fmt"
	"math"
	"strings"
	"time"

	"nhip"
	"nhip/geo/qc"
)

// Checks are the automatic checks that are repeated.
var Checks = []string{"device_status", "gross_range", "negative", "zero", "rate_of_change", "particle_order"}

// valueKey identifies a reading.
type valueKey struct {
	quantity nhip.Quantity
	at       int64 // ms since 1970
	period   time.Duration
}

// checkFlags repeats the checks of each reading in the span, and compares the flag with the tests.
func (r *Report) checkFlags(s *Station) {
	values := make(map[valueKey]float64)
	for _, x := range s.Readings {
		values[valueKey{x.Quantity, x.Time.UnixMilli(), x.Period}] = x.Raw
	}
	rules := qc.NewRules()
	type seriesKey struct {
		quantity nhip.Quantity
		period   time.Duration
	}
	last := make(map[seriesKey]*Reading)
	for i := range s.Readings {
		x := &s.Readings[i]
		series := seriesKey{x.Quantity, x.Period}
		before := last[series]
		last[series] = x
		if x.Time.After(s.From) && !x.Time.After(s.To) && !x.Time.After(s.Until) && x.Flag != 0 &&
			x.Flag != nhip.FlagNotEvaluated {
			r.Flags++
			r.compareTests(x, s.check(rules, x, before, values))
		}
	}
}

// check returns the flags of the repeated checks that a reading does not pass. before is the one before it in its
// series, or nil.
func (s *Station) check(rules *qc.Rules, x, before *Reading, values map[valueKey]float64) map[string]nhip.Flag {
	class := qc.ClassLowCost
	if s.Reference {
		class = qc.ClassReference
	}
	out := make(map[string]nhip.Flag)
	if x.Device == nhip.FlagFail || x.Device == nhip.FlagSuspect {
		out["device_status"] = x.Device
	}
	if p := rules.Params(x.Quantity, class, qc.CheckGrossRange); x.Raw < p.Low || x.Raw > p.High {
		out["gross_range"] = nhip.FlagFail
	} else if x.Raw < p.SuspectLow || x.Raw > p.SuspectHigh {
		out["gross_range"] = nhip.FlagSuspect
	}
	if p := rules.Params(x.Quantity, class, qc.CheckNegative); x.Raw < p.Fail {
		out["negative"] = nhip.FlagFail
	} else if x.Raw < p.Suspect {
		out["negative"] = nhip.FlagSuspect
	}
	if p := rules.Params(x.Quantity, class, qc.CheckZero); x.Raw == 0 && !math.IsNaN(p.Fail) {
		out["zero"] = nhip.FlagFail
	} else if x.Raw == 0 && !math.IsNaN(p.Suspect) {
		out["zero"] = nhip.FlagSuspect
	}
	if p := rules.Params(x.Quantity, class, qc.CheckRateOfChange); before != nil && x.Time.Sub(before.Time) <= 3*x.Period {
		perMinute := math.Abs(x.Raw-before.Raw) / max(1, math.Floor(x.Time.Sub(before.Time).Minutes()))
		if perMinute > p.Fail {
			out["rate_of_change"] = nhip.FlagFail
		} else if perMinute > p.Suspect {
			out["rate_of_change"] = nhip.FlagSuspect
		}
	}
	fine, ok := values[valueKey{nhip.PM25, x.Time.UnixMilli(), x.Period}]
	coarse, also := values[valueKey{nhip.PM10, x.Time.UnixMilli(), x.Period}]
	if ok && also && (x.Quantity == nhip.PM25 || x.Quantity == nhip.PM10) {
		if f := particleOrder(rules.Params(nhip.PM25, class, qc.CheckParticleOrder), fine, coarse); f != nhip.FlagGood {
			out["particle_order"] = f
		}
	}
	return out
}

// particleOrder compares PM2.5 with the PM10 of the same time, of which it is a part.
func particleOrder(p *qc.Params, fine, coarse float64) nhip.Flag {
	more := p.Relative * math.Abs(coarse)
	switch {
	case fine-coarse > p.Fail+more:
		return nhip.FlagFail
	case fine-coarse > p.Suspect+more:
		return nhip.FlagSuspect
	}
	return nhip.FlagGood
}

// compareTests compares the repeated checks, and the flag with the worst of all tests.
func (r *Report) compareTests(x *Reading, want map[string]nhip.Flag) {
	got := make(map[string]nhip.Flag)
	worst := nhip.FlagGood
	for _, test := range strings.Split(x.Tests, ",") {
		name, grade, ok := strings.Cut(test, "=")
		if !ok {
			continue
		}
		got[name] = nhip.FlagSuspect
		if grade == "4" {
			got[name] = nhip.FlagFail
		}
		worst = max(worst, got[name])
	}
	for _, name := range Checks {
		if got[name] != want[name] {
			r.flag(x, name, fmt.Sprint(got[name]), fmt.Sprint(want[name]))
		}
	}
	if x.Flag != worst {
		r.flag(x, "worst of "+x.Tests, fmt.Sprint(x.Flag), fmt.Sprint(worst))
	}
}

func (r *Report) flag(x *Reading, what, served, computed string) {
	r.add(Difference{
		Kind: "flag", Quality: nhip.QualityAutomatic, Quantity: x.Quantity, Time: x.Time, What: what, Served: served,
		Computed: computed,
	})
}
