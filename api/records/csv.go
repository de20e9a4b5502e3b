package records

import (
	"strconv"

	"nhip"
	"nhip/api/rest"
)

// csvEncoder encodes readings as CSV.
type csvEncoder struct{}

// csvColumns are the columns after the first one, which is time or date.
const csvColumns = ",quantity,mean,unit,period,aqi,capture_pct,flag,utc_offset,station,min,max,p98,count,level,tests," +
	"rule,origin\n"

func (csvEncoder) begin(o *rowWriter) {
	rest.StartCSV(o.w.Header(), o.q.fileName())
	first := "time"
	if o.q.date(o.q.to) != "" {
		first = "date"
	}
	o.buf = append(o.buf, rest.ByteOrderMark+first+csvColumns...)
	if o.q.several {
		o.buf = append(o.buf[:len(o.buf)-1], ","+licenseColumns...)
	}
}

func (csvEncoder) row(o *rowWriter, r *row) error {
	c := rest.NewCSVRow(o.buf)
	if date := o.q.date(r.time); date != "" {
		c.Raw(date)
	} else {
		c.Time(r.time)
	}
	c.Raw(string(r.quantity))
	if r.stats == nil {
		c.Optional(r.value)
	} else {
		c.Optional(rounded(r.value))
	}
	c.Raw(r.quantity.Unit())
	c.Raw(r.period)
	c.Optional(r.index)
	if r.stats != nil {
		c.Number(r.stats.Capture, 10)
	} else {
		c.Raw("")
	}
	c.Raw(strconv.Itoa(int(r.flag)))
	c.Raw(o.q.offset(r.time))
	c.Text(o.q.station)
	if r.stats != nil && r.value.Known() {
		c.Optional(rounded(nhip.Some(r.stats.Min)))
		c.Optional(rounded(nhip.Some(r.stats.Max)))
		c.Optional(rounded(nhip.Some(r.stats.P98)))
		c.Raw(strconv.Itoa(r.stats.Count))
	} else {
		for range 4 {
			c.Raw("")
		}
	}
	c.Raw(string(r.quality))
	c.Text(r.tests)
	c.Text(r.rule)
	c.Raw(string(r.origin))
	if o.q.several {
		licenseCells(c, o.q.license, o.rows)
	}
	o.buf = c.End()
	return nil
}

func (csvEncoder) end(*rowWriter) error { return nil }
