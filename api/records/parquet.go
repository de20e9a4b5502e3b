package records

import (
	"time"

	"nhip"
	"nhip/api/rest"

	"github.com/parquet-go/parquet-go"
)

// parquetRow is a row of a Parquet file. Times are UTC.
type parquetRow struct {
	Time     time.Time `parquet:"time,timestamp(millisecond)"`
	Date     *string   `parquet:"date,optional"`
	Station  string    `parquet:"station,dict"`
	Quantity string    `parquet:"quantity,dict"`
	Mean     *float64  `parquet:"mean,optional"`
	Unit     string    `parquet:"unit,dict"`
	Period   string    `parquet:"period,dict"`
	AQI      *float64  `parquet:"aqi,optional"`
	Capture  *float64  `parquet:"capture_pct,optional"`
	Flag     int32     `parquet:"flag"`
	Offset   string    `parquet:"utc_offset,dict"`
	Min      *float64  `parquet:"min,optional"`
	Max      *float64  `parquet:"max,optional"`
	P98      *float64  `parquet:"p98,optional"`
	Count    *int32    `parquet:"count,optional"`
	Level    string    `parquet:"level,dict"`
	Tests    string    `parquet:"tests,dict"`
}

// rowGroup is the number of rows that are buffered in memory.
const rowGroup = 10_000

// parquetEncoder encodes readings as Parquet.
type parquetEncoder struct {
	out *parquet.GenericWriter[parquetRow]
}

func (p *parquetEncoder) begin(o *rowWriter) {
	h := o.w.Header()
	h.Set("Content-Type", rest.FormatParquet)
	h.Set("Content-Disposition", rest.Attachment(o.q.fileName(), ".parquet"))
	p.out = parquet.NewGenericWriter[parquetRow](o, o.q.license.ParquetOptions()...)
}

func (p *parquetEncoder) row(o *rowWriter, r *row) error {
	row := parquetRow{
		Time: r.time, Station: o.q.station, Quantity: string(r.quantity), Mean: pointer(rounded(r.value)),
		Unit:   r.quantity.Unit(),
		Period: r.period, AQI: pointer(r.index), Flag: int32(r.flag), Offset: o.q.offset(r.time), Level: string(r.quality),
		Tests: r.tests,
	}
	if date := o.q.date(r.time); date != "" {
		row.Date = &date
	}
	if s := r.stats; s != nil {
		capture, count := s.Capture, int32(s.Count)
		row.Capture, row.Count = &capture, &count
		if r.value.Known() {
			row.Min, row.Max, row.P98 = &s.Min, &s.Max, &s.P98
		}
	}
	if _, err := p.out.Write([]parquetRow{row}); err != nil {
		return err
	}
	if o.rows%rowGroup == rowGroup-1 {
		return p.out.Flush()
	}
	return nil
}

// pointer returns nil for an unknown value.
func pointer(v nhip.Opt[float64]) *float64 {
	if f, ok := v.Get(); ok {
		return &f
	}
	return nil
}

func (p *parquetEncoder) end(*rowWriter) error { return p.out.Close() }
