package transit

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"nhip"
	"nhip/geo/gtfs"
	"nhip/geo/network"
)

// StopTimetable is what the timetable has at a stop on one service day. It knows nothing of the buses of the day.
type StopTimetable struct {
	Date  string          `json:"date"` // the service day, YYYY-MM-DD
	Zone  string          `json:"zone"` // IANA name
	First string          `json:"first_day,omitempty"`
	Last  string          `json:"last_day,omitempty"` // of the timetable: nothing is known of later days
	Stop  StopRef         `json:"stop"`
	Lines []LineTimetable `json:"lines"`
}

// LineTimetable is the departures of a line in one direction.
type LineTimetable struct {
	Route      string             `json:"route"`
	Line       string             `json:"line"`
	Name       string             `json:"name,omitempty"`
	NameEn     string             `json:"name_en,omitempty"`
	Color      string             `json:"color,omitempty"`
	Headsign   string             `json:"headsign"` // of most departures
	Direction  nhip.Opt[int]      `json:"direction,omitzero"`
	Departures []TimetableTime    `json:"departures"`
	Headways   []TimetableHeadway `json:"headways,omitempty"`
}

// TimetableTime is one departure. Time is the local time HH:MM, to which 24 hours are added for each day after the
// service day: 24:10 is ten past midnight.
type TimetableTime struct {
	Time     string `json:"time"`
	Headsign string `json:"headsign,omitempty"` // if it is not the line's
	Pickup   string `json:"pickup,omitempty"`   // empty if riders just get on
	// whether the timetable has no time for this stop, so that it is interpolated
	Estimated bool `json:"estimated,omitempty"`

	at int64 // Unix s
}

// TimetableHeadway is a period with a headway instead of times.
type TimetableHeadway struct {
	From     string    `json:"from"`  // as TimetableTime.Time
	Until    string    `json:"until"` // exclusive
	Headway  gtfs.Time `json:"headway_s"`
	Headsign string    `json:"headsign,omitempty"`

	at int64
}

// minExactHeadway is the shortest headway of a frequency with exact times whose departures are listed: a listed time
// tells minutes.
const minExactHeadway gtfs.Time = 60

// ParseDay parses a service day, YYYY-MM-DD.
func ParseDay(s string) (gtfs.Date, bool) {
	d, err := time.Parse(time.DateOnly, s)
	return gtfs.DateOf(d), err == nil && d.Year() > 0
}

// Today returns the local day of a moment.
func (t *Timetable) Today(now time.Time) gtfs.Date { return gtfs.DateOf(now.In(t.Network.Location())) }

// StopTimetable returns the departures at a stop on a service day that a query's routes and direction ask for, by line
// and direction. A trip that begins before midnight belongs to the day on which it begins.
func (t *Timetable) StopTimetable(s *gtfs.Stop, day gtfs.Date, q *BoardQuery) StopTimetable {
	out := StopTimetable{
		Date: dayText(day), Zone: t.Network.Location().String(), First: dayText(t.first), Last: dayText(t.expires),
		Stop: t.StopRef(s), Lines: []LineTimetable{},
	}
	b := timetableBuilder{t: t, day: day, lines: make(map[lineKey]*lineTimes), active: make(map[*gtfs.Service]bool)}
	for _, c := range t.Network.CallsAt(s) {
		if q.wantsLine(c.Pattern) {
			b.addCall(c)
		}
	}
	for key, line := range b.lines {
		out.Lines = append(out.Lines, b.line(key, line))
	}
	slices.SortFunc(out.Lines, func(a, b LineTimetable) int {
		return cmp.Or(compareNumbers(a.Line, b.Line), cmp.Compare(a.Route, b.Route),
			cmp.Compare(a.Direction.Or(-1), b.Direction.Or(-1)))
	})
	return out
}

func dayText(d gtfs.Date) string {
	if d == 0 {
		return ""
	}
	return fmt.Sprintf("%04d-%02d-%02d", d/10000, d/100%100, d%100)
}

// compareNumbers compares the numbers of lines: 2 before 10, 10 before 10A.
func compareNumbers(a, b string) int {
	digits := func(s string) string { return s[:len(s)-len(strings.TrimLeft(s, "0123456789"))] }
	x, y := digits(a), digits(b)
	if x == "" || y == "" {
		return cmp.Or(cmp.Compare(min(len(y), 1), min(len(x), 1)), cmp.Compare(a, b)) // numbers before words
	}
	v, w := strings.TrimLeft(x, "0"), strings.TrimLeft(y, "0")
	return cmp.Or(cmp.Compare(len(v), len(w)), cmp.Compare(v, w), cmp.Compare(a, b))
}

// lineTimes are the departures of a line with all their headsigns.
type lineTimes struct {
	times    []TimetableTime
	headways []TimetableHeadway
	signs    map[string]int // number of departures by headsign
}

// timetableBuilder collects the departures of a day by line and direction.
type timetableBuilder struct {
	t      *Timetable
	day    gtfs.Date
	lines  map[lineKey]*lineTimes
	active map[*gtfs.Service]bool // on the day
}

// addCall adds the departures of the trips of a pattern at a stop, unless riders may not get on.
func (b *timetableBuilder) addCall(c network.Call) {
	for _, trip := range c.Pattern.Trips {
		pickup := pickupAt(c, trip)
		if pickup == gtfs.BoardingNone || !b.runs(trip.Service) {
			continue
		}
		key := lineKey{c.Pattern.Route, c.Pattern.Direction}
		if b.lines[key] == nil {
			b.lines[key] = &lineTimes{signs: make(map[string]int)}
		}
		line, call := b.lines[key], &trip.StopTimes[c.At]
		of := TimetableTime{
			Headsign: cmp.Or(trip.Headsign, c.Pattern.Headsign), Pickup: boardingNames[pickup], Estimated: call.Estimated,
		}
		if len(trip.Frequencies) == 0 {
			b.addTime(line, of, call.Departure)
		}
		ride := call.Departure - trip.StopTimes[0].Departure // from the first stop
		for _, f := range trip.Frequencies {
			b.addFrequency(line, of, f, ride)
		}
	}
}

func (b *timetableBuilder) runs(s *gtfs.Service) bool {
	active, known := b.active[s]
	if !known {
		active = s.Active(b.day)
		b.active[s] = active
	}
	return active
}

func (b *timetableBuilder) addTime(line *lineTimes, of TimetableTime, at gtfs.Time) {
	of.Time, of.at = b.local(at)
	line.times = append(line.times, of)
	line.signs[of.Headsign]++
}

// addFrequency adds a repeated trip, which reaches the stop a time after its first stop.
func (b *timetableBuilder) addFrequency(line *lineTimes, of TimetableTime, f gtfs.Frequency, ride gtfs.Time) {
	if f.Exact && f.Headway >= minExactHeadway {
		for start := f.Start; start < f.End; start += f.Headway {
			b.addTime(line, of, start+ride)
		}
		return
	}
	h := TimetableHeadway{Headway: f.Headway, Headsign: of.Headsign}
	h.From, h.at = b.local(f.Start + ride)
	h.Until, _ = b.local(f.End + ride)
	line.headways = append(line.headways, h)
	line.signs[of.Headsign] += int((f.End - f.Start) / f.Headway)
}

// local returns a time of the service day as TimetableTime has it, and in Unix s.
func (b *timetableBuilder) local(at gtfs.Time) (string, int64) {
	moment := b.day.At(at, b.t.Network.Location())
	hours := moment.Hour()
	for d := b.day; d < gtfs.DateOf(moment); d = d.Add(1) {
		hours += 24
	}
	return fmt.Sprintf("%02d:%02d", hours, moment.Minute()), moment.Unix()
}

// line returns the departures of a line in their order. Its headsign is the most frequent one, of several the first.
func (b *timetableBuilder) line(key lineKey, l *lineTimes) LineTimetable {
	r := key.route
	out := LineTimetable{
		Route: r.ID, Line: LineOf(r), Name: r.LongName, NameEn: b.t.Network.Feed.RouteName(r, english), Color: r.WebColor(),
		Direction: key.direction, Departures: append([]TimetableTime{}, l.times...), Headways: l.headways,
	}
	slices.SortStableFunc(out.Departures, func(a, b TimetableTime) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.Headsign, b.Headsign))
	})
	slices.SortStableFunc(out.Headways, func(a, b TimetableHeadway) int { return cmp.Compare(a.at, b.at) })
	var signs []*string
	for i := range out.Departures {
		signs = append(signs, &out.Departures[i].Headsign)
	}
	for i := range out.Headways {
		signs = append(signs, &out.Headways[i].Headsign)
	}
	for _, sign := range signs {
		if l.signs[*sign] > l.signs[out.Headsign] {
			out.Headsign = *sign
		}
	}
	for _, sign := range signs {
		if *sign == out.Headsign {
			*sign = ""
		}
	}
	return out
}
