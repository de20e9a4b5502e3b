// Package csvfile decodes our own table of readings: CSV files from the API, and history that was prepared with a
// spreadsheet. The name of the format is "csv".
//
//	topic    nhip/in/import/csv/<station>
//	payload  time,station,quantity,mean,unit,period,flag
//	         2026-02-16T08:00:00+07:00,hn-01,pm25,69.2,µg/m³,1h,1
//
// Columns, in any order:
//
//	time       the END of the averaging period, RFC 3339 with its offset; or
//	date       a local day, 2026-02-16, whose offset is in utc_offset: its END is the next midnight
//	quantity   as in pm25
//	mean       or value: a number; blank: no value
//	unit       default: the platform's unit of the quantity, see docs/formats.md
//	period     as in 1h; default: a day for a date, else that of the feed, or an hour
//	station    default: the last level of the topic
//	flag       QARTOD flag 1, 2, 3, 4 or 9; default: 2, not evaluated. 9: no value
//	lat, lon   WGS84 degrees, both or none; a faulty place is left out
//	utc_offset as in +07:00
//
// The API adds the columns min, max, p98, count, aqi, capture_pct, level, tests, raw, rule and state, which are
// skipped, because the platform computes them again. Other columns are an error. A month is not an averaging period and
// can't be imported.
//
// Traps: With Vietnamese settings, Excel writes semicolons and decimal commas: save as "CSV UTF-8" with English
// separators. It also changes the format of 2026-02-16T08:00:00+07:00 when the cell is edited.
package csvfile

import (
	"strconv"
	"time"

	"nhip"
	"nhip/collector/decode"
)

// Decoder decodes our own table.
var Decoder = decode.Decoder{Format: "csv", Version: 2, Decode: read}

var optional = []string{
	"time", "date", "station", "mean", "value", "unit", "period", "flag", "lat", "lon", "utc_offset",
	"min", "max", "p98", "count", "aqi", "capture_pct", "level", "tests", "raw", "rule", "state", "origin",
}

func read(in decode.Input, out *nhip.Facts) error {
	t, err := decode.NewTable(&in, []string{"quantity"}, optional, false)
	if err != nil {
		return err
	}
	for _, either := range [...][2]string{{"time", "date"}, {"mean", "value"}} {
		if t.Has(either[0]) == t.Has(either[1]) {
			return nhip.Errorf(nhip.CodeMissing, "line 1",
				"exactly one of the columns %q and %q is required", either[0], either[1])
		}
	}
	t.Each(out, func() error {
		r, ok, err := reading(t, &in)
		if err == nil && ok {
			out.Readings = append(out.Readings, r)
		}
		return err
	})
	return nil
}

// reading reads one row; ok is false if it has no value.
func reading(t *decode.Table, in *decode.Input) (r nhip.Reading, ok bool, err error) {
	column := "mean"
	if t.Has("value") {
		column = "value"
	}
	v, err := t.Number(column)
	if err != nil {
		return r, false, err
	}
	measured, known := v.Get()
	if r.Flag, err = flag(t.Text("flag")); err != nil || !known || r.Flag == nhip.FlagMissing {
		return r, false, err
	}
	q, isKnown := nhip.ParseQuantity(t.Text("quantity"))
	if !isKnown {
		return r, false, nhip.Errorf(nhip.CodeUnknownField, "quantity", "%q is not a known quantity",
			decode.Clip(t.Text("quantity")))
	}
	r.Quantity = q
	if r.Value, err = decode.Convert(q, measured, t.Text("unit")); err != nil {
		return r, false, err
	}
	r.Station = t.Text("station")
	if r.Station == "" {
		r.Station = decode.Device(in.Topic)
	}
	if r.Time, r.Period, err = periodOf(t, in); err != nil {
		return r, false, err
	}
	r.Point, r.Origin = t.Place(in, "lat", "lon"), nhip.Origin(t.Text("origin"))
	return r, true, nil
}

func flag(text string) (nhip.Flag, error) {
	switch text {
	case "":
		return nhip.FlagNotEvaluated, nil
	case "1", "2", "3", "4", "9":
		n, _ := strconv.Atoi(text)
		return nhip.Flag(n), nil
	}
	return 0, nhip.Errorf(nhip.CodeOutOfRange, "flag", "must be 1, 2, 3, 4 or 9, got %q", decode.Clip(text))
}

// periodOf returns the END and the length of the averaging period.
func periodOf(t *decode.Table, in *decode.Input) (end time.Time, period time.Duration, err error) {
	period = in.Feed.PeriodOr(time.Hour)
	if t.Has("date") {
		period = 24 * time.Hour
	}
	if text := t.Text("period"); text != "" {
		if period, err = nhip.ParsePeriod(text); err != nil {
			return end, 0, err
		}
	}
	if !t.Has("date") {
		end, err = time.Parse(time.RFC3339Nano, t.Text("time"))
		if err != nil {
			return end, 0, nhip.Errorf(nhip.CodeMalformed, "time",
				"must be RFC 3339 with its offset, as in 2026-02-16T08:00:00+07:00, got %q", decode.Clip(t.Text("time")))
		}
		return end.UTC().Truncate(time.Millisecond), period, nil
	}
	day, err := time.Parse("2006-01-02-07:00", t.Text("date")+t.Text("utc_offset"))
	if err != nil {
		return end, 0, nhip.Errorf(nhip.CodeMalformed, "date",
			"must be a date with a utc_offset, as in 2026-02-16 and +07:00, got %q and %q",
			decode.Clip(t.Text("date")), decode.Clip(t.Text("utc_offset")))
	}
	return day.AddDate(0, 0, 1).UTC(), period, nil
}
