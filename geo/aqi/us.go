package aqi

import (
	"math"

	"nhip"
)

// usRow is one row of an EPA table: concentrations and indices from and to, all included.
type usRow struct{ low, high, indexLow, indexHigh float64 }

// usTable is a column of the EPA's table. Concentrations are cut off to whole steps before they are looked up,
// so that none falls between two rows. Below the first row there is no index (ozone's hour
// begins at 101), beyond the last it is 500 (ozone's 8 hours end at 300, where its hour takes over).
type usTable struct {
	steps float64 // of one unit: 10 cuts to 0.1
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

// us is the AQI of the US EPA. Its hour takes particles as NowCasts, ozone and CO as means of 8 hours.
func us() *scale {
	return &scale{
		name:   nhip.USAQI,
		source: "US EPA, breakpoints of 6 May 2024",
		hourly: []part{
			{nhip.PM25, averageNowCast, usPM25.index},
			{nhip.PM10, averageNowCast, usPM10.index},
			{nhip.O3, average8h, usOzone8h.of(nhip.O3, 1)},
			{nhip.O3, average1h, usOzone1h.of(nhip.O3, 1)},
			{nhip.CO, average8h, usCO.of(nhip.CO, 1000)},
			{nhip.SO2, average1h, usSO2.of(nhip.SO2, 1)},
			{nhip.NO2, average1h, usNO2.of(nhip.NO2, 1)},
		},
		daily: []part{
			{nhip.PM25, average24h, usPM25.index},
			{nhip.PM10, average24h, usPM10.index},
			{nhip.O3, averageMax8h, usOzone8h.of(nhip.O3, 1)},
			{nhip.O3, averageMax1h, usOzone1h.of(nhip.O3, 1)},
			{nhip.CO, averageMax8h, usCO.of(nhip.CO, 1000)},
			{nhip.SO2, averageMax1h, usSO2.of(nhip.SO2, 1)},
			{nhip.NO2, averageMax1h, usNO2.of(nhip.NO2, 1)},
		},
		round: halfUp,
		levels: []level{
			{50, nhip.Level{Number: 1, Name: nhip.Name{Vi: "Tốt (Hoa Kỳ)", En: "Good"}, Colour: "#00E400"}},
			{100, nhip.Level{Number: 2, Name: nhip.Name{Vi: "Trung bình (Hoa Kỳ)", En: "Moderate"}, Colour: "#FFFF00"}},
			{150, nhip.Level{Number: 3, Name: nhip.Name{Vi: "Không tốt cho nhóm nhạy cảm", En: "Unhealthy for Sensitive Groups"}, Colour: "#FF7E00"}},
			{200, nhip.Level{Number: 4, Name: nhip.Name{Vi: "Không tốt cho sức khỏe", En: "Unhealthy"}, Colour: "#FF0000"}},
			{300, nhip.Level{Number: 5, Name: nhip.Name{Vi: "Rất không tốt", En: "Very Unhealthy"}, Colour: "#8F3F97"}},
			{math.Inf(1), nhip.Level{Number: 6, Name: nhip.Name{Vi: "Nguy hiểm", En: "Hazardous"}, Colour: "#7E0023"}},
		},
	}
}

// of makes an index of µg/m³ of a gas, where the table's unit is so many ppb.
func (t *usTable) of(q nhip.Quantity, unit float64) func(float64) (float64, bool) {
	mass, _ := q.MolarMass()
	return func(c float64) (float64, bool) { return t.index(c * nhip.MolarVolume / mass / unit) }
}

func (t *usTable) index(c float64) (float64, bool) {
	c = math.Floor(c*t.steps+1e-6) / t.steps // 9.1 is not quite 9.1 in binary
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
