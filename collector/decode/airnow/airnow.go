// Package airnow decodes the files in which AirNow keeps what the monitors of the US embassies measured, for
// imports.
//
//	topic    nhip/in/import/airnow/<any name>
//	payload  Site,Parameter,Date (LT),Year,Month,Day,Hour,NowCast Conc.,AQI,AQI Category,Raw Conc.,Conc. Unit,Duration,QC Name
//	         Hanoi,PM2.5 - Principal,2018-01-01 01:00 AM,2018,01,01,01,68.9,158,Unhealthy,69.2,UG/M3,1 Hr,Valid
//
// The station is "airnow-" and the site in small letters: airnow-hanoi. The value is Raw Conc.; what AirNow made of
// it, NowCast and AQI, is left out and made again.
//
// Traps of the format:
//
//   - Date (LT) is local time without an offset, and the END of the hour. The feed's zone says which; without one
//     it is UTC+7, Hanoi's.
//   - The day ends with 12:00 AM of the next.
//   - The computer that wrote the files changes its clocks as the United States do. On the second Sunday of March
//     it calls the hour that ends at 02:00 in Hanoi 03:00, so that 03:00 stands twice in a row: the first of the
//     two is 02:00.
//   - -999 is no value. So is whatever stands in a row whose QC Name is Missing.
//   - QC Name: Valid is good, Suspect suspect, and Invalid fails; such a value is kept all the same.
//   - Negative values down to -4 are valid: the instrument's noise.
//
// A file may be cut anywhere between lines; each part begins with the line of names.
package airnow

import (
	"strings"
	"time"

	"nhip"
	"nhip/collector/decode"
)

// Decoder reads AirNow's files.
var Decoder = decode.Decoder{Format: "airnow", Version: 1, Decode: read}

// hanoi is where clocks hang when the feed names no zone.
var hanoi = time.FixedZone("UTC+7", 7*60*60)

// The columns that are looked at.
const (
	site      = "Site"
	parameter = "Parameter"
	date      = "Date (LT)"
	value     = "Raw Conc."
	unit      = "Conc. Unit"
	duration  = "Duration"
	qc        = "QC Name"
)

// none stands for no value, and everything below it.
const none = -900

func read(in decode.Input, out *nhip.Facts) error {
	t, err := decode.NewTable(&in, []string{site, parameter, date, value, unit, duration, qc}, nil, true)
	if err != nil {
		return err
	}
	zone := in.Feed.Zone
	if zone == nil {
		zone = hanoi
	}
	t.Each(func() error {
		r, ok, err := reading(t, zone)
		if err != nil || !ok {
			return err
		}
		if n := len(out.Readings); n > 0 && springForward(&out.Readings[n-1], &r, zone) {
			out.Readings[n-1].Time = r.Time.Add(-time.Hour)
		}
		out.Readings = append(out.Readings, r)
		return nil
	})
	return nil
}

// springForward reports whether two rows in a row are those to which clocks that were put forward gave one stamp.
func springForward(before, r *nhip.Reading, zone *time.Location) bool {
	at := r.Time.In(zone)
	_, month, day := at.Date()
	return before.Time.Equal(r.Time) && before.Station == r.Station && before.Quantity == r.Quantity &&
		month == time.March && at.Weekday() == time.Sunday && day >= 8 && day <= 14 && at.Hour() == 3
}

// reading reads one row; ok is false for one without a value.
func reading(t *decode.Table, zone *time.Location) (r nhip.Reading, ok bool, err error) {
	if r.Flag, ok, err = flag(t.Text(qc)); err != nil || !ok {
		return r, false, err
	}
	v, err := t.Number(value)
	if err != nil {
		return r, false, err
	}
	measured, known := v.Get()
	if !known || measured <= none {
		return r, false, nil
	}
	if r.Station, err = station(t.Text(site)); err != nil {
		return r, false, err
	}
	if r.Quantity, err = quantity(t.Text(parameter)); err != nil {
		return r, false, err
	}
	if r.Value, err = decode.Convert(r.Quantity, measured, t.Text(unit)); err != nil {
		return r, false, err
	}
	if r.Period, err = period(t.Text(duration)); err != nil {
		return r, false, err
	}
	at, err := time.ParseInLocation("2006-01-02 03:04 PM", t.Text(date), zone)
	if err != nil {
		return r, false, nhip.Errorf(nhip.Malformed, date, `must be as in "2018-01-01 01:00 AM", got %q`, decode.Clip(t.Text(date)))
	}
	r.Time = at.UTC()
	return r, true, nil
}

func flag(name string) (f nhip.Flag, ok bool, err error) {
	switch name {
	case "Valid":
		return nhip.Good, true, nil
	case "Suspect":
		return nhip.Suspect, true, nil
	case "Invalid":
		return nhip.Fail, true, nil
	case "Missing":
		return 0, false, nil
	}
	return 0, false, nhip.Errorf(nhip.Malformed, qc, "must be Valid, Suspect, Invalid or Missing, got %q", decode.Clip(name))
}

func station(name string) (string, error) {
	if name == "" {
		return "", nhip.Errorf(nhip.Missing, site, "is required")
	}
	return "airnow-" + strings.ReplaceAll(strings.ToLower(name), " ", "-"), nil
}

// quantity reads "PM2.5 - Principal": what is measured, and which instrument of the site does.
func quantity(name string) (nhip.Quantity, error) {
	what, _, _ := strings.Cut(name, " - ")
	switch strings.ToUpper(strings.TrimSpace(what)) {
	case "PM2.5":
		return nhip.PM25, nil
	case "PM10":
		return nhip.PM10, nil
	case "OZONE", "O3":
		return nhip.O3, nil
	case "NO2":
		return nhip.NO2, nil
	case "SO2":
		return nhip.SO2, nil
	case "CO":
		return nhip.CO, nil
	}
	return "", nhip.Errorf(nhip.UnknownField, parameter, "%q is no quantity that is known", decode.Clip(name))
}

func period(text string) (time.Duration, error) {
	switch text {
	case "1 Hr":
		return time.Hour, nil
	case "24 Hr":
		return 24 * time.Hour, nil
	}
	return 0, nhip.Errorf(nhip.Malformed, duration, "must be 1 Hr or 24 Hr, got %q", decode.Clip(text))
}
