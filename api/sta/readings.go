package sta

import (
	"cmp"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"nhip"
	"nhip/api/odata"
	"nhip/internal/influx"
)

// The bounds of what one page reads. A page that reaches them ends early and tells where the next one begins.
const (
	maxScan     = 20_000                 // readings
	maxScanTime = 150 * time.Millisecond // of all reads of a request
	maxSorted   = 20_000                 // readings in another order than that of time
	maxCounted  = 50_000                 // readings that a filter is tried on to count them
	maxSkipped  = 10_000
)

// The spans of time that are read at once grow until a page is full.
const (
	oneStationSpan = 24 * time.Hour
	allSpan        = 30 * time.Minute
	longestSpan    = 366 * 24 * time.Hour
	spanGrowth     = 4
)

var (
	errPageFull = errors.New("page full")
	errScanned  = errors.New("enough read")
)

// readings returns a page of observations.
func (q *request) readings(s *scope, o *odata.Options) (*page, error) {
	p, err := q.planOf(s, o)
	if err != nil {
		return nil, err
	}
	if o.Skip > maxSkipped {
		return nil, nhip.Errorf(nhip.CodeInvalid, "$skip", "must be at most %d for Observations; follow @iot.nextLink",
			maxSkipped)
	}
	out := new(page)
	if p.sort {
		out, err = q.sortedPage(p, o)
	} else {
		err = q.timedPage(p, o, out)
	}
	if err == nil && o.Count {
		out.count, err = q.count(p, o)
	}
	return out, q.public(err)
}

// public returns the error that a client sees.
func (q *request) public(err error) error {
	var known *nhip.Error
	if err == nil || errors.As(err, &known) && known.Code == nhip.CodeInvalid || isPermission(err) {
		return err
	}
	return q.historyError(q.ctx, err)
}

func isPermission(err error) bool {
	code := nhip.ErrorCode(err)
	return code == nhip.CodeUnauthorized || code == nhip.CodeForbidden
}

// timedPage reads a page in order of time.
func (q *request) timedPage(p *plan, o *odata.Options, out *page) error {
	top, skip, last := topOf(o), o.Skip, ""
	if o.Token == "" {
		p.first = top + skip + 1 + notStored
	}
	budget := &budget{left: maxScan, until: time.Now().Add(maxScanTime)}
	at, err := q.scan(p, budget, func(e *entity) error {
		ok, err := q.matches(e, o.Filter)
		switch {
		case err != nil:
			return err
		case ok && skip > 0:
			skip--
		case ok && len(out.entities) >= top:
			return errPageFull
		case ok:
			out.entities = append(out.entities, e)
		}
		last = e.id
		return nil
	})
	switch err {
	case errPageFull:
		out.more, out.token = true, last
		if last == "" { // $top=0
			out.token = o.Token
		}
		err = nil
	case errScanned:
		if skip > 0 {
			return nhip.Errorf(nhip.CodeInvalid, "$skip",
				"passes over more readings than one request reads; narrow phenomenonTime")
		}
		if out.more, out.token = true, last; last == "" {
			out.token = strconv.FormatInt(at.UnixMilli(), 10)
		}
		err = nil
	}
	return err
}

// budget bounds a scan.
type budget struct {
	left  int
	until time.Time // zero: the number of readings is the only bound
}

// spend counts a reading.
func (b *budget) spend() error {
	if b.left--; b.left < 0 || b.left%256 == 0 && b.over() {
		return errScanned
	}
	return nil
}

func (b *budget) over() bool { return !b.until.IsZero() && time.Now().After(b.until) }

// scan yields the observations of a plan, in spans of time that grow. It returns the time that it has come to, and
// errScanned if the budget is spent.
func (q *request) scan(p *plan, b *budget, yield func(*entity) error) (time.Time, error) {
	width, at := allSpan, time.Time{}
	if len(p.query.Stations) == 1 {
		width = oneStationSpan
	}
	if p.empty {
		return at, nil
	}
	if err := q.charge(0, 1); err != nil {
		return at, err
	}
	if err := q.readHead(p, b, yield); err != nil {
		return at, err
	}
	rest := p.query
	for rest.From.Before(rest.To) {
		part := rest
		if rest.Newest {
			part.From = latest(rest.From, rest.To.Add(-width))
			rest.To, at = part.From, part.From
		} else {
			part.To = earliest(rest.To, rest.From.Add(width))
			rest.From, at = part.To, part.To
		}
		err := q.History.SeriesReadings(q.ctx, part, func(r nhip.AssessedReading) error {
			return q.each(p, b, &r, yield)
		})
		if err != nil {
			return at, err
		}
		if b.over() && rest.From.Before(rest.To) {
			return at, errScanned
		}
		width = min(width*spanGrowth, longestSpan)
	}
	return at, nil
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earliest(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// each yields the observation of a reading, unless a page before had it.
func (q *request) each(p *plan, b *budget, r *nhip.AssessedReading, yield func(*entity) error) error {
	key := keyOf(&r.Reading)
	if p.after != nil && key.ms == p.after.ms && compareKeys(key, *p.after) <= 0 {
		return nil
	}
	if err := b.spend(); err != nil {
		return err
	}
	e, err := q.entityOf(r, p.level)
	if e == nil || err != nil {
		return err
	}
	return yield(e)
}

// compareKeys orders readings of one time as the history does.
func compareKeys(a, b readingKey) int {
	return cmp.Or(strings.Compare(a.Station, b.Station), strings.Compare(string(a.Quantity), string(b.Quantity)),
		strings.Compare(a.period, b.period))
}

// entityOf returns the observation of a reading at a level; nil if the caller does not see its station.
func (q *request) entityOf(r *nhip.AssessedReading, level nhip.Quality) (*entity, error) {
	s := q.city.byID[r.Station]
	if s == nil {
		return nil, nil
	}
	o := &observation{AssessedReading: *r, level: level}
	value, flag := r.At(level)
	if level == nhip.QualityReviewed {
		reviews, err := q.reviewsOf(r.Station)
		if err != nil {
			return nil, err
		}
		if value, flag = r.At(nhip.QualityAutomatic); len(reviews) > 0 {
			flag, o.reviewed = nhip.Decide(reviews, r.Quantity, r.Time, flag)
			if !o.reviewed {
				_, flag = r.At(nhip.QualityAutomatic)
			}
		}
	}
	if o.flag = flag; level == nhip.QualityRaw || flag != nhip.FlagFail {
		o.result = value
	}
	return &entity{kind: observations, id: keyOf(&r.Reading).id(), station: s, quantity: r.Quantity, reading: o}, nil
}

// reviewsOf returns the reviews of a station, which are read once in a request.
func (q *request) reviewsOf(station string) ([]nhip.Review, error) {
	if known, ok := q.reviews[station]; ok {
		return known, nil
	}
	if err := q.charge(0, 1); err != nil {
		return nil, err
	}
	reviews, err := q.History.Reviews(q.ctx, station, q.Clock.Now().Add(nhip.FutureTolerance))
	q.reviews[station] = reviews
	return reviews, err
}

// sortedPage reads all readings that a filter of time leaves and orders them.
func (q *request) sortedPage(p *plan, o *odata.Options) (*page, error) {
	var kept []*entity
	_, err := q.scan(p, &budget{left: maxSorted}, func(e *entity) error {
		ok, err := q.matches(e, o.Filter)
		if ok {
			kept = append(kept, e)
		}
		return err
	})
	if err == errScanned {
		return nil, nhip.Errorf(nhip.CodeInvalid, "$orderby",
			"orders at most %d Observations by other properties than time: narrow phenomenonTime or the Datastream", maxSorted)
	}
	if err != nil {
		return nil, err
	}
	slices.Reverse(kept) // oldest first where they are equal
	if err := q.sort(kept, o.OrderBy); err != nil {
		return nil, err
	}
	return cut(kept, o), nil
}

// count returns the number of observations of a set. The database counts them if the filter is of time, station,
// quantity and level only.
func (q *request) count(p *plan, o *odata.Options) (int, error) {
	if p.none {
		return 0, nil
	}
	if p.exact {
		if err := q.charge(0, 1); err != nil {
			return 0, err
		}
		return q.History.CountReadings(q.ctx, p.counted)
	}
	whole, n := *p, 0
	whole.query, whole.empty, whole.after = p.counted, false, nil
	_, err := q.scan(&whole, &budget{left: maxCounted}, func(e *entity) error {
		ok, err := q.matches(e, o.Filter)
		if ok {
			n++
		}
		return err
	})
	if err == errScanned {
		return 0, nhip.Errorf(nhip.CodeInvalid, "$count", "of a $filter of other properties than time, station and quantity "+
			"is of at most %d readings: narrow phenomenonTime or the Datastream", maxCounted)
	}
	return n, err
}

// observation returns the observation with an id, at the automatic level.
func (q *request) observation(id string, s *scope) (*entity, error) {
	missing := nhip.Errorf(nhip.CodeNotFound, "path", "there is no such Observation")
	key, ok := readReadingID(id)
	if !ok || q.city.byID[key.Station] == nil || s.stations != nil && !slices.Contains(s.stations, key.Station) ||
		s.quantities != nil && !slices.Contains(s.quantities, key.Quantity) {
		return nil, missing
	}
	at := time.UnixMilli(key.ms).UTC()
	query := influx.SeriesQuery{
		Stations: []string{key.Station}, Quantities: []nhip.Quantity{key.Quantity}, From: at.Add(-time.Millisecond), To: at,
	}
	var found *entity
	err := q.History.SeriesReadings(q.ctx, query, func(r nhip.AssessedReading) error {
		if keyOf(&r.Reading) != key {
			return nil
		}
		e, err := q.entityOf(&r, nhip.QualityAutomatic)
		found = e
		return err
	})
	if err != nil {
		return nil, q.public(err)
	}
	if found == nil {
		return nil, missing
	}
	return found, nil
}
