package qc_test

import (
	"fmt"
	"time"

	"nhip"
	"nhip/geo/qc"

	"github.com/paulmach/orb"
)

// A station reported PM2.5 every five minutes. One value is a spike, and one is outside the range of the instrument.
func ExampleRules_EvaluateStation() {
	start := time.Date(2026, 2, 16, 0, 0, 0, 0, time.UTC)
	pm25 := qc.Series{Quantity: nhip.PM25, Period: 5 * time.Minute}
	for i, v := range []float64{31, 32, 180, 33, 32, -20} {
		end := start.Add(time.Duration(i) * pm25.Period)
		pm25.Samples = append(pm25.Samples, qc.Sample{At: end.UnixMilli(), Value: v})
	}
	all := []qc.Series{pm25}
	place := nhip.Some(orb.Point{105.8, 21})
	qc.NewRules().EvaluateStation(qc.ClassLowCost, place, all, start.UnixMilli(), func(series, sample int, r qc.Result) {
		fmt.Printf("%g: flag %d %q\n", all[series].Samples[sample].Value, r.Flag, r.Tests())
	})
	// Output:
	// 31: flag 1 ""
	// 32: flag 1 ""
	// 180: flag 4 "spike=4"
	// 33: flag 1 ""
	// 32: flag 1 ""
	// -20: flag 4 "gross_range=4,negative=3"
}

// Rules are changed per quantity and class, as the configuration does it.
func ExampleRules_Set() {
	rules := qc.NewRules()
	rules.Set(nhip.PM25, qc.ClassLowCost, qc.CheckSpike, func(p *qc.Params) { p.Suspect, p.Fail = 50, 100 })
	fmt.Println(rules.Params(nhip.PM25, qc.ClassLowCost, qc.CheckSpike).Fail)
	fmt.Println(rules.Params(nhip.PM25, qc.ClassReference, qc.CheckSpike).Fail)
	// Output:
	// 100
	// 60
}

// Optical sensors overestimate PM2.5 in humid air.
func ExampleCorrection_Correct() {
	c := qc.Correction{EPA2021: true}
	v, rule := c.Correct(nhip.PM25, 40, time.Now(), 80)
	fmt.Printf("%.1f %s\n", v, rule)
	// Output: 25.1 epa_2021
}
