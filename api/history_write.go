package api

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"nhip"

	"github.com/parquet-go/parquet-go"
)

// historyWriter writes rows as they come. Nothing is sent before the first, so that an error until then can still
// be told as one.
type historyWriter struct {
	w      http.ResponseWriter
	out    *http.ResponseController
	ask    *historyQuestion
	format historyFormat
	begun  bool
	failed bool // the client does not take what is written
	buf    []byte

	rows int
	last time.Time // of the newest row
	next time.Time // where the next page begins; zero where this is the last
}

// historyFormat writes one form of the answer into the writer's buffer.
type historyFormat interface {
	begin(o *historyWriter)
	row(o *historyWriter, r *historyRow) error
	end(o *historyWriter) error
}

// flushBytes is how much of an answer is gathered before it is sent.
const flushBytes = 32 << 10

// nextTrailer says where the next page of an answer begins that has no place for it.
const nextTrailer = "Nhip-Next"

func newHistoryWriter(w http.ResponseWriter, ask *historyQuestion) *historyWriter {
	o := &historyWriter{w: w, out: http.NewResponseController(w), ask: ask}
	switch ask.form {
	case formCSV:
		o.format = historyCSV{}
	case formParquet:
		o.format = &historyParquet{}
	default:
		o.format = historyJSON{}
	}
	return o
}

func (o *historyWriter) begin() {
	if o.begun {
		return
	}
	o.begun = true
	h := o.w.Header()
	h.Set("Cache-Control", "no-cache")
	if o.ask.quality == nhip.Raw {
		h.Set("Cache-Control", "no-store")
	}
	h.Set("Vary", "Accept, Authorization")
	if o.ask.limit > 0 && o.ask.form != formJSON {
		h.Set("Trailer", nextTrailer)
	}
	o.format.begin(o)
}

// take writes a row. A page ends with a whole moment, so that the next one can begin behind it.
func (o *historyWriter) take(r *historyRow) error {
	if o.ask.limit > 0 && o.rows >= o.ask.limit && r.time.After(o.last) {
		o.next = o.last
		return errPageFull
	}
	o.begin()
	if err := o.format.row(o, r); err != nil {
		return err
	}
	o.rows++
	o.last = r.time
	if len(o.buf) < flushBytes {
		return nil
	}
	return o.flush()
}

func (o *historyWriter) end() error {
	o.begin()
	if err := o.format.end(o); err != nil {
		return err
	}
	if err := o.flush(); err != nil {
		return err
	}
	if o.ask.limit > 0 && o.ask.form != formJSON && !o.next.IsZero() {
		o.w.Header().Set(nextTrailer, o.next.Format(time.RFC3339Nano))
	}
	return nil
}

// flush sends what is gathered. A client that does not read is not waited for: behind it stands an
// answer that the database holds open.
func (o *historyWriter) flush() error {
	err := o.out.SetWriteDeadline(time.Now().Add(readTimeout))
	if errors.Is(err, http.ErrNotSupported) {
		err = nil // a test's recorder has no line to wait for
	}
	if err == nil {
		_, err = o.w.Write(o.buf)
	}
	o.buf = o.buf[:0]
	o.failed = err != nil
	return err
}

// Write gathers, for formats that have a writer of their own.
func (o *historyWriter) Write(p []byte) (int, error) {
	o.buf = append(o.buf, p...)
	return len(p), nil
}

// date writes the local day or month of a roll-up that ends at a time; "" for what is shorter.
func (q *historyQuestion) date(end time.Time) string {
	begin := end.Add(-time.Nanosecond).In(q.zone)
	switch q.as.period {
	case nhip.DayPeriod:
		return begin.Format(time.DateOnly)
	case nhip.MonthPeriod:
		return begin.Format("2006-01")
	}
	return ""
}

// offset writes how far the zone's clocks were ahead of UTC when the row's time began.
func (q *historyQuestion) offset(end time.Time) string {
	return end.Add(-time.Nanosecond).In(q.zone).Format("-07:00")
}

type historyJSON struct{}

func (historyJSON) begin(o *historyWriter) {
	o.w.Header().Set("Content-Type", formJSON)
	o.buf = append(o.buf, `{"station":`...)
	o.buf = appendText(o.buf, o.ask.station)
	o.buf = appendField(o.buf, "from", o.ask.from.Format(time.RFC3339Nano))
	o.buf = appendField(o.buf, "to", o.ask.to.Format(time.RFC3339Nano))
	o.buf = appendField(o.buf, "period", o.ask.as.name)
	o.buf = appendField(o.buf, "level", string(o.ask.quality))
	o.buf = appendField(o.buf, "index", string(o.ask.scale))
	o.buf = append(o.buf, `,"readings":[`...)
}

func (historyJSON) row(o *historyWriter, r *historyRow) error {
	if o.rows > 0 {
		o.buf = append(o.buf, ',')
	}
	b := append(o.buf, `{"quantity":`...)
	b = appendText(b, string(r.quantity))
	b = appendTime(b, r.time)
	b = appendOptional(b, "date", o.ask.date(r.time))
	if r.stats == nil {
		b = appendNullable(b, "value", r.value)
	} else {
		b = appendStats(b, r)
	}
	b = appendField(b, "unit", r.quantity.Unit())
	b = appendField(b, "period", r.period)
	b = appendOptFloat(b, "aqi", r.index)
	b = append(b, `,"flag":`...)
	b = strconv.AppendInt(b, int64(r.flag), 10)
	b = appendField(b, "level", string(r.quality))
	b = appendField(b, "utc_offset", o.ask.offset(r.time))
	b = appendOptional(b, "tests", r.tests)
	b = appendOptional(b, "rule", r.rule)
	b = appendOptional(b, "origin", string(r.origin))
	o.buf = append(b, '}')
	return nil
}

func appendNullable(b []byte, name string, v nhip.Opt[float64]) []byte {
	if v.Known() {
		return appendOptFloat(b, name, v)
	}
	return append(append(append(b, ',', '"'), name...), `":null`...)
}

func appendStats(b []byte, r *historyRow) []byte {
	b = appendNullable(b, "mean", rounded(r.value))
	if r.value.Known() {
		for _, n := range []struct {
			name  string
			value float64
		}{{"min", r.stats.Min}, {"max", r.stats.Max}, {"p98", r.stats.P98}} {
			b = appendOptFloat(b, n.name, rounded(nhip.Some(n.value)))
		}
	}
	b = append(b, `,"count":`...)
	b = strconv.AppendInt(b, int64(r.stats.Count), 10)
	b = append(b, `,"capture_pct":`...)
	return appendRounded(b, r.stats.Capture, 10)
}

// rounded cuts what arithmetic adds to a mean: a thousandth of a µg/m³ is below every instrument.
func rounded(v nhip.Opt[float64]) nhip.Opt[float64] {
	f, ok := v.Get()
	if !ok {
		return v
	}
	return nhip.Some(roundTo(f, 1000))
}

func (historyJSON) end(o *historyWriter) error {
	o.buf = append(o.buf, ']')
	if !o.next.IsZero() {
		o.buf = appendField(o.buf, "next", o.next.Format(time.RFC3339Nano))
	}
	o.buf = append(o.buf, "}\n"...)
	return nil
}

type historyCSV struct{}

// historyColumns stand behind time, or date.
const historyColumns = ",quantity,mean,unit,period,aqi,capture_pct,flag,utc_offset,station,min,max,p98,count,level,tests,rule,origin\n"

func (historyCSV) begin(o *historyWriter) {
	startCSV(o.w.Header(), o.ask.station)
	first := "time"
	if o.ask.date(o.ask.to) != "" {
		first = "date"
	}
	o.buf = append(o.buf, byteOrderMark+first+historyColumns...)
}

func (historyCSV) row(o *historyWriter, r *historyRow) error {
	c := row{o.buf}
	if date := o.ask.date(r.time); date != "" {
		c.raw(date)
	} else {
		c.time(r.time.In(o.ask.zone))
	}
	c.raw(string(r.quantity))
	if r.stats == nil {
		c.optional(r.value)
	} else {
		c.optional(rounded(r.value))
	}
	c.raw(r.quantity.Unit())
	c.raw(r.period)
	c.optional(r.index)
	if r.stats != nil {
		c.number(r.stats.Capture, 10)
	} else {
		c.raw("")
	}
	c.raw(strconv.Itoa(int(r.flag)))
	c.raw(o.ask.offset(r.time))
	c.text(o.ask.station)
	if r.stats != nil && r.value.Known() {
		c.optional(rounded(nhip.Some(r.stats.Min)))
		c.optional(rounded(nhip.Some(r.stats.Max)))
		c.optional(rounded(nhip.Some(r.stats.P98)))
		c.raw(strconv.Itoa(r.stats.Count))
	} else {
		c.b = append(c.b, ",,,,"...)
	}
	c.raw(string(r.quality))
	c.text(r.tests)
	c.text(r.rule)
	c.raw(string(r.origin))
	o.buf = c.end()
	return nil
}

func (historyCSV) end(*historyWriter) error { return nil }

// parquetRow is a row of the Parquet form. Times are UTC.
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

// rowGroup is how many rows are gathered in memory.
const rowGroup = 10_000

type historyParquet struct {
	out *parquet.GenericWriter[parquetRow]
}

func (p *historyParquet) begin(o *historyWriter) {
	h := o.w.Header()
	h.Set("Content-Type", formParquet)
	h.Set("Content-Disposition", attachment(o.ask.station, ".parquet"))
	p.out = parquet.NewGenericWriter[parquetRow](o, parquet.Compression(&parquet.Zstd))
}

func (p *historyParquet) row(o *historyWriter, r *historyRow) error {
	row := parquetRow{
		Time: r.time, Station: o.ask.station, Quantity: string(r.quantity), Mean: pointer(rounded(r.value)), Unit: r.quantity.Unit(),
		Period: r.period, AQI: pointer(r.index), Flag: int32(r.flag), Offset: o.ask.offset(r.time), Level: string(r.quality), Tests: r.tests,
	}
	if date := o.ask.date(r.time); date != "" {
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

func pointer(v nhip.Opt[float64]) *float64 {
	if f, ok := v.Get(); ok {
		return &f
	}
	return nil
}

func (p *historyParquet) end(*historyWriter) error { return p.out.Close() }
