package aqi_test

import (
	"fmt"
	"time"

	"nhip"
	"nhip/geo/aqi"
)

// The hourly index needs the latest hour of gases and the last twelve hours of particles, newest first.
func ExampleHourlyIndex() {
	end := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	index, ok := aqi.HourlyIndex(nhip.ScaleVNAQI, end, aqi.Hours{
		nhip.PM25: {20.6, 19.6, 22.4, 20.3, 16.5, 19, 16.5, 19.5, 23.5, 20.5, 24.7, 26.9},
		nhip.NO2:  {118.7},
	})
	fmt.Println(ok, index.Value, index.Dominant, index.Category.Name.En)
	for _, s := range index.Sub {
		fmt.Println(s.Quantity, s.Average, s.Concentration, "µg/m³:", s.Value)
	}
	// Output:
	// true 59 no2 Moderate
	// no2 1h 118.7 µg/m³: 59
	// pm25 nowcast 20.3 µg/m³: 41
}

// NowCast follows a sudden change: the plain mean of these twelve hours is 25.
func ExampleNowCast() {
	hours := []float64{80, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20}
	c, ok := aqi.NowCast(hours)
	fmt.Printf("%.1f %t\n", c, ok)
	// Output: 50.0 true
}

// The last category has no upper bound.
func ExampleCategories() {
	for _, c := range aqi.Categories(nhip.ScaleUSEPA) {
		fmt.Println(c.Number, c.Name.En, c.To)
	}
	// Output:
	// 1 Good 50
	// 2 Moderate 100
	// 3 Unhealthy for Sensitive Groups 150
	// 4 Unhealthy 200
	// 5 Very Unhealthy 300
	// 6 Hazardous +Inf
}
