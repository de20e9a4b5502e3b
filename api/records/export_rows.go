package records

import (
	"strconv"
	"time"

	"nhip"
	"nhip/api/rest"
)

// arrivalRecord is an arrival in an export. Its fields in their order are the columns of a table.
type arrivalRecord struct {
	Time      time.Time  `json:"time" parquet:"time,timestamp(millisecond)"`
	Departed  *time.Time `json:"departed,omitempty" parquet:"departed,optional,timestamp(millisecond)"`
	Agency    string     `json:"agency" parquet:"agency,dict"`
	Vehicle   string     `json:"vehicle" parquet:"vehicle,dict"`
	Route     string     `json:"route" parquet:"route,dict"`
	Trip      string     `json:"trip,omitempty" parquet:"trip,dict"`
	StartDate string     `json:"start_date,omitempty" parquet:"start_date,dict"`
	StartTime string     `json:"start_time,omitempty" parquet:"start_time,dict"`
	Stop      string     `json:"stop" parquet:"stop,dict"`
	Index     int32      `json:"index" parquet:"index"`
	Delay     *int32     `json:"delay,omitempty" parquet:"delay,optional"`
	Inferred  bool       `json:"inferred" parquet:"inferred"`
	Origin    string     `json:"origin,omitempty" parquet:"origin,dict"`
}

func arrivalRecordOf(a *nhip.Arrival) *arrivalRecord {
	r := &arrivalRecord{
		Time: a.Time, Agency: a.Agency, Vehicle: a.Vehicle, Route: a.Route, Trip: a.Trip, StartDate: a.StartDate,
		StartTime: a.StartTime, Stop: a.Stop, Index: int32(a.Index), Delay: whole(a.Delay), Inferred: a.Inferred,
		Origin: string(a.Origin),
	}
	if !a.Departed.IsZero() {
		r.Departed = &a.Departed
	}
	return r
}

func (r *arrivalRecord) at() time.Time { return r.Time }

func (r *arrivalRecord) cells(c *rest.CSVRow) {
	c.Time(r.Time)
	if r.Departed != nil {
		c.Time(*r.Departed)
	} else {
		c.Raw("")
	}
	for _, text := range [...]string{r.Agency, r.Vehicle, r.Route, r.Trip, r.StartDate, r.StartTime, r.Stop} {
		c.Text(text)
	}
	c.Raw(strconv.Itoa(int(r.Index)))
	wholeCell(c, r.Delay)
	c.Raw(strconv.FormatBool(r.Inferred))
	c.Raw(r.Origin)
}

// positionRecord is a position in an export. Its fields in their order are the columns of a table.
type positionRecord struct {
	Time       time.Time `json:"time" parquet:"time,timestamp(millisecond)"`
	Agency     string    `json:"agency" parquet:"agency,dict"`
	Vehicle    string    `json:"vehicle" parquet:"vehicle,dict"`
	Lat        *float64  `json:"lat,omitempty" parquet:"lat,optional"`
	Lon        *float64  `json:"lon,omitempty" parquet:"lon,optional"`
	Speed      *float64  `json:"speed,omitempty" parquet:"speed,optional"`
	Bearing    *float64  `json:"bearing,omitempty" parquet:"bearing,optional"`
	Route      string    `json:"route,omitempty" parquet:"route,dict"`
	Line       string    `json:"line,omitempty" parquet:"line,dict"`
	Trip       string    `json:"trip,omitempty" parquet:"trip,dict"`
	Direction  *int32    `json:"direction,omitempty" parquet:"direction,optional"`
	StartDate  string    `json:"start_date,omitempty" parquet:"start_date,dict"`
	StartTime  string    `json:"start_time,omitempty" parquet:"start_time,dict"`
	NextStop   string    `json:"next_stop,omitempty" parquet:"next_stop,dict"`
	Stop       string    `json:"stop,omitempty" parquet:"stop,dict"`
	Occupancy  string    `json:"occupancy,omitempty" parquet:"occupancy,dict"`
	Passengers *int32    `json:"passengers,omitempty" parquet:"passengers,optional"`
	Delay      *int32    `json:"delay,omitempty" parquet:"delay,optional"`
	Estimated  bool      `json:"estimated" parquet:"estimated"`
	Origin     string    `json:"origin,omitempty" parquet:"origin,dict"`
}

func positionRecordOf(p *nhip.Position) *positionRecord {
	r := &positionRecord{
		Time: p.Time, Agency: p.Agency, Vehicle: p.Vehicle, Speed: pointer(p.Speed), Bearing: pointer(p.Bearing),
		Route: p.Route, Line: p.Line, Trip: p.Trip, Direction: whole(p.Direction), StartDate: p.StartDate,
		StartTime: p.StartTime, NextStop: p.NextStop, Stop: p.Stop, Occupancy: string(p.Occupancy),
		Passengers: whole(p.Passengers), Delay: whole(p.Delay), Estimated: p.Estimated, Origin: string(p.Origin),
	}
	if at, ok := p.Point.Get(); ok {
		lon, lat := at.Lon(), at.Lat()
		r.Lat, r.Lon = &lat, &lon
	}
	return r
}

func (r *positionRecord) at() time.Time { return r.Time }

func (r *positionRecord) cells(c *rest.CSVRow) {
	c.Time(r.Time)
	c.Text(r.Agency)
	c.Text(r.Vehicle)
	for _, v := range [...]*float64{r.Lat, r.Lon, r.Speed, r.Bearing} {
		if v != nil {
			c.Raw(strconv.FormatFloat(*v, 'f', -1, 64))
		} else {
			c.Raw("")
		}
	}
	c.Text(r.Route)
	c.Text(r.Line)
	c.Text(r.Trip)
	wholeCell(c, r.Direction)
	for _, text := range [...]string{r.StartDate, r.StartTime, r.NextStop, r.Stop, r.Occupancy} {
		c.Text(text)
	}
	wholeCell(c, r.Passengers)
	wholeCell(c, r.Delay)
	c.Raw(strconv.FormatBool(r.Estimated))
	c.Raw(r.Origin)
}

// whole returns nil for an unknown number.
func whole(v nhip.Opt[int]) *int32 {
	if n, ok := v.Get(); ok {
		i := int32(n)
		return &i
	}
	return nil
}

func wholeCell(c *rest.CSVRow, v *int32) {
	if v == nil {
		c.Raw("")
		return
	}
	c.Raw(strconv.Itoa(int(*v)))
}
