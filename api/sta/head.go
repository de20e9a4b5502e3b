package sta

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"nhip"
	"nhip/internal/influx"
)

// notStored is how many series may have a newest value that the history does not have yet, or that it only had once,
// before a first page costs more.
const notStored = 16

// head narrows the read of the first page of several stations to the series that have it: the n series whose first
// readings in the order of the page come first have at least n readings, and those of all others come behind them.
// Such a page costs what the database reads of each series, rather than their readings. cut is where the page ends at
// the latest.
func (q *request) head(p *plan) (query influx.SeriesQuery, cut readingKey, ok bool) {
	if p.first == 0 || len(p.query.Stations) == 1 {
		return query, cut, false
	}
	all := q.candidates(p)
	if len(all) <= p.first || !reaches(p, all[0]) {
		return query, cut, false
	}
	all = all[:p.first]
	last := all[len(all)-1]
	query = p.query
	query.Stations = nil
	for _, d := range all {
		query.Stations = append(query.Stations, d.station.ID)
	}
	slices.Sort(query.Stations)
	query.Stations = slices.Compact(query.Stations)
	end := p.edge(last)
	if query.Newest {
		query.From = latest(query.From, end.Add(-time.Millisecond))
	} else {
		query.To = earliest(query.To, end)
	}
	cut = readingKey{influx.Series{Station: last.station.ID, Quantity: last.quantity}, "\xff", end.UnixMilli()}
	return query, cut, query.From.Before(query.To)
}

// edge returns the time of the first reading of a datastream in the order of a plan.
func (p *plan) edge(d *datastream) time.Time {
	if p.query.Newest {
		return d.last
	}
	return d.first
}

// reaches reports whether a plan has the first reading of the first datastream: a filter of time leaves it out.
func reaches(p *plan, d *datastream) bool {
	at := p.edge(d)
	return at.After(p.query.From) && !at.After(p.query.To)
}

// candidates returns the datastreams of a plan in the order of their first readings.
func (q *request) candidates(p *plan) (out []*datastream) {
	for _, s := range q.city.stations {
		if p.query.Stations != nil && !slices.Contains(p.query.Stations, s.ID) {
			continue
		}
		for _, d := range q.city.streams[s.ID] {
			if !d.last.IsZero() && (p.query.Quantities == nil || slices.Contains(p.query.Quantities, d.quantity)) {
				out = append(out, d)
			}
		}
	}
	slices.SortFunc(out, func(a, b *datastream) int {
		order := p.edge(a).Compare(p.edge(b))
		if p.query.Newest {
			order = -order
		}
		return cmp.Or(order, strings.Compare(a.station.ID, b.station.ID),
			strings.Compare(string(a.quantity), string(b.quantity)))
	})
	return out
}

// readHead yields what head selects, and lets the plan go on behind it.
func (q *request) readHead(p *plan, b *budget, yield func(*entity) error) error {
	query, cut, ok := q.head(p)
	if !ok {
		return nil
	}
	err := q.History.SeriesReadings(q.ctx, query, func(r nhip.AssessedReading) error {
		if key := keyOf(&r.Reading); key.ms == cut.ms && compareKeys(key, cut) > 0 {
			return nil
		}
		return q.each(p, b, &r, yield)
	})
	p.after = &cut
	if at := time.UnixMilli(cut.ms).UTC(); p.query.Newest {
		p.query.To = at
	} else {
		p.query.From = at.Add(-time.Millisecond)
	}
	return err
}
