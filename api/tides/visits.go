package tides

import (
	"context"
	"time"

	"nhip"
	"nhip/api/rest"
	"nhip/geo/gtfs"
)

// visitRow is a row of stop_visits. Its fields in their order are all columns of the specification; those of which
// nothing is stored stay empty.
type visitRow struct {
	Date              int32      `parquet:"service_date,date"`
	Trip              string     `parquet:"trip_id_performed"`
	Sequence          int32      `parquet:"trip_stop_sequence"`
	ScheduledSequence *int32     `parquet:"scheduled_stop_sequence,optional"`
	Pattern           *string    `parquet:"pattern_id,optional,dict"`
	Vehicle           *string    `parquet:"vehicle_id,optional,dict"`
	Dwell             *int32     `parquet:"dwell,optional"`
	Stop              *string    `parquet:"stop_id,optional,dict"`
	Timepoint         *bool      `parquet:"timepoint,optional"`
	ScheduleArrival   *time.Time `parquet:"schedule_arrival_time,optional,timestamp(millisecond)"`
	ScheduleDeparture *time.Time `parquet:"schedule_departure_time,optional,timestamp(millisecond)"`
	Arrival           *time.Time `parquet:"actual_arrival_time,optional,timestamp(millisecond)"`
	Departure         *time.Time `parquet:"actual_departure_time,optional,timestamp(millisecond)"`
	Distance          *int32     `parquet:"distance,optional"`
	Boarding1         *int32     `parquet:"boarding_1,optional"`
	Alighting1        *int32     `parquet:"alighting_1,optional"`
	Boarding2         *int32     `parquet:"boarding_2,optional"`
	Alighting2        *int32     `parquet:"alighting_2,optional"`
	Load              *int32     `parquet:"departure_load,optional"`
	DoorOpen          *time.Time `parquet:"door_open,optional,timestamp(millisecond)"`
	DoorClose         *time.Time `parquet:"door_close,optional,timestamp(millisecond)"`
	DoorStatus        *string    `parquet:"door_status,optional,dict"`
	RampTime          *float64   `parquet:"ramp_deployed_time,optional"`
	RampFailure       *bool      `parquet:"ramp_failure,optional"`
	KneelTime         *float64   `parquet:"kneel_deployed_time,optional"`
	LiftTime          *float64   `parquet:"lift_deployed_time,optional"`
	BikeRack          *bool      `parquet:"bike_rack_deployed,optional"`
	BikeLoad          *int32     `parquet:"bike_load,optional"`
	Revenue           *float64   `parquet:"revenue,optional"`
	Transactions      *int32     `parquet:"number_of_transactions,optional"`
	Relationship      *string    `parquet:"schedule_relationship,optional,dict"`
}

// visits yields the rows of stop_visits, in order of time.
func (h *Handler) visits(ctx context.Context, q *query, yield func(*visitRow) error) error {
	p, date := newPerformed(q, false), dateNumber(q)
	return h.History.DayArrivals(ctx, q.arrivals(), func(a nhip.Arrival) error {
		t, err := p.add(&a)
		if err != nil || t == nil || t.date != q.date {
			return err
		}
		return yield(t.visitRow(&a, date))
	})
}

// visitRow returns the last visit of the trip, which an arrival tells, as a row.
func (t *trip) visitRow(a *nhip.Arrival, date int32) *visitRow {
	r := &visitRow{
		Date: date, Trip: t.id, Sequence: int32(t.number), Pattern: optional(t.patternID), Stop: optional(a.Stop),
		Relationship: optional(scheduled),
	}
	vehicle := t.vehicleID()
	if r.Vehicle = &vehicle; t.scheduled == "" {
		r.Relationship = optional(added)
	}
	t.setTimes(r, a)
	call := t.call(a.Index, a.Stop)
	if call == nil {
		return r
	}
	if call.Sequence >= 0 {
		r.ScheduledSequence = &call.Sequence
	}
	if call.Timepoint != gtfs.TimepointNotGiven {
		exact := call.Timepoint == gtfs.TimepointExact
		r.Timepoint = &exact
	}
	return r
}

// setTimes sets the times of a visit. An arrival at the first stop of a trip tells when it left, and one at another
// stop when it came and, if that was observed, when it left.
func (t *trip) setTimes(r *visitRow, a *nhip.Arrival) {
	if a.Index == 0 {
		r.Departure, r.ScheduleDeparture = &a.Time, moment(t.end.due)
	} else {
		r.Arrival, r.ScheduleArrival = &a.Time, moment(t.end.due)
		if !a.Departed.IsZero() && !a.Departed.Before(a.Time) {
			dwell := int32(a.Departed.Sub(a.Time) / time.Second)
			r.Departure, r.Dwell = &a.Departed, &dwell
		}
	}
	if inst := t.timed(); inst != nil && t.call(a.Index, a.Stop) != nil {
		r.ScheduleArrival = moment(time.Unix(inst.Arrives(a.Index), 0))
		r.ScheduleDeparture = moment(time.Unix(inst.Departs(a.Index), 0))
	}
}

func (r *visitRow) cells(c *rest.CSVRow) {
	c.Raw(dateText(r.Date))
	c.Text(r.Trip)
	c.Integer(int64(r.Sequence))
	number(c, r.ScheduledSequence)
	texts(c, r.Pattern, r.Vehicle)
	number(c, r.Dwell)
	texts(c, r.Stop)
	switch {
	case r.Timepoint == nil:
		c.Raw("")
	case *r.Timepoint:
		c.Raw("true")
	default:
		c.Raw("false")
	}
	moments(c, r.ScheduleArrival, r.ScheduleDeparture, r.Arrival, r.Departure)
	for range unknownOfVisits {
		c.Raw("")
	}
	texts(c, r.Relationship)
}

// unknownOfVisits is the number of columns from distance to number_of_transactions.
const unknownOfVisits = 17
