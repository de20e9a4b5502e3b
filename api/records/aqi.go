package records

import (
	"context"
	"net/http"
	"time"

	"nhip"
	"nhip/api/encode"
	"nhip/api/geojson"
	"nhip/api/rest"
	"nhip/geo/aqi"
	"nhip/internal/influx"
)

// listAQI answers GET /v1/stations/{id}/aqi.
func (h *Handler) listAQI(w http.ResponseWriter, r *http.Request) error {
	q, err := h.aqiQuery(r)
	if err != nil {
		return err
	}
	return h.withSlot(r, q.station, q.quality, q.format, func() error {
		return h.stream(r, newRowWriter(w, q, aqiEncoder(q.format)), h.indices)
	})
}

// aqiQuery reads the query of GET /v1/stations/{id}/aqi.
func (h *Handler) aqiQuery(r *http.Request) (*query, error) {
	id, err := rest.PathID(r, "id")
	if err != nil {
		return nil, err
	}
	p := rest.ReadQuery(r, "from", "to", "period", "level", "index", "format")
	q := &query{
		station: id, scale: p.Scale("index"), quality: p.Quality("level"), format: p.Format(r), zone: h.Live.Zone(id),
	}
	switch s := p.Text("period"); s {
	case "", "hour":
		q.by = byHour
	case "day":
		q.by = byDay
	default:
		p.Fail("period", "must be hour or day, got %q", s)
	}
	q.by.maxSpan = byHour.maxSpan
	if p.Err == nil {
		q.readSpan(p, h.Clock.Now())
	}
	return q, p.Err
}

// indices is the source of the hours or days with an index.
func (h *Handler) indices(ctx context.Context, q *query, yield func(*row) error) error {
	a := aqiAccumulator{
		q: q, windows: make(map[nhip.Quantity]*hourWindow), days: make(map[nhip.Quantity]nhip.RollupStats), yield: yield,
		settled: h.Clock.Now().Add(-lateValues),
	}
	from := q.from
	if q.by.period == nhip.PeriodHour {
		from = from.Add(-windowHours * time.Hour)
	}
	if err := h.History.Rollups(ctx, q.rollups(from), a.add); err != nil {
		return err
	}
	if err := a.flush(); err != nil {
		return err
	}
	until := q.to
	if a.settled.Before(until) {
		until = a.settled
	}
	return a.fill(until)
}

// lateValues is how long after the end of an hour without a value its index is not given yet: the value may be on its
// way.
const lateValues = time.Hour

// aqiAccumulator combines the roll-ups of all quantities of an hour or day to an index.
type aqiAccumulator struct {
	q       *query
	at      time.Time                          // end of the current hour or day
	windows map[nhip.Quantity]*hourWindow      // for hours
	days    map[nhip.Quantity]nhip.RollupStats // for days
	settled time.Time                          // hours that ended later may still get a value
	yield   func(*row) error
}

// add adds a roll-up. Roll-ups must be added in the order of their time.
func (a *aqiAccumulator) add(r influx.RollupRow) error {
	if !r.Time.Equal(a.at) {
		if err := a.flush(); err != nil {
			return err
		}
		if err := a.fill(r.Time.Add(-time.Hour)); err != nil {
			return err
		}
		a.at = r.Time
		clear(a.days)
	}
	if a.q.by.period == nhip.PeriodDay {
		a.days[r.Quantity] = r.RollupStats
		return nil
	}
	w := a.windows[r.Quantity]
	if w == nil {
		w = new(hourWindow)
		a.windows[r.Quantity] = w
	}
	w.add(r.Time, &r.RollupStats)
	return nil
}

// flush yields the index of the current hour or day, if it has one and is in the span of the query.
func (a *aqiAccumulator) flush() error {
	if !a.at.After(a.q.from) {
		return nil
	}
	index, ok := a.index()
	if !ok {
		return nil
	}
	return a.yield(&row{time: a.at, aqi: &index})
}

// fill yields the indices of the hours after the current one, up to a time, that have no value of their own: a NowCast
// needs two of the last three hours, and a longer mean three quarters of its hours.
func (a *aqiAccumulator) fill(until time.Time) error {
	if a.at.IsZero() || a.q.by.period != nhip.PeriodHour {
		return nil
	}
	if last := a.at.Add(windowHours * time.Hour); last.Before(until) {
		until = last // no average reaches further back
	}
	for at := a.at.Add(time.Hour); !at.After(until); at = at.Add(time.Hour) {
		a.at = at
		if err := a.flush(); err != nil {
			return err
		}
	}
	return nil
}

func (a *aqiAccumulator) index() (nhip.AQI, bool) {
	if a.q.by.period == nhip.PeriodDay {
		return aqi.DailyIndexOfStats(a.q.scale, a.at, a.days)
	}
	hours := make(aqi.Hours, len(a.windows))
	for q, w := range a.windows {
		hours[q] = w.until(a.at)
	}
	return aqi.HourlyIndex(a.q.scale, a.at, hours)
}

// aqiEncoder encodes indices. Its value is the format: rest.FormatCSV or JSON.
type aqiEncoder string

func (f aqiEncoder) begin(o *rowWriter) {
	if f == rest.FormatCSV {
		rest.StartCSV(o.w.Header(), o.q.station+"-aqi")
		first := "time"
		if o.q.by.period == nhip.PeriodDay {
			first = "date"
		}
		o.buf = append(o.buf, rest.ByteOrderMark+first+
			",scale,rule,aqi,level,dominant,capture_pct,utc_offset,station,source\n"...)
		return
	}
	o.w.Header().Set("Content-Type", rest.FormatJSON)
	o.buf = append(appendHead(o.buf, o.q), `,"indices":[`...)
}

func (f aqiEncoder) row(o *rowWriter, r *row) error {
	date := o.q.date(r.time)
	if f != rest.FormatCSV {
		if o.rows > 0 {
			o.buf = append(o.buf, ',')
		}
		o.buf = geojson.AppendAQI(o.buf, r.aqi)
		if date != "" {
			o.buf = append(encode.Field(o.buf[:len(o.buf)-1], "date", date), '}')
		}
		return nil
	}
	c := rest.NewCSVRow(o.buf)
	if date != "" {
		c.Raw(date)
	} else {
		c.Time(r.time)
	}
	c.Raw(string(r.aqi.Scale))
	c.Raw(r.aqi.Rule)
	c.Optional(nhip.Some(r.aqi.Value))
	c.Text(r.aqi.Category.Name.Vi)
	c.Raw(string(r.aqi.Dominant))
	c.Number(r.aqi.Capture, 10)
	c.Raw(o.q.offset(r.time))
	c.Text(o.q.station)
	c.Text(r.aqi.Source)
	o.buf = c.End()
	return nil
}

func (f aqiEncoder) end(o *rowWriter) error {
	if f != rest.FormatCSV {
		o.buf = append(o.buf, "]}\n"...)
	}
	return nil
}
