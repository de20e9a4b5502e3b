// Package csvfile decodes our own table of readings, under the format's name "csv": what the api answers as CSV,
// and what anybody's history becomes with a spreadsheet.
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
//	mean       or value: a number; blank is no value
//	unit       default: the quantity's own, see docs/formats.md
//	period     as in 1h; default: the feed's, or an hour, for a date a day
//	station    default: the topic's last level
//	flag       QARTOD's 1, 2, 3, 4 or 9; default: 2, not evaluated. 9 is no value
//	lat, lon   WGS84 degrees, together or not at all
//	utc_offset as in +07:00
//
// min, max, p98, count, aqi, capture_pct, level, tests, raw, rule and state, which the api adds, are passed over: they are made
// again. Any other column is an error. A month is no averaging period and can't be imported.
//
// Traps. Excel writes semicolons and commas for points where the computer is Vietnamese: save as "CSV UTF-8" with
// English separators. It also turns 2026-02-16T08:00:00+07:00 into text of its own if one edits the cell.
package csvfile

import (
	"strconv"
	"time"

	"nhip"
	"nhip/collector/decode"

	"github.com/paulmach/orb"
)

// Decoder reads our own table.
var Decoder = decode.Decoder{Format: "csv", Version: 1, Decode: read}

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
			return nhip.Errorf(nhip.Missing, "line 1", "one of the columns %q and %q is required, and not both", either[0], either[1])
		}
	}
	t.Each(func() error {
		r, ok, err := reading(t, &in)
		if err == nil && ok {
			out.Readings = append(out.Readings, r)
		}
		return err
	})
	return nil
}

// reading reads one row; ok is false for one without a value.
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
	if r.Flag, err = flag(t.Text("flag")); err != nil || !known || r.Flag == nhip.MissingValue {
		return r, false, err
	}
	q, isKnown := nhip.ParseQuantity(t.Text("quantity"))
	if !isKnown {
		return r, false, nhip.Errorf(nhip.UnknownField, "quantity", "%q is not a known quantity", decode.Clip(t.Text("quantity")))
	}
	r.Quantity = q
	if r.Value, err = decode.Convert(q, measured, t.Text("unit")); err != nil {
		return r, false, err
	}
	r.Station = t.Text("station")
	if r.Station == "" {
		r.Station = decode.Device(in.Topic)
	}
	if r.Time, r.Period, err = when(t, in); err != nil {
		return r, false, err
	}
	r.Point, err = point(t)
	r.Origin = nhip.Origin(t.Text("origin"))
	return r, err == nil, err
}

func flag(text string) (nhip.Flag, error) {
	switch text {
	case "":
		return nhip.NotEvaluated, nil
	case "1", "2", "3", "4", "9":
		n, _ := strconv.Atoi(text) // it is one of these
		return nhip.Flag(n), nil
	}
	return 0, nhip.Errorf(nhip.OutOfRange, "flag", "must be 1, 2, 3, 4 or 9, got %q", decode.Clip(text))
}

// when returns the END of the period and its length.
func when(t *decode.Table, in *decode.Input) (end time.Time, period time.Duration, err error) {
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
			return end, 0, nhip.Errorf(nhip.Malformed, "time", "must be RFC 3339 with its offset, as in 2026-02-16T08:00:00+07:00, got %q", decode.Clip(t.Text("time")))
		}
		return end.UTC().Truncate(time.Millisecond), period, nil
	}
	day, err := time.Parse("2006-01-02-07:00", t.Text("date")+t.Text("utc_offset"))
	if err != nil {
		return end, 0, nhip.Errorf(nhip.Malformed, "date", "must be a day beside its utc_offset, as in 2026-02-16 and +07:00, got %q and %q", decode.Clip(t.Text("date")), decode.Clip(t.Text("utc_offset")))
	}
	return day.AddDate(0, 0, 1).UTC(), period, nil
}

func point(t *decode.Table) (nhip.Opt[orb.Point], error) {
	lat, err := t.Number("lat")
	if err != nil {
		return nhip.Opt[orb.Point]{}, err
	}
	lon, err := t.Number("lon")
	if err != nil {
		return nhip.Opt[orb.Point]{}, err
	}
	switch {
	case !lat.Known() && !lon.Known():
		return nhip.Opt[orb.Point]{}, nil
	case !lat.Known():
		return nhip.Opt[orb.Point]{}, nhip.Errorf(nhip.Missing, "lat", "is required beside lon")
	case !lon.Known():
		return nhip.Opt[orb.Point]{}, nhip.Errorf(nhip.Missing, "lon", "is required beside lat")
	}
	return nhip.Some(orb.Point{lon.Or(0), lat.Or(0)}), nil
}
