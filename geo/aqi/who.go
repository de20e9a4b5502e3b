package aqi

import (
	"math"

	"nhip"
)

// who returns the ratio to the WHO short-term guideline levels: 1 is the guideline, 3 is three times as much. The
// 24-hour and 8-hour means end at the requested hour.
func who() *scale {
	day := []component{
		whoComponent(nhip.PM25, average24h, 15),
		whoComponent(nhip.PM10, average24h, 45),
		whoComponent(nhip.O3, average8h, 100),
		whoComponent(nhip.NO2, average24h, 25),
		whoComponent(nhip.SO2, average24h, 40),
		whoComponent(nhip.CO, average24h, 4000),
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

// whoComponent returns a component with the ratio to a guideline in µg/m³.
func whoComponent(q nhip.Quantity, average string, guideline float64) component {
	ratio := func(c float64) (float64, bool) { return max(c, 0) / guideline, true }
	rows := []TableRow{{0, guideline, 0, 1}}
	return component{q, average, ratio, Table{Rows: rows, Unit: 1, Clip: true, Beyond: math.Inf(1)}}
}
