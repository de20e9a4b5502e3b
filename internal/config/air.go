package config

import (
	"math"
	"slices"

	"nhip"
	"nhip/geo/alert"
	"nhip/geo/qc"
	"nhip/internal/fleet"
)

// AlertRules returns the configured alert rules.
func (a *Air) AlertRules() []alert.Rule {
	var out []alert.Rule
	for _, r := range a.Alerts {
		out = append(out, alert.Rule{
			Name: r.Name, Measure: r.Measure, Station: r.Station, Area: r.Area,
			Thresholds: [3]float64{r.Tendency, r.Preparing, r.Exceed},
			Hysteresis: r.Hysteresis, Hold: r.Hold,
		})
	}
	return out
}

// Rules returns the rules of the quality checks: the defaults with the configured changes.
func (a *Air) Rules() *qc.Rules {
	rules := qc.NewRules()
	for i := range a.Checks {
		a.Checks[i].apply(rules)
	}
	return rules
}

func (c *Check) apply(rules *qc.Rules) {
	check, _ := qc.ParseCheck(c.Check) // the rule checkName has checked it
	for class, kind := range map[qc.Class]string{qc.ClassLowCost: fleet.LowCost, qc.ClassReference: fleet.Reference} {
		if c.Kind != "" && c.Kind != kind {
			continue
		}
		rules.Set(nhip.Quantity(c.Quantity), class, check, func(l *qc.Params) {
			if c.Off {
				*l = qc.Disabled()
			}
			for _, name := range c.limitNames() {
				*l.Fields()[name] = *c.Limits.Fields()[name]
			}
		})
	}
}

// limitNames returns the names of the limits that are set, sorted.
func (c *Check) limitNames() []string {
	var names []string
	for name, v := range c.Limits.Fields() {
		if !math.IsNaN(*v) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
