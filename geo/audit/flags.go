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
var Checks = []string{
	"device_status", "gross_range", "negative", "zero", "spike", "rate_of_change", "flat_line", "frozen_feed", "humidity",
	"particle_order",
}

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
	all := make(allSeries)
	for i := range s.Readings {
		x := &s.Readings[i]
		key := seriesKey{x.Quantity, x.Period}
		all[key] = append(all[key], x)
	}
	seen := make(map[seriesKey]int)
	for i := range s.Readings {
		x := &s.Readings[i]
		key := seriesKey{x.Quantity, x.Period}
		at := seen[key]
		seen[key]++
		if x.Time.After(s.From) && !x.Time.After(s.To) && !x.Time.After(s.Until) && x.Flag != 0 &&
			x.Flag != nhip.FlagNotEvaluated {
			r.Flags++
			r.compareTests(x, s.check(rules, all, key, at, values))
		}
	}
}

// check returns the flags of the repeated checks that reading number at of a series does not pass.
func (s *Station) check(rules *qc.Rules, all allSeries, key seriesKey, at int, values map[valueKey]float64,
) map[string]nhip.Flag {
	series := all[key]
	x := series[at]
	class := s.class()
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
	if dense(series, at) {
		out["spike"] = notRepeated
	} else if f := spike(rules.Params(x.Quantity, class, qc.CheckSpike), series, at); f != nhip.FlagGood {
		out["spike"] = f
	}
	if near(series, at-1) {
		before := series[at-1]
		perMinute := math.Abs(x.Raw-before.Raw) / max(1, math.Floor(x.Time.Sub(before.Time).Minutes()))
		if f := over(rules.Params(x.Quantity, class, qc.CheckRateOfChange), perMinute, 0); f != nhip.FlagGood {
			out["rate_of_change"] = f
		}
	}
	s.checkLasting(rules, all, key, at, out)
	fine, ok := values[valueKey{nhip.PM25, x.Time.UnixMilli(), x.Period}]
	coarse, also := values[valueKey{nhip.PM10, x.Time.UnixMilli(), x.Period}]
	if ok && also && (x.Quantity == nhip.PM25 || x.Quantity == nhip.PM10) {
		if f := over(rules.Params(nhip.PM25, class, qc.CheckParticleOrder), fine-coarse, coarse); f != nhip.FlagGood {
			out["particle_order"] = f
		}
	}
	return out
}

// checkLasting adds the flags of the checks that look at hours.
func (s *Station) checkLasting(rules *qc.Rules, all allSeries, key seriesKey, at int, out map[string]nhip.Flag) {
	class := s.class()
	for name, f := range map[string]nhip.Flag{
		"flat_line":   flatLine(rules.Params(key.quantity, class, qc.CheckFlatLine), all[key], at),
		"frozen_feed": all.frozenFeed(rules.Params(key.quantity, class, qc.CheckFrozenFeed), key, at),
		"humidity":    all.humid(rules, class, all[key][at]),
	} {
		if f != nhip.FlagGood {
			out[name] = f
		}
	}
}

func (s *Station) class() qc.Class {
	if s.Reference {
		return qc.ClassReference
	}
	return qc.ClassLowCost
}

// over compares a measure with the limits of a check, which grow with a base.
func over(p *qc.Params, measure, base float64) nhip.Flag {
	more := p.Relative * math.Abs(base)
	switch {
	case measure > p.Fail+more:
		return nhip.FlagFail
	case measure > p.Suspect+more:
		return nhip.FlagSuspect
	}
	return nhip.FlagGood
}

// near reports whether a reading has a next one without a gap, which is longer than three periods.
func near(series []*Reading, at int) bool {
	return at >= 0 && at+1 < len(series) && series[at+1].Time.Sub(series[at].Time) <= 3*series[at].Period
}

// spike compares a reading with the one before and the one after it, both of which it must exceed or fall below, and
// with all readings of half an hour on either side, from most of which it must differ.
func spike(p *qc.Params, series []*Reading, at int) nhip.Flag {
	x, flag := series[at], nhip.FlagGood
	if near(series, at-1) && near(series, at) {
		before, after := series[at-1].Raw, series[at+1].Raw
		if x.Raw > before && x.Raw > after || x.Raw < before && x.Raw < after {
			flag = over(p, min(math.Abs(x.Raw-before), math.Abs(x.Raw-after)), (before+after)/2)
		}
		if x.Period >= time.Hour {
			flag = min(flag, nhip.FlagSuspect)
		}
	}
	var count, beyond [2]int // before and after; suspect and failed
	for i, o := range series[max(0, at-halfHour):min(len(series), at+halfHour+1)] {
		apart := o.Time.Sub(x.Time)
		if i+max(0, at-halfHour) == at || apart.Abs() > 30*time.Minute {
			continue
		}
		if apart < 0 {
			count[0]++
		} else {
			count[1]++
		}
		switch over(p, math.Abs(x.Raw-o.Raw), o.Raw) {
		case nhip.FlagFail:
			beyond[1]++
			fallthrough
		case nhip.FlagSuspect:
			beyond[0]++
		}
	}
	most := (count[0] + count[1]) / 2
	switch {
	case count[0] < 2 || count[1] < 2:
	case beyond[1] > most:
		flag = nhip.FlagFail
	case beyond[0] > most:
		flag = max(flag, nhip.FlagSuspect)
	}
	return flag
}

// halfHour is the number of readings of half an hour, one each half minute. Of that many the running check compares a
// selection, which is not repeated.
const halfHour = 60

// notRepeated stands for a flag of a repeated check that is taken as stored.
const notRepeated nhip.Flag = -1

// dense reports whether half an hour before or after a reading has halfHour readings.
func dense(series []*Reading, at int) bool {
	for _, far := range [...]int{at - halfHour, at + halfHour} {
		if far >= 0 && far < len(series) && series[far].Time.Sub(series[at].Time).Abs() <= 30*time.Minute {
			return true
		}
	}
	return false
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
		if got[name] != want[name] && want[name] != notRepeated {
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
