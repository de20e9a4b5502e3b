package aqi

import (
	"math"

	"nhip"
)

// vnIndex and the columns below are table 2 of Decision 1459, in µg/m³. The columns are contiguous. Above its
// last row a column yields 500, except 8-hour ozone, which yields no index there: then only the 1-hour column
// counts.
var vnIndex = []float64{0, 50, 100, 150, 200, 300, 400, 500}

var (
	vnOzone1h = []float64{0, 160, 200, 300, 400, 800, 1000, 1200}
	vnOzone8h = []float64{0, 100, 120, 170, 210, 400}
	vnCO      = []float64{0, 10_000, 30_000, 45_000, 60_000, 90_000, 120_000, 150_000}
	vnSO2     = []float64{0, 125, 350, 550, 800, 1600, 2100, 2630}
	vnNO2     = []float64{0, 100, 200, 700, 1200, 2350, 3100, 3850}
	vnPM10    = []float64{0, 50, 150, 250, 350, 420, 500, 600}
	vnPM25    = []float64{0, 25, 50, 80, 150, 250, 350, 500}
)

// vn returns VN_AQI as section 2 of the Decision defines it.
func vn() *scale {
	return &scale{
		name:   nhip.ScaleVNAQI,
		source: "Decision 1459/QĐ-TCMT, 12 November 2019",
		hourly: []component{
			vnComponent(nhip.PM25, averageNowCast, vnPM25),
			vnComponent(nhip.PM10, averageNowCast, vnPM10),
			vnComponent(nhip.O3, average1h, vnOzone1h),
			vnComponent(nhip.NO2, average1h, vnNO2),
			vnComponent(nhip.SO2, average1h, vnSO2),
			vnComponent(nhip.CO, average1h, vnCO),
		},
		daily: []component{
			vnComponent(nhip.PM25, average24h, vnPM25),
			vnComponent(nhip.PM10, average24h, vnPM10),
			vnComponent(nhip.O3, averageMax8h, vnOzone8h),
			vnComponent(nhip.O3, averageMax1h, vnOzone1h),
			vnComponent(nhip.NO2, averageMax1h, vnNO2),
			vnComponent(nhip.SO2, averageMax1h, vnSO2),
			vnComponent(nhip.CO, averageMax1h, vnCO),
		},
		round:    halfUp,
		requires: []nhip.Quantity{nhip.PM25, nhip.PM10},
		categories: []category{
			{50, nhip.AQICategory{Number: 1, Name: nhip.LocalizedText{Vi: "Tốt", En: "Good"}, Color: "#00E400"}},
			{100, nhip.AQICategory{Number: 2, Name: nhip.LocalizedText{Vi: "Trung bình", En: "Moderate"}, Color: "#FFFF00"}},
			{150, nhip.AQICategory{Number: 3, Name: nhip.LocalizedText{Vi: "Kém", En: "Poor"}, Color: "#FF7E00"}},
			{200, nhip.AQICategory{Number: 4, Name: nhip.LocalizedText{Vi: "Xấu", En: "Bad"}, Color: "#FF0000"}},
			{300, nhip.AQICategory{Number: 5, Name: nhip.LocalizedText{Vi: "Rất xấu", En: "Very bad"}, Color: "#8F3F97"}},
			{
				math.Inf(1),
				nhip.AQICategory{Number: 6, Name: nhip.LocalizedText{Vi: "Nguy hại", En: "Hazardous"}, Color: "#7E0023"},
			},
		},
	}
}

// vnComponent returns a component with one column of table 2.
func vnComponent(q nhip.Quantity, average string, breakpoints []float64) component {
	t := Table{Unit: 1, Clip: true, Beyond: math.NaN()}
	for i := 1; i < len(breakpoints); i++ {
		t.Rows = append(t.Rows, TableRow{breakpoints[i-1], breakpoints[i], vnIndex[i-1], vnIndex[i]})
	}
	if len(breakpoints) == len(vnIndex) {
		t.Beyond = 500
	}
	return component{q, average, vnColumn(breakpoints), t}
}

// vnColumn returns the index function of one column of table 2. Negative concentrations, which instruments report
// near zero, count as zero.
func vnColumn(breakpoints []float64) func(float64) (float64, bool) {
	return func(c float64) (float64, bool) {
		c = max(c, 0)
		for i := 1; i < len(breakpoints); i++ {
			if c <= breakpoints[i] {
				return interpolate(c, breakpoints[i-1], breakpoints[i], vnIndex[i-1], vnIndex[i]), true
			}
		}
		return vnIndex[len(vnIndex)-1], len(breakpoints) == len(vnIndex)
	}
}

func interpolate(c, low, high, indexLow, indexHigh float64) float64 {
	return (indexHigh-indexLow)/(high-low)*(c-low) + indexLow
}
