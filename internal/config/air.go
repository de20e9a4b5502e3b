package config

import (
	"math"
	"slices"
	"strings"

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

// Reasons returns the reasons that staff may choose from for a review.
func (a *Air) Reasons() []nhip.LocalizedText {
	var out []nhip.LocalizedText
	for _, r := range a.ReviewReasons {
		vi, en, _ := strings.Cut(r, "|")
		out = append(out, nhip.LocalizedText{Vi: strings.TrimSpace(vi), En: strings.TrimSpace(en)})
	}
	return out
}

// defaultReasons are those that the manuals of monitoring networks name.
func defaultReasons() []string {
	return []string{
		"Bảo dưỡng | Maintenance", "Hiệu chuẩn | Calibration", "Thiết bị hỏng | Instrument fault",
		"Mất điện | Power failure", "Lỗi truyền dữ liệu | Transmission error", "Nguồn thải tại chỗ | Local source",
		"Thời tiết cực đoan | Extreme weather", "Khác | Other",
	}
}
