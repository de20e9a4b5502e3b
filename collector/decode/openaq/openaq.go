// Package openaq decodes what OpenAQ keeps, for imports. Two forms exist; the content tells which it is.
//
// API: what v3's /sensors/{id}/measurements, /hours and /days answer.
//
//	topic    nhip/in/import/openaq/<station>
//	payload  {"results":[{"period":{"interval":"01:00:00","datetimeTo":{"utc":"2023-10-16T13:00:00+00:00"}},
//	          "value":6,"parameter":{"name":"pm25","units":"µg/m³"},"coordinates":null}]}
//
// Archive: a file of the open-data bucket, which is unpacked before it is sent.
//
//	payload  "location_id","sensors_id","location","datetime","lat","lon","parameter","units","value"
//	         2178,3917,"Del Norte-2178","2023-10-16T07:00:00-06:00",35.1353,-106.5847,"pm25","µg/m³",6
//
// The API does not say which location a sensor belongs to, so the station is the topic's last level; an archive
// names it, and the station is "openaq-" and its number.
//
// Traps of the format:
//
//   - datetimeTo, and the archive's datetime, is the END of the period. The archive does not tell the period: it is
//     an hour unless the feed declares another.
//   - Gases are ppm as often as µg/m³; the units are read, never assumed.
//   - -999 and its like stand in some sources' data for no value; they are turned away as out of range.
//   - Only hours and shorter or longer means are readings: the API's other numbers (summary, coverage) are left
//     out and made again.
package openaq

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"nhip"
	"nhip/collector/decode"

	"github.com/paulmach/orb"
)

// Decoder reads OpenAQ's measurements.
var Decoder = decode.Decoder{Format: "openaq", Version: 1, Decode: read}

func read(in decode.Input, out *nhip.Facts) error {
	if trimmed := bytes.TrimLeft(in.Payload, " \t\r\n\xef\xbb\xbf"); len(trimmed) > 0 && trimmed[0] == '{' {
		return readAPI(&in, out)
	}
	return readArchive(&in, out)
}

// measurement is what is looked at of one.
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
	Coordinates *struct {
		Latitude  float64 `json:"latitude"`
		Longitude float64 `json:"longitude"`
	} `json:"coordinates"`
}

func readAPI(in *decode.Input, out *nhip.Facts) error {
	var page struct {
		Results []measurement `json:"results"`
	}
	if err := json.Unmarshal(in.Payload, &page); err != nil {
		return nhip.Errorf(nhip.Malformed, "", "is no answer of OpenAQ: %s", strings.TrimPrefix(err.Error(), "json: "))
	}
	if page.Results == nil {
		return nhip.Errorf(nhip.Missing, "results", "is required")
	}
	faults := in.Faults()
	for i := range page.Results {
		r, ok, err := page.Results[i].reading(decode.Device(in.Topic))
		switch {
		case err != nil:
			faults.Reject(decode.Within("results["+strconv.Itoa(i)+"]", err))
		case ok:
			out.Readings = append(out.Readings, r)
		}
	}
	return nil
}

// reading reads one measurement; ok is false for one without a value.
func (m *measurement) reading(station string) (r nhip.Reading, ok bool, err error) {
	if m.Value == nil {
		return r, false, nil
	}
	r = nhip.Reading{Station: station, Flag: nhip.NotEvaluated}
	if r.Quantity, err = quantity(m.Parameter.Name); err != nil {
		return r, false, err
	}
	if r.Value, err = decode.Convert(r.Quantity, *m.Value, m.Parameter.Units); err != nil {
		return r, false, err
	}
	if r.Period, err = interval(m.Period.Interval); err != nil {
		return r, false, err
	}
	if r.Time, err = moment("period.datetimeTo.utc", m.Period.DatetimeTo.UTC); err != nil {
		return r, false, err
	}
	if m.Coordinates != nil {
		r.Point = nhip.Some(orb.Point{m.Coordinates.Longitude, m.Coordinates.Latitude})
	}
	return r, true, nil
}

// interval reads "01:00:00": hours, minutes and seconds.
func interval(text string) (time.Duration, error) {
	parts := strings.Split(text, ":")
	total := time.Duration(0)
	for _, part := range parts {
		n, err := strconv.ParseUint(part, 10, 16)
		if err != nil || len(parts) != 3 {
			return 0, nhip.Errorf(nhip.Malformed, "period.interval", "must be as in 01:00:00, got %q", decode.Clip(text))
		}
		total = total*60 + time.Duration(n)*time.Second
	}
	return total, nil
}

func moment(field, text string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return t, nhip.Errorf(nhip.Malformed, field, "must be RFC 3339, got %q", decode.Clip(text))
	}
	return t.UTC().Truncate(time.Millisecond), nil
}

func quantity(name string) (nhip.Quantity, error) {
	if name == "relativehumidity" {
		return nhip.Humidity, nil
	}
	q, ok := nhip.ParseQuantity(name)
	if !ok {
		return "", nhip.Errorf(nhip.UnknownField, "parameter", "%q is no quantity that is known", decode.Clip(name))
	}
	return q, nil
}

func readArchive(in *decode.Input, out *nhip.Facts) error {
	t, err := decode.NewTable(in, []string{"location_id", "datetime", "parameter", "units", "value"}, nil, true)
	if err != nil {
		return err
	}
	period := in.Feed.PeriodOr(time.Hour)
	t.Each(func() error {
		r, ok, err := archived(t, period)
		if err == nil && ok {
			out.Readings = append(out.Readings, r)
		}
		return err
	})
	return nil
}

func archived(t *decode.Table, period time.Duration) (r nhip.Reading, ok bool, err error) {
	v, err := t.Number("value")
	if err != nil {
		return r, false, err
	}
	measured, known := v.Get()
	if !known {
		return r, false, nil
	}
	if t.Text("location_id") == "" {
		return r, false, nhip.Errorf(nhip.Missing, "location_id", "is required")
	}
	r = nhip.Reading{Station: "openaq-" + t.Text("location_id"), Period: period, Flag: nhip.NotEvaluated}
	if r.Quantity, err = quantity(t.Text("parameter")); err != nil {
		return r, false, err
	}
	if r.Value, err = decode.Convert(r.Quantity, measured, t.Text("units")); err != nil {
		return r, false, err
	}
	if r.Time, err = moment("datetime", t.Text("datetime")); err != nil {
		return r, false, err
	}
	lat, err := t.Number("lat")
	if err != nil {
		return r, false, err
	}
	lon, err := t.Number("lon")
	if err != nil {
		return r, false, err
	}
	if lat.Known() && lon.Known() {
		r.Point = nhip.Some(orb.Point{lon.Or(0), lat.Or(0)})
	}
	return r, true, nil
}
