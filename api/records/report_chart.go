package records

import (
	"fmt"
	"math"
	"slices"
	"time"

	"nhip"
	"nhip/geo/report"
)

// reportChart is a bar chart of a profile. Coordinates are 0 to 100, with y downwards.
type reportChart struct {
	Title, Unit string
	Top         string // highest value
	Bars        []reportBar
	Rows        [][]reportBar // the bars as rows of a table
}

type reportBar struct {
	Label      string
	Value      string
	X, Y, W, H float64
}

// profiles returns the daily and the weekly profile of a quantity, of the hours that end after from.
func (m *monthReport) profiles(q nhip.Quantity, hours []report.Mean, from time.Time,
	zone *time.Location,
) []reportChart {
	hours = slices.DeleteFunc(slices.Clone(hours), func(m report.Mean) bool { return !m.End.After(from) })
	hour := func(i int) string { return fmt.Sprintf("%02d", i) }
	weekday := func(i int) string { return m.Weekdays[i] }
	title := func(key string) string { return m.Words[key] + " · " + m.quantity(q) }
	return []reportChart{
		m.chart(title("diurnal"), q.Unit(), report.Diurnal(hours, zone), hour),
		m.chart(title("weekdays"), q.Unit(), report.Weekdays(hours, zone), weekday),
	}
}

// maxColumns is the number of columns of a table of bars that fits the width of a page.
const maxColumns = 12

// chart returns the chart of a profile; label names bar i.
func (m *monthReport) chart(title, unit string, p report.Profile, label func(int) string) reportChart {
	c := reportChart{Title: title, Unit: unit}
	top := p.Max()
	c.Top = m.Number(top)
	width := 100 / float64(len(p))
	for i, v := range p {
		b := reportBar{Label: label(i), X: float64(i)*width + width/10, W: width * 0.8, Value: "–"}
		if !math.IsNaN(v) && top > 0 {
			b.H = 100 * max(v, 0) / top
			b.Y = 100 - b.H
			b.Value = m.Number(v)
		}
		c.Bars = append(c.Bars, b)
	}
	c.Rows = slices.Collect(slices.Chunk(c.Bars, maxColumns))
	return c
}
