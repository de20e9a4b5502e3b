// Package airnow decodes files of AirNow with the measurements of monitors at US embassies, for imports.
//
//	topic    nhip/in/import/airnow/<any name>
//	payload  Site,Parameter,Date (LT),Year,Month,Day,Hour,NowCast Conc.,AQI,AQI Category,Raw Conc.,Conc. Unit,
//	         Duration,QC Name
//	         Hanoi,PM2.5 - Principal,2018-01-01 01:00 AM,2018,01,01,01,68.9,158,Unhealthy,69.2,UG/M3,1 Hr,Valid
//
// The station is "airnow-" and the site in lower case: airnow-hanoi. The value is Raw Conc.; NowCast and AQI are not
// read, because the platform computes its own.
//
// Traps of the format:
//
//   - Date (LT) is the local time of the END of the hour, without an offset. It is read in the feed's zone, or at UTC+7
//     (Hanoi) without one.
//   - The last hour of a day ends at 12:00 AM of the next day.
//   - The files were written with the daylight saving time of the United States. On the second Sunday of March the hour
//     that ends at 02:00 in Hanoi is written as 03:00, so that 03:00 occurs twice in a row: the first one is 02:00.
//   - -999 means that there is no value, and so does the QC Name Missing.
//   - QC Name: Valid becomes good, Suspect suspect, and Invalid fail; all of these values are kept.
//   - Negative values down to -4 are valid, because of the noise of the instrument.
//
// A file may be split between lines if each part begins with the header line.
package airnow

import (
	"strings"
	"time"

	"nhip"
	"nhip/collector/decode"
)

// Decoder decodes files of AirNow.
var Decoder = decode.Decoder{Format: "airnow", Version: 1, Decode: read}

// hanoi is the zone of feeds without one.
var hanoi = time.FixedZone("UTC+7", 7*60*60)

// The columns that are read.
const (
	site      = "Site"
	parameter = "Parameter"
	date      = "Date (LT)"
	value     = "Raw Conc."
	unit      = "Conc. Unit"
	duration  = "Duration"
	qc        = "QC Name"
)

// noValue is the largest number that means that there is no value.
const noValue = -900

func read(in decode.Input, out *nhip.Facts) error {
	t, err := decode.NewTable(&in, []string{site, parameter, date, value, unit, duration, qc}, nil, true)
	if err != nil {
		return err
	}
	zone := in.Feed.Zone
	if zone == nil {
		zone = hanoi
	}
	t.Each(out, func() error {
		r, ok, err := reading(t, zone)
		if err != nil || !ok {
			return err
		}
		if n := len(out.Readings); n > 0 && repeatedHour(&out.Readings[n-1], &r, zone) {
			out.Readings[n-1].Time = r.Time.Add(-time.Hour)
		}
		out.Readings = append(out.Readings, r)
		return nil
	})
	return nil
}

// repeatedHour reports whether two consecutive rows have the same time because of the clock change in March.
func repeatedHour(before, r *nhip.Reading, zone *time.Location) bool {
	at := r.Time.In(zone)
	_, month, day := at.Date()
	return before.Time.Equal(r.Time) && before.Station == r.Station && before.Quantity == r.Quantity &&
		month == time.March && at.Weekday() == time.Sunday && day >= 8 && day <= 14 && at.Hour() == 3
}

// reading reads one row; ok is false if it has no value.
func reading(t *decode.Table, zone *time.Location) (r nhip.Reading, ok bool, err error) {
	if r.Flag, ok, err = flag(t.Text(qc)); err != nil || !ok {
		return r, false, err
	}
	v, err := t.Number(value)
	if err != nil {
		return r, false, err
	}
	measured, known := v.Get()
	if !known || measured <= noValue {
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
		return r, false, nhip.Errorf(nhip.CodeMalformed, date,
			`must be like "2018-01-01 01:00 AM", got %q`, decode.Clip(t.Text(date)))
	}
	r.Time = at.UTC()
	return r, true, nil
}

func flag(name string) (f nhip.Flag, ok bool, err error) {
	switch name {
	case "Valid":
		return nhip.FlagGood, true, nil
	case "Suspect":
		return nhip.FlagSuspect, true, nil
	case "Invalid":
		return nhip.FlagFail, true, nil
	case "Missing":
		return 0, false, nil
	}
	return 0, false, nhip.Errorf(nhip.CodeMalformed, qc, "must be Valid, Suspect, Invalid or Missing, got %q",
		decode.Clip(name))
}

func station(name string) (string, error) {
	if name == "" {
		return "", nhip.Errorf(nhip.CodeMissing, site, "is required")
	}
	return "airnow-" + strings.ReplaceAll(strings.ToLower(name), " ", "-"), nil
}

// quantity parses a parameter such as "PM2.5 - Principal": the quantity, and the instrument of the site.
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
	return "", nhip.Errorf(nhip.CodeUnknownField, parameter, "%q is not a known quantity", decode.Clip(name))
}

func period(text string) (time.Duration, error) {
	switch text {
	case "1 Hr":
		return time.Hour, nil
	case "24 Hr":
		return 24 * time.Hour, nil
	}
	return 0, nhip.Errorf(nhip.CodeMalformed, duration, "must be 1 Hr or 24 Hr, got %q", decode.Clip(text))
}
