package aqi

import (
	"math"

	"nhip"
)

// who is the ratio to WHO's short-term guideline levels: 1 is the guideline, 3 is three times as much. The 24 and
// the 8 hours are those before the hour that is asked about.
func who() *scale {
	day := []part{
		{nhip.PM25, average24h, ratioTo(15)},
		{nhip.PM10, average24h, ratioTo(45)},
		{nhip.O3, average8h, ratioTo(100)},
		{nhip.NO2, average24h, ratioTo(25)},
		{nhip.SO2, average24h, ratioTo(40)},
		{nhip.CO, average24h, ratioTo(4000)},
	}
	daily := append([]part(nil), day...)
	daily[2].average = averageMax8h
	return &scale{
		name: nhip.WHO, source: "WHO global air quality guidelines, 2021", hourly: day, daily: daily,
		round: func(v float64) float64 { return roundTo(v, 100) },
		levels: []level{
			{1, nhip.Level{Number: 1, Name: nhip.Name{Vi: "Đạt mức khuyến nghị của WHO", En: "Within the WHO guideline"}, Colour: "#00E400"}},
			{math.Inf(1), nhip.Level{Number: 2, Name: nhip.Name{Vi: "Vượt mức khuyến nghị của WHO", En: "Above the WHO guideline"}, Colour: "#FF0000"}},
		},
	}
}

func ratioTo(guideline float64) func(float64) (float64, bool) {
	return func(c float64) (float64, bool) { return max(c, 0) / guideline, true }
}
