package aqi

import (
	"math"

	"nhip"
)

// usRow is one row of an EPA table: a range of concentrations and its range of indices. All bounds are inclusive.
type usRow struct{ low, high, indexLow, indexHigh float64 }

// usTable is one column of the EPA table. Concentrations are truncated to whole steps before the lookup, so that
// none falls between two rows. Below the first row there is no index: the 1-hour column of ozone begins at 101.
// Above the last row the index is 500, except for 8-hour ozone, which ends at 300; above that the 1-hour column
// applies.
type usTable struct {
	steps float64 // steps per unit: 10 truncates to 0.1
	rows  []usRow
}

var (
	usPM25 = usTable{10, []usRow{
		{0, 9, 0, 50},
		{9.1, 35.4, 51, 100},
		{35.5, 55.4, 101, 150},
		{55.5, 125.4, 151, 200},
		{125.5, 225.4, 201, 300},
		{225.5, 325.4, 301, 500},
	}}
	usPM10 = usTable{1, []usRow{
		{0, 54, 0, 50},
		{55, 154, 51, 100},
		{155, 254, 101, 150},
		{255, 354, 151, 200},
		{355, 424, 201, 300},
		{425, 604, 301, 500},
	}}
	usOzone8h = usTable{1, []usRow{ // ppb
		{0, 54, 0, 50},
		{55, 70, 51, 100},
		{71, 85, 101, 150},
		{86, 105, 151, 200},
		{106, 200, 201, 300},
	}}
	usOzone1h = usTable{1, []usRow{ // ppb
		{125, 164, 101, 150},
		{165, 204, 151, 200},
		{205, 404, 201, 300},
		{405, 604, 301, 500},
	}}
	usCO = usTable{10, []usRow{ // ppm
		{0, 4.4, 0, 50},
		{4.5, 9.4, 51, 100},
		{9.5, 12.4, 101, 150},
		{12.5, 15.4, 151, 200},
		{15.5, 30.4, 201, 300},
		{30.5, 50.4, 301, 500},
	}}
	usSO2 = usTable{1, []usRow{ // ppb
		{0, 35, 0, 50},
		{36, 75, 51, 100},
		{76, 185, 101, 150},
		{186, 304, 151, 200},
		{305, 604, 201, 300},
		{605, 1004, 301, 500},
	}}
	usNO2 = usTable{1, []usRow{ // ppb
		{0, 53, 0, 50},
		{54, 100, 51, 100},
		{101, 360, 101, 150},
		{361, 649, 151, 200},
		{650, 1249, 201, 300},
		{1250, 2049, 301, 500},
	}}
)

// us returns the AQI of the US EPA. Its hourly index uses the NowCast of particles and the 8-hour means of ozone
// and CO.
func us() *scale {
	return &scale{
		name:   nhip.ScaleUSEPA,
		source: "US EPA, breakpoints of 6 May 2024",
		hourly: []component{
			usPM25.particles(nhip.PM25, averageNowCast),
			usPM10.particles(nhip.PM10, averageNowCast),
			usOzone8h.gas(nhip.O3, average8h, 1),
			usOzone1h.gas(nhip.O3, average1h, 1),
			usCO.gas(nhip.CO, average8h, 1000),
			usSO2.gas(nhip.SO2, average1h, 1),
			usNO2.gas(nhip.NO2, average1h, 1),
		},
		daily: []component{
			usPM25.particles(nhip.PM25, average24h),
			usPM10.particles(nhip.PM10, average24h),
			usOzone8h.gas(nhip.O3, averageMax8h, 1),
			usOzone1h.gas(nhip.O3, averageMax1h, 1),
			usCO.gas(nhip.CO, averageMax8h, 1000),
			usSO2.gas(nhip.SO2, averageMax1h, 1),
			usNO2.gas(nhip.NO2, averageMax1h, 1),
		},
		round: halfUp,
		categories: []category{
			{50, nhip.AQICategory{Number: 1, Name: nhip.LocalizedText{Vi: "Tốt (Hoa Kỳ)", En: "Good"}, Color: "#00E400"}},
			{
				100,
				nhip.AQICategory{Number: 2, Name: nhip.LocalizedText{Vi: "Trung bình (Hoa Kỳ)", En: "Moderate"}, Color: "#FFFF00"},
			},
			{
				150,
				nhip.AQICategory{
					Number: 3, Name: nhip.LocalizedText{Vi: "Không tốt cho nhóm nhạy cảm", En: "Unhealthy for Sensitive Groups"},
					Color: "#FF7E00",
				},
			},
			{
				200,
				nhip.AQICategory{
					Number: 4, Name: nhip.LocalizedText{Vi: "Không tốt cho sức khỏe", En: "Unhealthy"}, Color: "#FF0000",
				},
			},
			{
				300,
				nhip.AQICategory{Number: 5, Name: nhip.LocalizedText{Vi: "Rất không tốt", En: "Very Unhealthy"}, Color: "#8F3F97"},
			},
			{
				math.Inf(1),
				nhip.AQICategory{Number: 6, Name: nhip.LocalizedText{Vi: "Nguy hiểm", En: "Hazardous"}, Color: "#7E0023"},
			},
		},
	}
}

// particles returns the component of particles, whose table is in µg/m³.
func (t *usTable) particles(q nhip.Quantity, average string) component {
	return component{q, average, t.index, t.table(1)}
}

// gas returns the component of a gas in µg/m³; unit is the table's unit in ppb.
func (t *usTable) gas(q nhip.Quantity, average string, unit float64) component {
	mass, _ := q.MolarMass()
	index := func(c float64) (float64, bool) { return t.index(c * nhip.MolarVolume / mass / unit) }
	return component{q, average, index, t.table(mass * unit / nhip.MolarVolume)}
}

// table returns the table with its unit in µg/m³.
func (t *usTable) table(unit float64) Table {
	out := Table{Unit: unit, Step: 1 / t.steps, Beyond: math.NaN()}
	for _, r := range t.rows {
		out.Rows = append(out.Rows, TableRow{r.low, r.high, r.indexLow, r.indexHigh})
		if r.indexHigh == 500 {
			out.Beyond = 500
		}
	}
	return out
}

func (t *usTable) index(c float64) (float64, bool) {
	c = math.Floor(c*t.steps+1e-6) / t.steps // 9.1 has no exact binary form and may be slightly less
	if c < t.rows[0].low {
		return 0, false
	}
	for _, r := range t.rows {
		if c <= r.high {
			return interpolate(c, r.low, r.high, r.indexLow, r.indexHigh), true
		}
	}
	last := t.rows[len(t.rows)-1]
	return last.indexHigh, last.indexHigh == 500
}
