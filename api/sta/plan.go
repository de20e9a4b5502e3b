package sta

import (
	"slices"
	"strconv"
	"time"

	"nhip"
	"nhip/api/odata"
	viewOf "nhip/api/scope"
	"nhip/internal/influx"
)

// plan is how observations are read.
type plan struct {
	query influx.SeriesQuery
	level nhip.Quality
	exact bool        // whether the database can count what the filter selects
	empty bool        // nothing can match
	sort  bool        // whether the order is another one than that of time
	first int         // readings of the first page; 0: of a later one
	after *readingKey // the last observation of the page before; nil: none

	counted influx.SeriesQuery // query without what the pages before had
	none    bool               // empty without that
}

// planOf returns the plan of a set of observations.
func (q *request) planOf(s *scope, o *odata.Options) (*plan, error) {
	p := &plan{level: nhip.QualityAutomatic, exact: true}
	p.query.Stations, p.query.Quantities = s.stations, s.quantities
	p.query.To = q.Clock.Now().Add(nhip.FutureTolerance)
	p.query.Newest = true
	for _, part := range o.Filter.Conjuncts() {
		if !p.push(part) {
			p.exact = false
		}
	}
	if p.level == nhip.QualityRaw && q.raw != nil {
		return nil, q.raw
	}
	if p.query.Stations == nil && len(q.city.stations) > 0 && viewOf.Of(q.ctx).Limits().LimitsStations() {
		for _, station := range q.city.stations {
			p.query.Stations = append(p.query.Stations, station.ID)
		}
	}
	if len(o.OrderBy) > 0 {
		first := o.OrderBy[0]
		p.sort = len(o.OrderBy) > 1 || len(first.Path) > 1 ||
			first.Path[0] != "phenomenonTime" && first.Path[0] != "resultTime"
		p.query.Newest = first.Descending || p.sort
	}
	for _, id := range p.query.Stations {
		p.empty = p.empty || q.city.byID[id] == nil // also one that the caller does not see
	}
	first, last, ok := q.city.span(p.query.Stations, p.query.Quantities)
	if first = first.Add(-time.Millisecond); p.query.From.Before(first) {
		p.query.From = first
	}
	if p.query.To.After(last) {
		p.query.To = last
	}
	p.empty = p.empty || !ok || !p.query.From.Before(p.query.To)
	p.counted, p.none = p.query, p.empty
	return p, p.readToken(o.Token)
}

// push narrows the query by a part of a filter. It reports whether the query selects exactly what the part does.
func (p *plan) push(part *odata.Expression) bool {
	path, op, value, ok := part.Comparison()
	if !ok {
		return false
	}
	if at, isTime := value.(time.Time); isTime && (path == "phenomenonTime" || path == "resultTime") {
		return p.pushTime(op, at)
	}
	text, isText := value.(string)
	if op != "eq" || !isText {
		return false
	}
	switch path {
	case "Datastream/id", "Datastream/@iot.id":
		key := readStreamID(text)
		p.narrow(key.Station)
		return p.narrowQuantity(key.Quantity)
	case "Datastream/Thing/id", "Datastream/Thing/@iot.id", "FeatureOfInterest/id", "FeatureOfInterest/@iot.id":
		return p.narrow(text)
	case "Datastream/ObservedProperty/id", "Datastream/ObservedProperty/@iot.id":
		return p.narrowQuantity(nhip.Quantity(text))
	case "parameters/level":
		switch level := nhip.Quality(text); level {
		case nhip.QualityRaw, nhip.QualityAutomatic, nhip.QualityReviewed:
			p.level = level
			return true
		}
		p.empty = true
	}
	return false
}

// pushTime narrows the time. Readings have whole milliseconds.
func (p *plan) pushTime(op string, at time.Time) bool {
	if !saneTime(at.UnixMilli()) {
		return false
	}
	from, to := p.query.From, p.query.To
	switch op {
	case "gt":
		from = at
	case "ge":
		from = at.Add(-time.Millisecond)
	case "lt":
		to = at.Add(-time.Millisecond)
	case "le":
		to = at
	case "eq":
		from, to = at.Add(-time.Millisecond), at
	default:
		return false
	}
	if from.After(p.query.From) {
		p.query.From = from
	}
	if to.Before(p.query.To) {
		p.query.To = to
	}
	return at.Equal(at.Truncate(time.Millisecond))
}

// narrow leaves one station of those that the query selects.
func (p *plan) narrow(station string) bool {
	if nhip.CheckID("id", station) != nil || p.query.Stations != nil && !slices.Contains(p.query.Stations, station) {
		p.empty = true
	}
	p.query.Stations = []string{station}
	return true
}

func (p *plan) narrowQuantity(quantity nhip.Quantity) bool {
	if !quantity.Known() || p.query.Quantities != nil && !slices.Contains(p.query.Quantities, quantity) {
		p.empty = true
	}
	p.query.Quantities = []nhip.Quantity{quantity}
	return true
}

// readToken lets the query begin behind what the pages before had: a time, or an observation.
func (p *plan) readToken(token string) error {
	if token == "" {
		return nil
	}
	ms, err := strconv.ParseInt(token, 10, 64)
	if err != nil {
		key, ok := readReadingID(token)
		if !ok {
			return nhip.Errorf(nhip.CodeInvalid, "$skiptoken", "must be that of an @iot.nextLink")
		}
		p.after, ms = &key, key.ms
	}
	if !saneTime(ms) || p.sort {
		return nhip.Errorf(nhip.CodeInvalid, "$skiptoken", "must be that of an @iot.nextLink")
	}
	at := time.UnixMilli(ms).UTC()
	if p.query.Newest {
		if at.Before(p.query.To) {
			p.query.To = at
		}
	} else {
		if p.after != nil {
			at = at.Add(-time.Millisecond)
		}
		if at.After(p.query.From) {
			p.query.From = at
		}
	}
	p.empty = p.empty || !p.query.From.Before(p.query.To)
	return nil
}
