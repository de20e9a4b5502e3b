package airreport

import (
	"nhip"
	"nhip/geo/limits"
	"nhip/internal/csvrow"
)

// CSV encodes the rows of a report, one for each quantity of each station.
func (m *Monthly) CSV() []byte {
	counts := make(map[seriesKey]map[limits.Average]int)
	for _, e := range m.Exceedances {
		k := seriesKey{e.Quantity, e.Station}
		if counts[k] == nil {
			counts[k] = make(map[limits.Average]int)
		}
		counts[k][e.Average] = e.Number
	}
	b := []byte(csvrow.ByteOrderMark + "month,station,name,area,quantity,unit,mean,min,max,p98,hours,capture_pct,flag," +
		"last_year_mean,change_pct,exceeded_1h,exceeded_8h,exceeded_24h\n")
	for i := range m.Rows {
		b = m.Rows[i].appendCSV(b, m.Month, counts[seriesKey{m.Rows[i].Quantity, m.Rows[i].Station}])
	}
	return b
}

func (r *MonthRow) appendCSV(b []byte, month string, exceeded map[limits.Average]int) []byte {
	c := csvrow.Row{B: b}
	c.Raw(month)
	c.Text(r.Station)
	c.Text(r.Name)
	c.Text(r.Area)
	c.Raw(string(r.Quantity))
	c.Text(r.Unit)
	for _, v := range []nhip.Opt[float64]{r.Mean, r.Min, r.Max, r.P98} {
		c.Optional(v)
	}
	c.Integer(int64(r.Hours))
	c.Number(r.Capture, 10)
	c.Integer(int64(r.Flag))
	c.Optional(r.LastYear)
	c.Optional(r.Change)
	for _, a := range []limits.Average{limits.AverageHour, limits.Average8h, limits.AverageDay} {
		n, known := exceeded[a]
		if !known {
			c.Raw("")
			continue
		}
		c.Integer(int64(n))
	}
	return c.End()
}
