package aqi

import "nhip"

// Table is a table of breakpoints as its regulation prints it. Indices are computed without it; it is for audits, which
// compute them a second time.
type Table struct {
	Rows   []TableRow
	Unit   float64 // µg/m³ in one unit of the rows' concentrations
	Step   float64 // concentrations are truncated to whole steps, in units of the rows; 0: they are not
	Clip   bool    // a negative concentration counts as 0; otherwise it has no index
	Beyond float64 // index above the last row; NaN: none; +Inf: the last row continues
}

// TableRow is a range of concentrations, both ends inclusive, and its range of indices.
type TableRow struct{ Low, High, IndexLow, IndexHigh float64 }

// Component is one average of one quantity that contributes to an index, with its table.
type Component struct {
	Quantity nhip.Quantity
	Average  string // the value of nhip.SubIndex.Average
	Table    Table
}

// Components returns what the hourly or the daily index of a scale is computed from, in the order of its source.
func Components(name nhip.Scale, rule string) []Component {
	of := scales[name].hourly
	if rule == RuleDaily {
		of = scales[name].daily
	}
	out := make([]Component, len(of))
	for i, c := range of {
		out[i] = Component{c.quantity, c.average, c.table}
	}
	return out
}
