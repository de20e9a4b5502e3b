package api

import (
	"context"
	"errors"
	"math"
	"net/http"
	"time"

	"nhip"
	"nhip/geo/aqi"
	"nhip/internal/influx"
)

// How many questions to the history may be under way: each holds a sort in the database's memory.
const (
	maxQuestions = 16
	questionWait = 2 * time.Second // for one of them to end
)

// resolution is what one row of the history stands for.
type resolution struct {
	name   string
	period string        // of the roll-up; "" for readings
	usual  time.Duration // span that is answered where none is asked for
	most   time.Duration // longest span of one question
}

const day = 24 * time.Hour

var resolutions = []resolution{
	{"raw", "", day, 366 * day},
	{"hour", nhip.HourPeriod, 7 * day, 11 * 366 * day},
	{"day", nhip.DayPeriod, 31 * day, 50 * 366 * day},
	{"month", nhip.MonthPeriod, 366 * day, 50 * 366 * day},
}

// errHistoryAway is what the public is told of a database that does not answer; why goes to the log.
var errHistoryAway = nhip.Errorf(nhip.Unavailable, "", "the history does not answer now; the live city does")

// historyQuestion is what is asked of a station's past.
type historyQuestion struct {
	station  string
	quantity nhip.Quantity // "": all
	from, to time.Time     // exclusive, inclusive
	as       resolution
	quality  nhip.Quality
	scale    nhip.Scale
	limit    int // rows; 0: all
	form     string
	zone     *time.Location
	indices  bool // of the station, not its readings
}

// historyRow is one row of the answer.
type historyRow struct {
	time     time.Time // END
	quantity nhip.Quantity
	period   string
	value    nhip.Opt[float64] // the mean; none where it failed
	stats    *nhip.Stats       // of a roll-up
	index    nhip.Opt[float64]
	flag     nhip.Flag
	quality  nhip.Quality
	tests    string
	rule     string
	origin   nhip.Origin

	aqi *nhip.AQI // the station's; then nothing else counts but the time
}

// listReadings answers GET /v1/stations/{id}/readings, streamed from the history.
func (a *API) listReadings(w http.ResponseWriter, r *http.Request) {
	ask, err := a.historyQuestion(r)
	if err != nil {
		a.problem(w, r, err)
		return
	}
	if ask.form == "" {
		noForm(w)
		return
	}
	if !a.mayAsk(r.Context()) {
		a.problem(w, r, nhip.Errorf(nhip.Unavailable, "", "too many questions to the history are under way"))
		return
	}
	defer func() { <-a.questions }()
	a.answerHistory(w, r, newHistoryWriter(w, ask))
}

// mayAsk takes one of the places of questions to the history; whoever got one gives it back.
func (a *API) mayAsk(ctx context.Context) bool {
	wait := time.NewTimer(questionWait)
	defer wait.Stop()
	select {
	case a.questions <- struct{}{}:
		return true
	case <-wait.C:
	case <-ctx.Done():
	}
	return false
}

// errPageFull ends a page.
var errPageFull = errors.New("the page is full")

func (a *API) answerHistory(w http.ResponseWriter, r *http.Request, out *historyWriter) {
	err := a.readHistory(r.Context(), out.ask, out.take)
	if errors.Is(err, errPageFull) {
		err = nil
	}
	if err == nil && !out.begun && a.city.complete() && !a.knowsStation(out.ask.station) {
		a.problem(w, r, unknownStation(out.ask.station))
		return
	}
	if err == nil {
		err = out.end()
	}
	switch {
	case err == nil:
	case out.failed || r.Context().Err() != nil:
		panic(http.ErrAbortHandler) // the client is gone or does not read
	case out.begun:
		a.log.Warn("the history broke off in the middle of an answer", "error", err)
		panic(http.ErrAbortHandler) // the one way to tell a client that what it got is not all
	default:
		a.log.Warn("the history does not answer", "error", err)
		a.problem(w, r, errHistoryAway)
	}
}

func (a *API) knowsStation(id string) bool {
	_, ok := a.city.station(id)
	return ok
}

// historyQuestion reads what is asked for; its form is "" when none that is accepted can be had.
func (a *API) historyQuestion(r *http.Request) (*historyQuestion, error) {
	id, err := pathID(r, "id")
	if err != nil {
		return nil, err
	}
	q := readQuery(r, "from", "to", "quantity", "period", "level", "index", "limit", "cursor", "format")
	ask := &historyQuestion{
		station: id, quantity: nhip.Quantity(q.text("quantity")), scale: q.scale("index"), as: q.resolution("period"),
		quality: q.quality("level"), limit: q.integer("limit", 0, 1, maxLimit), form: q.historyForm(r), zone: a.zoneOf(id),
	}
	if ask.quantity != "" && !ask.quantity.Known() {
		q.fail("quantity", "%q is not a known quantity", string(ask.quantity))
	}
	q.span(ask, a.o.Clock.Now())
	if q.err != nil {
		return nil, q.err
	}
	if ask.quality == nhip.Raw && !a.isOperator(r) {
		return nil, errStaffOnly
	}
	return ask, nil
}

var errStaffOnly = nhip.Errorf(nhip.Unauthorized, "level", "raw is for staff only: ask with the operator's token")

// maxLimit is the longest page, in rows.
const maxLimit = 100_000

func (q *query) resolution(name string) resolution {
	s := q.text(name)
	if s == "" {
		return resolutions[0]
	}
	for _, r := range resolutions {
		if r.name == s {
			return r
		}
	}
	q.fail(name, "must be raw, hour, day or month, got %q", s)
	return resolutions[0]
}

func (q *query) quality(name string) nhip.Quality {
	switch s := nhip.Quality(q.text(name)); s {
	case "":
		return nhip.Reviewed
	case nhip.Raw, nhip.Automatic, nhip.Reviewed:
		return s
	default:
		q.fail(name, "must be raw, automatic or reviewed, got %q", string(s))
		return nhip.Reviewed
	}
}

// span reads from, to and cursor, and checks them.
func (q *query) span(ask *historyQuestion, now time.Time) {
	latest := now.Add(nhip.FutureTolerance)
	ask.to = q.moment("to", now, ask.zone, 1)
	if ask.to.After(latest) {
		ask.to = latest // nothing is known beyond it
	}
	ask.from = q.moment("from", ask.to.Add(-ask.as.usual), ask.zone, 0)
	switch {
	case !ask.from.Before(ask.to):
		q.fail("from", "must be before to and not in the future")
	case ask.to.Sub(ask.from) > ask.as.most:
		q.fail("from", "must be at most %d days before to where period is %s", int(ask.as.most/day), ask.as.name)
	}
	if at := q.time("cursor", ask.from); at.After(ask.from) {
		ask.from = at
	}
}

// moment reads a time, or a local day: its begin, or with days 1 its end.
func (q *query) moment(name string, def time.Time, zone *time.Location, days int) time.Time {
	if s := q.values.Get(name); len(s) == len(time.DateOnly) {
		if t, err := time.ParseInLocation(time.DateOnly, s, zone); err == nil && !t.Before(firstTime) && !t.After(lastTime) {
			return t.AddDate(0, 0, days).UTC()
		}
	}
	return q.time(name, def)
}

// zoneOf returns the zone by whose days a station is summed up.
func (a *API) zoneOf(station string) *time.Location {
	if s, ok := a.city.station(station); ok && s.Zone != "" {
		if zone, err := time.LoadLocation(s.Zone); err == nil {
			return zone
		}
	}
	return a.o.Zone
}

// readHistory yields the rows of one question, oldest first.
func (a *API) readHistory(ctx context.Context, ask *historyQuestion, yield func(*historyRow) error) error {
	if ask.indices {
		return a.indexRows(ctx, ask, yield)
	}
	switch ask.as.period {
	case "":
		return a.rawRows(ctx, ask, yield)
	case nhip.HourPeriod:
		return a.hourRows(ctx, ask, yield)
	}
	return a.o.History.Rollups(ctx, ask.rollups(ask.from), func(r influx.Rolled) error {
		row := rolledRow(&r)
		if v, ok := aqi.SubOfDay(ask.scale, r.Quantity, &r.Stats); ok && ask.as.period == nhip.DayPeriod {
			row.index = nhip.Some(v)
		}
		return yield(row)
	})
}

func (ask *historyQuestion) rollups(from time.Time) influx.RollupQuery {
	return influx.RollupQuery{Station: ask.station, Quantity: ask.quantity, Period: ask.as.period, Quality: ask.quality, From: from, To: ask.to, Brief: true}
}

func rolledRow(r *influx.Rolled) *historyRow {
	row := &historyRow{time: r.Time, quantity: r.Quantity, period: r.Period, stats: &r.Stats, flag: r.Flag, quality: r.Quality}
	if r.Count > 0 {
		row.value = nhip.Some(r.Mean)
	}
	return row
}

// rawRows yields readings. What failed is told without its value, but to staff who ask for it raw.
func (a *API) rawRows(ctx context.Context, ask *historyQuestion, yield func(*historyRow) error) error {
	var reviews []nhip.Review
	if ask.quality == nhip.Reviewed {
		var err error
		if reviews, err = a.o.History.Reviews(ctx, ask.station, a.o.Clock.Now().Add(nhip.FutureTolerance)); err != nil {
			return err
		}
	}
	q := influx.ReadingQuery{Station: ask.station, Quantity: ask.quantity, From: ask.from, To: ask.to}
	return a.o.History.Readings(ctx, q, func(r nhip.Judged) error {
		value, flag := r.At(ask.quality)
		row := &historyRow{
			time: r.Time, quantity: r.Quantity, period: nhip.FormatPeriod(r.Period), quality: ask.quality, origin: r.Origin,
			tests: r.Verdict.Tests, rule: r.Verdict.Rule,
		}
		if decided, is := nhip.Decide(reviews, r.Quantity, r.Time, flag); is {
			flag = decided
		} else if ask.quality == nhip.Reviewed {
			row.quality = nhip.Automatic
		}
		row.flag = flag
		if ask.quality == nhip.Raw || flag != nhip.Fail {
			row.value = nhip.Some(value)
		}
		return yield(row)
	})
}

// hourRows yields hours, each with its sub-index: that of a NowCast looks back 12 hours.
func (a *API) hourRows(ctx context.Context, ask *historyQuestion, yield func(*historyRow) error) error {
	lately := make(map[nhip.Quantity]*recent)
	return a.o.History.Rollups(ctx, ask.rollups(ask.from.Add(-recentHours*time.Hour)), func(r influx.Rolled) error {
		of := lately[r.Quantity]
		if of == nil {
			of = new(recent)
			lately[r.Quantity] = of
		}
		of.put(r.Time, &r.Stats)
		if !r.Time.After(ask.from) {
			return nil
		}
		row := rolledRow(&r)
		if v, ok := aqi.SubAt(ask.scale, r.Quantity, of.hours[:]); ok && r.Complete() {
			row.index = nhip.Some(v)
		}
		return yield(row)
	})
}

// recentHours is how far back an hour's index looks: a day, for the ratio to WHO.
const recentHours = 24

// recent holds the last hours of one quantity, newest first.
type recent struct {
	end   time.Time
	hours [recentHours]float64
}

func (c *recent) put(end time.Time, s *nhip.Stats) {
	passed := recentHours
	if gap := end.Sub(c.end) / time.Hour; !c.end.IsZero() && gap < recentHours {
		passed = int(gap)
	}
	copy(c.hours[passed:], c.hours[:])
	for i := range passed {
		c.hours[i] = math.NaN()
	}
	if c.end = end; s.Complete() {
		c.hours[0] = s.Mean
	}
}
