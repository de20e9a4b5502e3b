package tides

import (
	"context"
	"strconv"
	"time"

	"nhip"
	"nhip/api/rest"
)

// locationRow is a row of vehicle_locations. Its fields in their order are all columns of the specification.
type locationRow struct {
	ID                string    `parquet:"location_ping_id"`
	Date              *int32    `parquet:"service_date,optional,date"`
	Time              time.Time `parquet:"event_timestamp,timestamp(millisecond)"`
	Trip              *string   `parquet:"trip_id_performed,optional,dict"`
	Scheduled         *string   `parquet:"trip_id_scheduled,optional,dict"`
	Sequence          *int32    `parquet:"trip_stop_sequence,optional"`
	ScheduledSequence *int32    `parquet:"scheduled_stop_sequence,optional"`
	Vehicle           string    `parquet:"vehicle_id,dict"`
	Device            *string   `parquet:"device_id,optional,dict"`
	Pattern           *string   `parquet:"pattern_id,optional,dict"`
	Stop              *string   `parquet:"stop_id,optional,dict"`
	Status            *string   `parquet:"current_status,optional,dict"`
	Lat               *float64  `parquet:"latitude,optional"`
	Lon               *float64  `parquet:"longitude,optional"`
	Quality           *string   `parquet:"gps_quality,optional,dict"`
	Heading           *float64  `parquet:"heading,optional"`
	Speed             *float64  `parquet:"speed,optional"`
	Odometer          *float64  `parquet:"odometer,optional"`
	Deviation         *int32    `parquet:"schedule_deviation,optional"`
	HeadwayDeviation  *int32    `parquet:"headway_deviation,optional"`
	Type              *string   `parquet:"trip_type,optional,dict"`
	Relationship      *string   `parquet:"schedule_relationship,optional,dict"`
}

// Words of vehicle_locations.
const (
	stoppedAt   = "Stopped at"
	inTransitTo = "In transit to"
	poor        = "Poor" // a position that is dead-reckoned
)

// locations yields the rows of vehicle_locations, in order of time. What a vehicle sent from the first to the last stop
// of a trip belongs to the service date of the trip, and all else to the day of the calendar.
func (h *Handler) locations(ctx context.Context, q *query, yield func(*locationRow) error) error {
	p := newPerformed(q, true)
	err := h.History.DayArrivals(ctx, q.arrivals(), func(a nhip.Arrival) error {
		_, err := p.add(&a)
		return err
	})
	if err != nil {
		return err
	}
	from, to := p.span()
	date, fleet := dateNumber(q), p.vehicles()
	return h.History.DayPositions(ctx, q.travels(from, to), func(x nhip.Position) error {
		t := fleet[vehicleKey{x.Agency, x.Vehicle}].at(x.Time)
		of := q.dateAt(x.Time)
		if t != nil {
			of = t.date
		}
		if of != q.date {
			return nil
		}
		return yield(q.locationRow(&x, t, date))
	})
}

// span returns from when to when there may be locations of the service date.
func (p *performed) span() (from, to time.Time) {
	from, to = p.q.begin(), p.q.date.Add(1).At(0, p.q.zone).Add(-time.Millisecond)
	for _, t := range p.all {
		if t.date != p.q.date {
			continue
		}
		if t.begin.at.Before(from) {
			from = t.begin.at
		}
		if t.end.at.After(to) {
			to = t.end.at
		}
	}
	return from, to
}

// course is the trips of a vehicle in the order in which they began, and how far they are read.
type course struct {
	trips []*trip
	next  int // the first trip that has not begun
}

func (p *performed) vehicles() map[vehicleKey]*course {
	all := make(map[vehicleKey]*course)
	for _, t := range p.all {
		c := all[t.vehicleKey]
		if c == nil {
			c = new(course)
			all[t.vehicleKey] = c
		}
		c.trips = append(c.trips, t)
	}
	return all
}

// at returns the trip that the vehicle is on at a time, which must not be before that of the last call; nil for none.
// Of two that overlap, it is the one that began later.
func (c *course) at(now time.Time) *trip {
	if c == nil {
		return nil
	}
	for c.next < len(c.trips) && !c.trips[c.next].begin.at.After(now) {
		c.next++
	}
	for i := c.next - 1; i >= max(0, c.next-2); i-- {
		if !c.trips[i].end.at.Before(now) {
			return c.trips[i]
		}
	}
	return nil
}

// locationRow returns a position on a trip, or on none, as a row.
func (q *query) locationRow(x *nhip.Position, t *trip, date int32) *locationRow {
	r := &locationRow{
		ID:   x.Agency + "_" + x.Vehicle + "_" + strconv.FormatInt(x.Time.UnixMilli(), 10),
		Date: &date, Time: x.Time, Vehicle: vehicleKey{x.Agency, x.Vehicle}.vehicleID(), Stop: optional(x.NextStop),
		Heading: pointer(x.Bearing), Speed: pointer(x.Speed),
	}
	if at, known := x.Point.Get(); known {
		lon, lat := at.Lon(), at.Lat()
		r.Lat, r.Lon = &lat, &lon
	}
	if late, known := x.Delay.Get(); known {
		n := int32(late)
		r.Deviation = &n
	}
	if x.Estimated {
		r.Quality = optional(poor)
	}
	if t != nil {
		t.locate(r, x.Time, q)
	}
	if x.Stop != "" {
		r.Stop, r.Status = optional(x.Stop), optional(stoppedAt)
	} else if r.Stop != nil {
		r.Status = optional(inTransitTo)
	}
	return r
}

// locate sets where on the trip a location is: on the way to the next stop that the trip visited.
func (t *trip) locate(r *locationRow, now time.Time, q *query) {
	r.Trip, r.Scheduled, r.Pattern = &t.id, optional(t.scheduled), optional(t.patternID)
	r.Type = optional(inService)
	s := now.Sub(q.begin()) / time.Second
	for i := range t.visits {
		v := &t.visits[i]
		if time.Duration(v.at) < s {
			continue
		}
		n := int32(i + 1)
		r.Sequence = &n
		if t.pattern == nil || int(v.index) > t.pattern.Last() {
			return
		}
		stop := t.pattern.Stops[v.index].ID
		r.Stop = &stop
		if c := t.call(int(v.index), stop); c != nil && c.Sequence >= 0 {
			r.ScheduledSequence = &c.Sequence
		}
		return
	}
}

func (r *locationRow) cells(c *rest.CSVRow) {
	c.Text(r.ID)
	c.Raw(dateText(*r.Date))
	c.Raw(r.Time.UTC().Format(csvTime))
	texts(c, r.Trip, r.Scheduled)
	number(c, r.Sequence)
	number(c, r.ScheduledSequence)
	c.Text(r.Vehicle)
	texts(c, r.Device, r.Pattern, r.Stop, r.Status)
	floats(c, r.Lat, r.Lon)
	texts(c, r.Quality)
	floats(c, r.Heading, r.Speed, r.Odometer)
	number(c, r.Deviation)
	number(c, r.HeadwayDeviation)
	texts(c, r.Type, r.Relationship)
}
