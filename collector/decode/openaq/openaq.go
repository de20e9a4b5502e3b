// Package openaq decodes data of OpenAQ, for imports. There are two forms, which are recognized by their content.
//
// API: responses of /sensors/{id}/measurements, /hours and /days, version 3.
//
//	topic    nhip/in/import/openaq/<station>
//	payload  {"results":[{"period":{"interval":"01:00:00","datetimeTo":{"utc":"2023-10-16T13:00:00+00:00"}},
//	          "value":6,"parameter":{"name":"pm25","units":"µg/m³"},"coordinates":null}]}
//
// Archive: a file of the open-data bucket, which must be unpacked before it is sent.
//
//	payload  "location_id","sensors_id","location","datetime","lat","lon","parameter","units","value"
//	         2178,3917,"Del Norte-2178","2023-10-16T07:00:00-06:00",35.1353,-106.5847,"pm25","µg/m³",6
//
// Responses of the API do not contain the location of the sensor, so the station is the last level of the topic. Files
// of the archive contain it, and the station is "openaq-" and its number.
//
// Traps of the format:
//
//   - datetimeTo, and datetime in the archive, is the END of the period. The archive does not contain the period: it is
//     an hour unless the feed declares another.
//   - Gases are in ppm as often as in µg/m³; the units are read, never assumed.
//   - Some sources write -999 or similar numbers if there is no value; these are rejected, whatever the unit.
//   - Only means are read. The other numbers of the API (summary, coverage) are skipped, because the platform computes
//     its own.
package openaq

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"nhip"
	"nhip/collector/decode"

	"github.com/paulmach/orb"
)

// Decoder decodes measurements of OpenAQ.
var Decoder = decode.Decoder{Format: "openaq", Version: 2, Decode: read}

func read(in decode.Input, out *nhip.Facts) error {
	if trimmed := bytes.TrimLeft(in.Payload, " \t\r\n\xef\xbb\xbf"); len(trimmed) > 0 && trimmed[0] == '{' {
		return readAPI(&in, out)
	}
	return readArchive(&in, out)
}

// measurement is a measurement in a response of the API.
type measurement struct {
	Period struct {
		Interval   string `json:"interval"`
		DatetimeTo struct {
			UTC string `json:"utc"`
		} `json:"datetimeTo"`
	} `json:"period"`
	Value     *float64 `json:"value"`
	Parameter struct {
		Name  string `json:"name"`
		Units string `json:"units"`
	} `json:"parameter"`
	Coordinates json.RawMessage `json:"coordinates"` // optional, so it is decoded apart
}

// coordinates is the place of a measurement.
type coordinates struct {
	Latitude  *float64 `json:"latitude"`
	Longitude *float64 `json:"longitude"`
}

func readAPI(in *decode.Input, out *nhip.Facts) error {
	var page struct {
		Results []json.RawMessage `json:"results"` // decoded one by one, so that a faulty one costs only itself
	}
	if err := json.Unmarshal(in.Payload, &page); err != nil {
		return nhip.Errorf(nhip.CodeMalformed, "", "is not a response of OpenAQ: %s",
			strings.TrimPrefix(err.Error(), "json: "))
	}
	if page.Results == nil {
		return nhip.Errorf(nhip.CodeMissing, "results", "is required")
	}
	faults := in.Faults()
	for i := range page.Results {
		out.BeginRow("results[", i, "]")
		r, ok, err := readResult(in, page.Results[i], "results["+strconv.Itoa(i)+"]")
		switch {
		case err != nil:
			faults.Reject(decode.InRow("results["+strconv.Itoa(i)+"]", err))
		case ok:
			out.Readings = append(out.Readings, r)
		}
	}
	return nil
}

// readResult decodes a measurement; ok is false if it has no value.
func readResult(in *decode.Input, raw json.RawMessage, name string) (r nhip.Reading, ok bool, err error) {
	var m measurement
	if err := json.Unmarshal(raw, &m); err != nil {
		return r, false, notDecoded(err)
	}
	r, ok, err = m.reading(decode.Device(in.Topic))
	if err != nil || !ok || len(m.Coordinates) == 0 {
		return r, ok, err
	}
	var c *coordinates
	if err := json.Unmarshal(m.Coordinates, &c); err != nil {
		in.DropField(name, "coordinates", notDecoded(err))
	} else if c != nil && c.Latitude != nil && c.Longitude != nil {
		r.Point = nhip.Some(orb.Point{*c.Longitude, *c.Latitude})
	}
	return r, ok, nil
}

// notDecoded returns the error of a value of the wrong type, with its field.
func notDecoded(err error) error {
	var wrong *json.UnmarshalTypeError
	if !errors.As(err, &wrong) {
		return nhip.Errorf(nhip.CodeMalformed, "", "is not valid: %s", strings.TrimPrefix(err.Error(), "json: "))
	}
	return nhip.Errorf(nhip.CodeMalformed, wrong.Field, "must not be a %s", wrong.Value)
}

// reading converts a measurement without its place; ok is false if it has no value.
func (m *measurement) reading(station string) (r nhip.Reading, ok bool, err error) {
	if m.Value == nil {
		return r, false, nil
	}
	r = nhip.Reading{Station: station, Flag: nhip.FlagNotEvaluated}
	if r.Quantity, err = quantity(m.Parameter.Name); err != nil {
		return r, false, err
	}
	if r.Value, err = decode.Convert(r.Quantity, *m.Value, m.Parameter.Units); err != nil {
		return r, false, err
	}
	if r.Period, err = parseInterval(m.Period.Interval); err != nil {
		return r, false, err
	}
	if r.Time, err = parseTime("period.datetimeTo.utc", m.Period.DatetimeTo.UTC); err != nil {
		return r, false, err
	}
	return r, true, nil
}

// parseInterval parses hours, minutes and seconds as in "01:00:00".
func parseInterval(text string) (time.Duration, error) {
	parts := strings.Split(text, ":")
	total := time.Duration(0)
	for _, part := range parts {
		n, err := strconv.ParseUint(part, 10, 16)
		if err != nil || len(parts) != 3 {
			return 0, nhip.Errorf(nhip.CodeMalformed, "period.interval",
				"must be like 01:00:00, got %q", decode.Clip(text))
		}
		total = total*60 + time.Duration(n)*time.Second
	}
	return total, nil
}

func parseTime(field, text string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return t, nhip.Errorf(nhip.CodeMalformed, field, "must be RFC 3339, got %q", decode.Clip(text))
	}
	return t.UTC().Truncate(time.Millisecond), nil
}

func quantity(name string) (nhip.Quantity, error) {
	if name == "relativehumidity" {
		return nhip.Humidity, nil
	}
	q, ok := nhip.ParseQuantity(name)
	if !ok {
		return "", nhip.Errorf(nhip.CodeUnknownField, "parameter", "%q is not a known quantity", decode.Clip(name))
	}
	return q, nil
}

func readArchive(in *decode.Input, out *nhip.Facts) error {
	t, err := decode.NewTable(in, []string{"location_id", "datetime", "parameter", "units", "value"}, nil, true)
	if err != nil {
		return err
	}
	period := in.Feed.PeriodOr(time.Hour)
	t.Each(out, func() error {
		r, ok, err := archiveReading(in, t, period)
		if err == nil && ok {
			out.Readings = append(out.Readings, r)
		}
		return err
	})
	return nil
}

// archiveReading reads one row of an archive file; ok is false if it has no value.
func archiveReading(in *decode.Input, t *decode.Table, period time.Duration) (r nhip.Reading, ok bool, err error) {
	v, err := t.Number("value")
	if err != nil {
		return r, false, err
	}
	measured, known := v.Get()
	if !known {
		return r, false, nil
	}
	if t.Text("location_id") == "" {
		return r, false, nhip.Errorf(nhip.CodeMissing, "location_id", "is required")
	}
	r = nhip.Reading{Station: "openaq-" + t.Text("location_id"), Period: period, Flag: nhip.FlagNotEvaluated}
	if r.Quantity, err = quantity(t.Text("parameter")); err != nil {
		return r, false, err
	}
	if r.Value, err = decode.Convert(r.Quantity, measured, t.Text("units")); err != nil {
		return r, false, err
	}
	if r.Time, err = parseTime("datetime", t.Text("datetime")); err != nil {
		return r, false, err
	}
	r.Point = t.Place(in, "lat", "lon")
	return r, true, nil
}
