package v1

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"nhip"
	"nhip/api/catalog"
	"nhip/api/encode"
	"nhip/api/rest"
	"nhip/geo/aqi"
)

// Columns of the lists.
const (
	busColumns = "id,agency,route,line,headsign,direction,lat,lon,speed,bearing,distance_m,time,age_s,state," +
		"occupancy,origin\n"
	stationColumns = "station,lat,lon,quantity,value,unit,period,time,age_s,state,flag,origin,aqi_scale,aqi,aqi_level\n"
)

// appendBusCSV appends a bus as a row. metres is its distance from the place of the query; a negative one is omitted.
func appendBusCSV(b []byte, bus *nhip.Bus, now time.Time, metres float64) []byte {
	r := rest.NewCSVRow(b)
	r.Text(bus.ID)
	r.Text(bus.Agency)
	r.Text(bus.Route)
	r.Text(bus.Line)
	r.Text(bus.Headsign)
	if d, ok := bus.Direction.Get(); ok {
		r.Integer(int64(d))
	} else {
		r.Raw("")
	}
	r.Number(bus.Lat, encode.DegreeSteps)
	r.Number(bus.Lon, encode.DegreeSteps)
	r.Optional(bus.Speed)
	r.Optional(bus.Bearing)
	if metres >= 0 {
		r.Number(metres, 10)
	} else {
		r.Raw("")
	}
	r.Time(bus.Time)
	r.Age(bus.Time, now)
	r.Raw(string(bus.State(now)))
	r.Raw(string(bus.Occupancy))
	r.Raw(string(bus.Origin))
	return r.End()
}

// spanColumns are further columns of a list of all stations that exist.
const spanColumns = ",first_reading,last_reading\n"

// stationsCSV returns stations as CSV.
func stationsCSV(stations []catalog.Entry, q *stationsQuery) []byte {
	columns := stationColumns
	if q.listed {
		columns = strings.TrimSuffix(columns, "\n") + spanColumns
	}
	b := []byte(rest.ByteOrderMark + columns)
	for i := range stations {
		b = appendStationCSV(b, &stations[i], q)
	}
	return b
}

// appendStationCSV appends a row for each quantity of a station, or one row without values for a silent one.
func appendStationCSV(b []byte, e *catalog.Entry, q *stationsQuery) []byte {
	if e.MapState(q.now) == nhip.StateSilent {
		return appendSilentCSV(b, e, q)
	}
	s, scale, now := e.Station, q.scale, q.now
	index, _, indexed := aqi.StationIndex(s, scale, now)
	for _, quantity := range slices.Sorted(maps.Keys(s.Values)) {
		v := s.Values[quantity]
		r := rest.NewCSVRow(b)
		r.Text(s.ID)
		r.Optional(s.Lat)
		r.Optional(s.Lon)
		r.Raw(string(quantity))
		r.Optional(nhip.Some(v.Value))
		r.Raw(quantity.Unit())
		r.Raw(nhip.FormatPeriod(time.Duration(v.Period * float64(time.Second))))
		r.Time(v.Time)
		r.Age(v.Time, now)
		r.Raw(string(s.ValueState(v, now)))
		r.Raw(strconv.Itoa(int(v.Flag)))
		r.Raw(string(s.Origin))
		r.Raw(string(scale))
		if indexed {
			r.Number(index.Value, 100)
			r.Text(index.Category.Name.Vi)
		} else {
			r.Raw("")
			r.Raw("")
		}
		b = endStationRow(r, e, q)
	}
	return b
}

// appendSilentCSV appends the row of a station without values.
func appendSilentCSV(b []byte, e *catalog.Entry, q *stationsQuery) []byte {
	r := rest.NewCSVRow(b)
	r.Text(e.ID)
	r.Optional(e.Lat)
	r.Optional(e.Lon)
	for range 4 { // quantity to period
		r.Raw("")
	}
	if e.Last.IsZero() {
		r.Raw("")
		r.Raw("")
	} else {
		r.Time(e.Last)
		r.Age(e.Last, q.now)
	}
	r.Raw(string(nhip.StateSilent))
	for range 5 { // flag to aqi_level
		r.Raw("")
	}
	return endStationRow(r, e, q)
}

// endStationRow ends a row, after the time span of the readings if all stations that exist are listed.
func endStationRow(r *rest.CSVRow, e *catalog.Entry, q *stationsQuery) []byte {
	if !q.listed {
		return r.End()
	}
	for _, t := range []time.Time{e.First, e.Last} {
		if t.IsZero() {
			r.Raw("")
		} else {
			r.Time(t)
		}
	}
	return r.End()
}
