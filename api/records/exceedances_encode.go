package records

import (
	"encoding/json"
	"math"
	"strconv"
	"time"

	"nhip"
	"nhip/api/encode"
	"nhip/api/rest"
	"nhip/geo/limits"
	"nhip/internal/airreport"
)

// exceedanceTotal sums up the rows of one limit.
type exceedanceTotal struct {
	Quantity  nhip.Quantity       `json:"quantity"`
	Average   limits.Average      `json:"average"`
	Unit      string              `json:"unit"`
	Stations  int                 `json:"stations"`  // that measure the quantity
	Reporting int                 `json:"reporting"` // of these, with any mean
	Exceeding int                 `json:"exceeding"` // of these, above the limit at least once
	Number    int                 `json:"number"`
	Evaluated int                 `json:"evaluated"`
	Capture   float64             `json:"capture_pct"` // mean of the stations, those without any mean with 0
	Hours     float64             `json:"hours"`
	Max       nhip.Opt[float64]   `json:"max"`
	MaxTime   nhip.Opt[time.Time] `json:"max_time"`
	Station   string              `json:"max_station,omitempty"`

	captures float64 // sum
}

func (t *exceedanceTotal) add(x *airreport.Exceedance) {
	t.Stations++
	t.captures += x.Capture
	t.Capture = math.Round(10*t.captures/float64(t.Stations)) / 10
	t.Number += x.Number
	t.Evaluated += x.Evaluated
	t.Hours += x.Hours
	if x.Number > 0 {
		t.Exceeding++
	}
	top, ok := x.Max.Get()
	if !ok {
		return
	}
	t.Reporting++
	if top > t.Max.Or(math.Inf(-1)) {
		t.Max, t.MaxTime, t.Station = x.Max, x.MaxTime, x.Station
	}
}

// exceedanceEncoder encodes exceedances, in JSON with their totals.
type exceedanceEncoder struct {
	csv      bool
	exceeded bool // rows without an exceedance are left out, but are in the totals
	stations int
	written  int // rows
	totals   []*exceedanceTotal
}

func newExceedanceEncoder(q *exceedanceQuery) *exceedanceEncoder {
	return &exceedanceEncoder{csv: q.format == rest.FormatCSV, exceeded: q.exceeded, stations: len(q.stations)}
}

func (f *exceedanceEncoder) begin(o *rowWriter) {
	if f.csv {
		rest.StartCSV(o.w.Header(), "exceedances")
		o.buf = append(o.buf, rest.ByteOrderMark+airreport.ExceedanceColumns...)
		return
	}
	o.w.Header().Set("Content-Type", rest.FormatJSON)
	b := append(o.buf, `{"from":`...)
	b = encode.Text(b, o.q.from.UTC().Format(time.RFC3339Nano))
	b = encode.Field(b, "to", o.q.to.UTC().Format(time.RFC3339Nano))
	b = encode.Field(b, "level", string(o.q.quality))
	b = encode.Field(b, "source", limits.Source)
	b = append(b, `,"stations":`...)
	b = strconv.AppendInt(b, int64(f.stations), 10)
	o.buf = append(b, `,"rows":[`...)
}

func (f *exceedanceEncoder) row(o *rowWriter, r *row) error {
	x := r.exceedance
	f.total(x).add(x)
	if f.exceeded && x.Number == 0 {
		return nil
	}
	f.written++
	if f.csv {
		o.buf = x.AppendCSV(o.buf, o.q.from, o.q.to, o.q.quality)
		return nil
	}
	if f.written > 1 {
		o.buf = append(o.buf, ',')
	}
	b, err := json.Marshal(x)
	o.buf = append(o.buf, b...)
	return err
}

// total returns the total that a row belongs to.
func (f *exceedanceEncoder) total(x *airreport.Exceedance) *exceedanceTotal {
	for _, t := range f.totals {
		if t.Quantity == x.Quantity && t.Average == x.Average {
			return t
		}
	}
	t := &exceedanceTotal{Quantity: x.Quantity, Average: x.Average, Unit: x.Unit}
	f.totals = append(f.totals, t)
	return t
}

func (f *exceedanceEncoder) end(o *rowWriter) error {
	if f.csv {
		return nil
	}
	totals := f.totals
	if totals == nil {
		totals = []*exceedanceTotal{}
	}
	b, err := json.Marshal(totals)
	o.buf = append(append(append(o.buf, `],"totals":`...), b...), "}\n"...)
	return err
}
