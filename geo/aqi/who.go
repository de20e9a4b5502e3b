package aqi

import (
	"math"

	"nhip"
)

// who returns the ratio to the WHO short-term guideline levels: 1 is the guideline, 3 is three times as much. The
// 24-hour and 8-hour means end at the requested hour.
func who() *scale {
	day := []component{
		{nhip.PM25, average24h, ratioTo(15)},
		{nhip.PM10, average24h, ratioTo(45)},
		{nhip.O3, average8h, ratioTo(100)},
		{nhip.NO2, average24h, ratioTo(25)},
		{nhip.SO2, average24h, ratioTo(40)},
		{nhip.CO, average24h, ratioTo(4000)},
	}
	daily := append([]component(nil), day...)
	daily[2].average = averageMax8h
	return &scale{
		name: nhip.ScaleWHO, source: "WHO global air quality guidelines, 2021", hourly: day, daily: daily,
		round: func(v float64) float64 { return roundTo(v, 100) },
		categories: []category{
			{
				1,
				nhip.AQICategory{
					Number: 1, Name: nhip.LocalizedText{Vi: "Đạt mức khuyến nghị của WHO", En: "Within the WHO guideline"},
					Color: "#00E400",
				},
			},
			{
				math.Inf(1),
				nhip.AQICategory{
					Number: 2, Name: nhip.LocalizedText{Vi: "Vượt mức khuyến nghị của WHO", En: "Above the WHO guideline"},
					Color: "#FF0000",
				},
			},
		},
	}
}

func ratioTo(guideline float64) func(float64) (float64, bool) {
	return func(c float64) (float64, bool) { return max(c, 0) / guideline, true }
}
