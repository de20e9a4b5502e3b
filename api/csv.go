package api

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"nhip"
)

// startCSV sets the headers of a CSV answer that a browser keeps as a file.
func startCSV(h http.Header, name string) {
	h.Set("Content-Type", formCSV+"; charset=utf-8")
	h.Set("Content-Disposition", attachment(name, ".csv"))
}

// attachment tells a browser to keep an answer as a file.
func attachment(name, ext string) string {
	return "attachment; filename*=UTF-8''" + url.PathEscape(name) + ext
}

// byteOrderMark tells spreadsheets that a CSV is UTF-8; without it they read µ and đ as noise.
const byteOrderMark = "\ufeff"

// The columns of each list.
const (
	busColumns     = "id,agency,route,line,headsign,direction,lat,lon,speed,bearing,distance_m,time,age_s,state,occupancy,origin\n"
	stationColumns = "station,lat,lon,quantity,value,unit,period,time,age_s,state,flag,origin,aqi_scale,aqi,aqi_level\n"
)

// row writes the cells of one row.
type row struct{ b []byte }

func (r *row) raw(s string) { r.b = append(append(r.b, s...), ',') }

func (r *row) text(s string) { r.b = append(appendCSV(r.b, s), ',') }

func (r *row) number(f, unit float64) { r.b = append(appendRounded(r.b, f, unit), ',') }

func (r *row) optional(v nhip.Opt[float64]) {
	if f, ok := v.Get(); ok {
		r.b = appendFloat(r.b, f)
	}
	r.b = append(r.b, ',')
}

func (r *row) time(t time.Time) { r.b = append(t.AppendFormat(r.b, time.RFC3339Nano), ',') }

func (r *row) age(t, now time.Time) { r.number(max(0, now.Sub(t).Seconds()), 10) }

// end turns the last comma into the row's end.
func (r *row) end() []byte {
	r.b[len(r.b)-1] = '\n'
	return r.b
}

// appendBusCSV appends a bus as a row; metres is its distance from the asker, or negative.
func appendBusCSV(b []byte, bus *nhip.Bus, now time.Time, metres float64) []byte {
	r := row{b}
	r.text(bus.ID)
	r.text(bus.Agency)
	r.text(bus.Route)
	r.text(bus.Line)
	r.text(bus.Headsign)
	if d, ok := bus.Direction.Get(); ok {
		r.b = strconv.AppendInt(r.b, int64(d), 10)
	}
	r.raw("")
	r.number(bus.Lat, degrees)
	r.number(bus.Lon, degrees)
	r.optional(bus.Speed)
	r.optional(bus.Bearing)
	if metres >= 0 {
		r.number(metres, 10)
	} else {
		r.raw("")
	}
	r.time(bus.Time)
	r.age(bus.Time, now)
	r.raw(string(bus.State(now)))
	r.raw(string(bus.Occupancy))
	r.raw(string(bus.Origin))
	return r.end()
}

// appendStationCSV appends a station as a row for each of its quantities.
func appendStationCSV(b []byte, s *nhip.Station, scale nhip.Scale, now time.Time) []byte {
	index, _, indexed := stationIndex(s, scale, now)
	for _, q := range quantities(s) {
		v := s.Values[q]
		r := row{b}
		r.text(s.ID)
		r.optional(s.Lat)
		r.optional(s.Lon)
		r.raw(string(q))
		r.optional(nhip.Some(v.Value))
		r.raw(q.Unit())
		r.raw(nhip.FormatPeriod(time.Duration(v.Period * float64(time.Second))))
		r.time(v.Time)
		r.age(v.Time, now)
		r.raw(string(s.ValueState(v, now)))
		r.raw(strconv.Itoa(int(v.Flag)))
		r.raw(string(s.Origin))
		r.raw(string(scale))
		if indexed {
			r.number(index.Value, 100)
			r.text(index.Level.Name.Vi)
		} else {
			r.raw("")
			r.raw("")
		}
		b = r.end()
	}
	return b
}

// appendCSV quotes a text where RFC 4180 asks for it. A text that a spreadsheet would take for a
// formula is quoted with an apostrophe before it: a station's name must not run on an analyst's desk.
func appendCSV(b []byte, s string) []byte {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		s = "'" + s
	}
	if !strings.ContainsAny(s, "\",\n\r") {
		return append(b, s...)
	}
	b = append(b, '"')
	b = append(b, strings.ReplaceAll(s, `"`, `""`)...)
	return append(b, '"')
}
