package tides

import (
	"strconv"
	"time"

	"nhip"
	"nhip/api/rest"
)

// csvTime is the form of times in CSV: the default form of a datetime of Table Schema.
const csvTime = "2006-01-02T15:04:05Z"

// daySeconds is the length of a day of Parquet's dates.
const daySeconds = 24 * 60 * 60

// dateNumber returns the service date as Parquet has it, in days since 1970.
func dateNumber(q *query) int32 { return int32(q.date.At(12*3600, time.UTC).Unix() / daySeconds) }

func dateText(day int32) string {
	return time.Unix(int64(day)*daySeconds, 0).UTC().Format(time.DateOnly)
}

// optional returns nil for "".
func optional(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// moment returns nil for the zero time.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// pointer returns nil for an unknown value.
func pointer(v nhip.Opt[float64]) *float64 {
	if f, ok := v.Get(); ok {
		return &f
	}
	return nil
}

func texts(c *rest.CSVRow, all ...*string) {
	for _, s := range all {
		if s != nil {
			c.Text(*s)
		} else {
			c.Raw("")
		}
	}
}

func moments(c *rest.CSVRow, all ...*time.Time) {
	for _, t := range all {
		if t != nil {
			c.Raw(t.UTC().Format(csvTime))
		} else {
			c.Raw("")
		}
	}
}

func floats(c *rest.CSVRow, all ...*float64) {
	for _, f := range all {
		if f != nil {
			c.Raw(strconv.FormatFloat(*f, 'f', -1, 64))
		} else {
			c.Raw("")
		}
	}
}

func number(c *rest.CSVRow, n *int32) {
	if n != nil {
		c.Integer(int64(*n))
	} else {
		c.Raw("")
	}
}
