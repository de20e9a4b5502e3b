package api

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"nhip"
	"nhip/geo/aqi"
	"nhip/internal/influx"
)

// listIndices answers GET /v1/stations/{id}/aqi, streamed from the history.
func (a *API) listIndices(w http.ResponseWriter, r *http.Request) {
	ask, err := a.indexQuestion(r)
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
	out := newHistoryWriter(w, ask)
	out.format = indexForm(ask.form)
	a.answerHistory(w, r, out)
}

func (a *API) indexQuestion(r *http.Request) (*historyQuestion, error) {
	id, err := pathID(r, "id")
	if err != nil {
		return nil, err
	}
	q := readQuery(r, "from", "to", "period", "level", "index", "format")
	ask := &historyQuestion{station: id, scale: q.scale("index"), quality: q.quality("level"), form: q.form(r), zone: a.zoneOf(id), indices: true}
	switch p := q.text("period"); p {
	case "", "hour":
		ask.as = resolutions[1]
	case "day":
		ask.as = resolutions[2]
	default:
		q.fail("period", "must be hour or day, got %q", p)
	}
	ask.as.most = resolutions[1].most
	if q.err == nil {
		q.span(ask, a.o.Clock.Now())
	}
	if q.err != nil {
		return nil, q.err
	}
	if ask.quality == nhip.Raw && !a.isOperator(r) {
		return nil, errStaffOnly
	}
	return ask, nil
}

// indexRows yields a row for each hour or day that has an index.
func (a *API) indexRows(ctx context.Context, ask *historyQuestion, yield func(*historyRow) error) error {
	g := gathering{ask: ask, lately: make(map[nhip.Quantity]*recent), sums: make(map[nhip.Quantity]nhip.Stats), yield: yield}
	from := ask.from
	if ask.as.period == nhip.HourPeriod {
		from = from.Add(-recentHours * time.Hour)
	}
	if err := a.o.History.Rollups(ctx, ask.rollups(from), g.take); err != nil {
		return err
	}
	return g.release()
}

// gathering brings together what the quantities of one hour or day say.
type gathering struct {
	ask    *historyQuestion
	at     time.Time
	lately map[nhip.Quantity]*recent    // of hours
	sums   map[nhip.Quantity]nhip.Stats // of a day
	yield  func(*historyRow) error
}

func (g *gathering) take(r influx.Rolled) error {
	if !r.Time.Equal(g.at) {
		if err := g.release(); err != nil {
			return err
		}
		g.at = r.Time
		clear(g.sums)
	}
	if g.ask.as.period == nhip.DayPeriod {
		g.sums[r.Quantity] = r.Stats
		return nil
	}
	of := g.lately[r.Quantity]
	if of == nil {
		of = new(recent)
		g.lately[r.Quantity] = of
	}
	of.put(r.Time, &r.Stats)
	return nil
}

func (g *gathering) release() error {
	if !g.at.After(g.ask.from) {
		return nil
	}
	var index nhip.AQI
	var ok bool
	if g.ask.as.period == nhip.DayPeriod {
		index, ok = aqi.OfDaySums(g.ask.scale, g.at, g.sums)
	} else {
		hours := make(aqi.Hours, len(g.lately))
		for q, of := range g.lately {
			hours[q] = of.until(g.at)
		}
		index, ok = aqi.At(g.ask.scale, g.at, hours)
	}
	if !ok {
		return nil
	}
	return g.yield(&historyRow{time: g.at, aqi: &index})
}

// until returns the hours up to one that may be later than the last.
func (c *recent) until(end time.Time) []float64 {
	if c.end.Equal(end) {
		return c.hours[:]
	}
	moved := *c
	moved.put(end, &nhip.Stats{})
	return moved.hours[:]
}

// indexForm is how indices are written: by the form's name.
type indexForm string

func (f indexForm) begin(o *historyWriter) {
	if f == formCSV {
		startCSV(o.w.Header(), o.ask.station+"-aqi")
		first := "time"
		if o.ask.as.period == nhip.DayPeriod {
			first = "date"
		}
		o.buf = append(o.buf, byteOrderMark+first+",scale,rule,aqi,level,dominant,capture_pct,utc_offset,station,source\n"...)
		return
	}
	o.w.Header().Set("Content-Type", formJSON)
	o.buf = append(o.buf, `{"station":`...)
	o.buf = appendText(o.buf, o.ask.station)
	o.buf = appendField(o.buf, "from", o.ask.from.Format(time.RFC3339Nano))
	o.buf = appendField(o.buf, "to", o.ask.to.Format(time.RFC3339Nano))
	o.buf = appendField(o.buf, "period", o.ask.as.name)
	o.buf = appendField(o.buf, "level", string(o.ask.quality))
	o.buf = append(o.buf, `,"indices":[`...)
}

func (f indexForm) row(o *historyWriter, r *historyRow) error {
	date := o.ask.date(r.time)
	if f != formCSV {
		if o.rows > 0 {
			o.buf = append(o.buf, ',')
		}
		o.buf = appendAQI(o.buf, r.aqi)
		if date != "" {
			o.buf = append(appendField(o.buf[:len(o.buf)-1], "date", date), '}')
		}
		return nil
	}
	c := row{o.buf}
	if date != "" {
		c.raw(date)
	} else {
		c.time(r.time.In(o.ask.zone))
	}
	c.raw(string(r.aqi.Scale))
	c.raw(r.aqi.Rule)
	c.b = append(strconv.AppendFloat(c.b, r.aqi.Value, 'f', -1, 64), ',')
	c.text(r.aqi.Level.Name.Vi)
	c.raw(string(r.aqi.Dominant))
	c.number(r.aqi.Capture, 10)
	c.raw(o.ask.offset(r.time))
	c.text(o.ask.station)
	c.text(r.aqi.Source)
	o.buf = c.end()
	return nil
}

func (f indexForm) end(o *historyWriter) error {
	if f != formCSV {
		o.buf = append(o.buf, "]}\n"...)
	}
	return nil
}
