package tides

import (
	"context"
	"time"

	"nhip"
	"nhip/api/rest"
)

// Words of the specification.
const (
	inService   = "In service"
	scheduled   = "Scheduled"
	unscheduled = "Unscheduled"
	added       = "Added"
)

// tripRow is a row of trips_performed. Its fields in their order are all columns of the specification.
type tripRow struct {
	Date          int32      `parquet:"service_date,date"`
	ID            string     `parquet:"trip_id_performed"`
	Vehicle       string     `parquet:"vehicle_id,dict"`
	Scheduled     *string    `parquet:"trip_id_scheduled,optional"`
	Route         *string    `parquet:"route_id,optional,dict"`
	RouteType     *string    `parquet:"route_type,optional,dict"`
	Mode          *string    `parquet:"ntd_mode,optional,dict"`
	AgencyType    *string    `parquet:"route_type_agency,optional,dict"`
	Shape         *string    `parquet:"shape_id,optional,dict"`
	Pattern       *string    `parquet:"pattern_id,optional,dict"`
	Direction     *int32     `parquet:"direction_id,optional"`
	Operator      *string    `parquet:"operator_id,optional,dict"`
	Block         *string    `parquet:"block_id,optional,dict"`
	StartStop     *string    `parquet:"trip_start_stop_id,optional,dict"`
	EndStop       *string    `parquet:"trip_end_stop_id,optional,dict"`
	ScheduleStart *time.Time `parquet:"schedule_trip_start,optional,timestamp(millisecond)"`
	ScheduleEnd   *time.Time `parquet:"schedule_trip_end,optional,timestamp(millisecond)"`
	Start         *time.Time `parquet:"actual_trip_start,optional,timestamp(millisecond)"`
	End           *time.Time `parquet:"actual_trip_end,optional,timestamp(millisecond)"`
	Type          *string    `parquet:"trip_type,optional,dict"`
	Relationship  *string    `parquet:"schedule_relationship,optional,dict"`
}

// trips yields the rows of trips_performed, in the order in which the trips began.
func (h *Handler) trips(ctx context.Context, q *query, yield func(*tripRow) error) error {
	p := newPerformed(q, false)
	err := h.History.DayArrivals(ctx, q.arrivals(), func(a nhip.Arrival) error {
		_, err := p.add(&a)
		return err
	})
	if err != nil {
		return err
	}
	for _, t := range p.all {
		if t.date != q.date {
			continue
		}
		if err := yield(t.row(dateNumber(q))); err != nil {
			return err
		}
	}
	return nil
}

// row returns the trip as a row.
func (t *trip) row(date int32) *tripRow {
	r := &tripRow{
		Date: date, ID: t.id, Vehicle: t.vehicleID(), Scheduled: optional(t.scheduled), Route: optional(t.route),
		Pattern: optional(t.patternID), Type: optional(inService), Relationship: optional(scheduled),
	}
	if t.scheduled == "" {
		r.Relationship = optional(unscheduled)
	}
	if t.begin.index == 0 {
		r.Start, r.StartStop, r.ScheduleStart = &t.begin.at, optional(t.begin.stop), moment(t.begin.due)
	}
	if p := t.pattern; p != nil {
		r.RouteType = optional(routeType(p.Route.Type))
		r.StartStop, r.EndStop = optional(p.Stops[0].ID), optional(p.Stops[p.Last()].ID)
		if d, known := p.Direction.Get(); known {
			n := int32(d)
			r.Direction = &n
		}
		if t.end.index == p.Last() {
			r.End, r.ScheduleEnd = &t.end.at, moment(t.end.due)
		}
	}
	if inst := t.instance; inst != nil {
		r.Block = optional(inst.Trip.Block)
		if inst.Trip.Shape != nil {
			r.Shape = optional(inst.Trip.Shape.ID)
		}
	}
	if inst := t.timed(); inst != nil {
		r.ScheduleStart = moment(time.Unix(inst.Departs(0), 0))
		r.ScheduleEnd = moment(time.Unix(inst.Arrives(inst.Pattern.Last()), 0))
	}
	return r
}

func (r *tripRow) cells(c *rest.CSVRow) {
	c.Raw(dateText(r.Date))
	c.Text(r.ID)
	c.Text(r.Vehicle)
	texts(c, r.Scheduled, r.Route, r.RouteType, r.Mode, r.AgencyType, r.Shape, r.Pattern)
	number(c, r.Direction)
	texts(c, r.Operator, r.Block, r.StartStop, r.EndStop)
	moments(c, r.ScheduleStart, r.ScheduleEnd, r.Start, r.End)
	texts(c, r.Type, r.Relationship)
}
