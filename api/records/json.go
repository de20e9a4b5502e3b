package records

import (
	"strconv"
	"time"

	"nhip"
	"nhip/api/encode"
	"nhip/api/rest"
)

// jsonEncoder encodes readings as JSON.
type jsonEncoder struct{}

func (jsonEncoder) begin(o *rowWriter) {
	o.w.Header().Set("Content-Type", rest.FormatJSON)
	o.buf = encode.Field(appendHead(o.buf, o.q), "index", string(o.q.scale))
	o.buf = append(o.buf, `,"readings":[`...)
}

// appendHead appends the start of an object and the members that describe a query.
func appendHead(b []byte, q *query) []byte {
	if q.several {
		b = append(b, `{"from":`...)
		b = encode.Text(b, q.start.Format(time.RFC3339Nano))
	} else {
		b = append(b, `{"station":`...)
		b = encode.Text(b, q.station)
		b = encode.Field(b, "from", q.from.Format(time.RFC3339Nano))
	}
	b = encode.Field(b, "to", q.to.Format(time.RFC3339Nano))
	b = encode.Field(b, "period", q.by.name)
	if q.several {
		return appendLicense(b, q.license)
	}
	return encode.Field(b, "level", string(q.quality))
}

func (jsonEncoder) row(o *rowWriter, r *row) error {
	if o.rows > 0 {
		o.buf = append(o.buf, ',')
	}
	b := append(o.buf, '{')
	if o.q.several {
		b = append(b, `"station":`...)
		b = append(encode.Text(b, o.q.station), ',')
	}
	b = append(b, `"quantity":`...)
	b = encode.Text(b, string(r.quantity))
	b = encode.TimeField(b, r.time)
	b = encode.OptionalField(b, "date", o.q.date(r.time))
	if r.stats == nil {
		b = encode.NullableField(b, "value", r.value)
	} else {
		b = appendStats(b, r)
	}
	b = encode.Field(b, "unit", r.quantity.Unit())
	b = encode.Field(b, "period", r.period)
	b = encode.FloatField(b, "aqi", r.index)
	b = append(b, `,"flag":`...)
	b = strconv.AppendInt(b, int64(r.flag), 10)
	b = encode.Field(b, "level", string(r.quality))
	b = encode.Field(b, "utc_offset", o.q.offset(r.time))
	b = encode.OptionalField(b, "tests", r.tests)
	b = encode.OptionalField(b, "rule", r.rule)
	b = encode.OptionalField(b, "origin", string(r.origin))
	o.buf = append(b, '}')
	return nil
}

// appendStats appends the members of a roll-up.
func appendStats(b []byte, r *row) []byte {
	b = encode.NullableField(b, "mean", rounded(r.value))
	if r.value.Known() {
		for _, n := range []struct {
			name  string
			value float64
		}{{"min", r.stats.Min}, {"max", r.stats.Max}, {"p98", r.stats.P98}} {
			b = encode.FloatField(b, n.name, rounded(nhip.Some(n.value)))
		}
	}
	b = append(b, `,"count":`...)
	b = strconv.AppendInt(b, int64(r.stats.Count), 10)
	b = append(b, `,"capture_pct":`...)
	return encode.Rounded(b, r.stats.Capture, 10)
}

// rounded rounds a mean to thousandths: no instrument has a finer resolution.
func rounded(v nhip.Opt[float64]) nhip.Opt[float64] {
	f, ok := v.Get()
	if !ok {
		return v
	}
	return nhip.Some(encode.Round(f, 1000))
}

func (jsonEncoder) end(o *rowWriter) error {
	o.buf = append(o.buf, ']')
	if o.next != "" {
		o.buf = encode.Field(o.buf, "next", o.next)
	}
	o.buf = append(o.buf, "}\n"...)
	return nil
}
