package webmap

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// lakeAt is where the app looks if nothing is known of the rider, LAT,LON: Hoàn Kiếm Lake. It is that of the script.
const lakeAt = "21.0287,105.8523"

// mostRows is how many lines the server writes into the page: the first screen of a phone.
const mostRows = 5

// departures is the part of an answer of /v1/departures that the page shows.
type departures struct {
	Time  time.Time `json:"time"`
	Lines []struct {
		Route    string                    `json:"route"`
		Line     string                    `json:"line"`
		Headsign string                    `json:"headsign"`
		Stop     struct{ ID, Name string } `json:"stop"`
		WalkTime float64                   `json:"walk_s"`
		Next     []departure               `json:"departures"`
	} `json:"lines"`
}

// departure is a departure of an answer; missing times are zero.
type departure struct {
	State      string    `json:"state"`
	Scheduled  time.Time `json:"scheduled"`
	Expected   time.Time `json:"expected"`
	Early      time.Time `json:"early"`
	Late       time.Time `json:"late"`
	Time       time.Time `json:"time"`
	Confidence *float64  `json:"confidence"`
	Headway    float64   `json:"headway_s"`
}

// departureRow is a row of the page. Figure and Unit, or Text, say when the bus comes.
type departureRow struct {
	Href, Line, Look, Headsign, Place string
	Figure, Unit, Text, Below         string
	Soft                              bool
}

// homeData is what the page shows at /.
type homeData struct {
	Words  *pageText
	Place  string
	When   string
	Rows   []departureRow
	Holder rawHTML // instead of rows
}

// home returns the departures around the place of a request, and the answers that they were made of.
func (h *Handler) home(r *http.Request, words *pageText, holder rawHTML) (any, []seed) {
	data := &homeData{Words: words, Place: words.around, Holder: holder}
	at := lakeAt
	if picked, ok := pickedPlace(r.URL.Query().Get("at")); ok {
		at, data.Place = picked, words.atPlace
	}
	found := h.seeds(r, "/v1/departures?near="+at+"&limit=4", "/v1/air?at="+at)
	for _, s := range found {
		var answer departures
		if !strings.HasPrefix(s.URL, "/v1/departures") || json.Unmarshal(s.Body, &answer) != nil {
			continue
		}
		data.When = fmt.Sprintf(words.asOf, h.clockTime(answer.Time))
		data.Rows = h.departureRows(&answer, words)
	}
	return data, found
}

// pickedPlace reads the parameter at, LAT,LON, and returns it as the script writes it.
func pickedPlace(text string) (string, bool) {
	lat, lon, ok := readPlace(text)
	if !ok {
		return "", false
	}
	return fmt.Sprintf("%.4f,%.4f", lat, lon), true
}

// readPlace reads LAT,LON in degrees.
func readPlace(text string) (lat, lon float64, ok bool) {
	y, x, two := strings.Cut(text, ",")
	lat, err1 := strconv.ParseFloat(y, 64)
	lon, err2 := strconv.ParseFloat(x, 64)
	return lat, lon, two && err1 == nil && err2 == nil && math.Abs(lat) <= 90 && math.Abs(lon) <= 180
}

func (h *Handler) departureRows(answer *departures, words *pageText) []departureRow {
	var rows []departureRow
	for i := range answer.Lines {
		line := &answer.Lines[i]
		next := chooseDeparture(line.Next, line.WalkTime, answer.Time)
		if next == nil || len(rows) == mostRows {
			continue
		}
		row := departureRow{
			Href: "/stop/" + url.PathEscape(line.Stop.ID) + "?line=" + url.QueryEscape(line.Route), Line: line.Line,
			Headsign: line.Headsign,
			Place:    line.Stop.Name + " · " + fmt.Sprintf(words.walk, max(1, int(math.Ceil(line.WalkTime/60-0.2)))),
		}
		h.sayDeparture(&row, next, answer.Time, words)
		rows = append(rows, row)
	}
	return rows
}

// chooseDeparture returns the first departure that a rider who starts now can catch, or else the first that has not
// passed, or nil.
func chooseDeparture(all []departure, walk float64, now time.Time) *departure {
	var first *departure
	for i := range all {
		d := &all[i]
		last := d.last()
		predicted := d.State == "live" || d.State == "forecast"
		if !last.IsZero() && (predicted && last.Before(now) || d.State == "scheduled" && last.Before(now.Add(-time.Minute))) {
			continue
		}
		if first == nil {
			first = d
		}
		catchable := last.IsZero() || last.Sub(now).Seconds() > walk
		if (predicted || d.State == "scheduled") && catchable {
			return d
		}
	}
	return first
}

// last returns until when the bus may come; zero if that is unknown.
func (d *departure) last() time.Time {
	switch {
	case !d.Late.IsZero():
		return d.Late
	case !d.Expected.IsZero():
		return d.Expected
	}
	return d.Scheduled
}

// likely reports that it is only likely which line the bus serves.
func (d *departure) likely() bool { return d.Confidence != nil && *d.Confidence < 0.8 }

// sayDeparture says when a bus comes, and no number by which a rider could miss it: the rules are those of the script
// (api/web/src/rider/eta.ts).
func (h *Handler) sayDeparture(row *departureRow, d *departure, now time.Time, words *pageText) {
	row.Soft = true
	scheduled := h.clockTime(d.Scheduled)
	switch {
	case d.State == "canceled":
		row.Text = words.canceled
	case d.State == "skipped":
		row.Text = words.skipped
	case d.State == "stale":
		row.Look, row.Text = "stale", words.lost
		if !d.Time.IsZero() {
			row.Below = fmt.Sprintf(words.lostAgo, max(1, int(now.Sub(d.Time).Minutes())))
		}
	case d.State == "not_coming" && scheduled != "":
		row.Text = fmt.Sprintf(words.notComing, scheduled)
	case (d.State == "live" || d.State == "forecast") && !d.Expected.IsZero():
		row.Soft = false
		h.sayPrediction(row, d, now, words)
	case d.State == "scheduled" && d.Headway > 0:
		row.Text = fmt.Sprintf(words.every, max(1, int(math.Round(d.Headway/60))))
	case d.State == "scheduled" && scheduled != "":
		row.Text, row.Below = scheduled, words.timetable
	default:
		row.Text = words.noReport
		if scheduled != "" {
			row.Below = fmt.Sprintf(words.trip, scheduled)
		}
	}
}

// Limits of what is told in minutes.
const (
	widestRange   = 8  // minutes between the first and the last
	farthestAhead = 30 // minutes
)

func (h *Handler) sayPrediction(row *departureRow, d *departure, now time.Time, words *pageText) {
	early, late := d.Early, d.Late
	ranged := !early.IsZero() && !late.IsZero()
	if !ranged {
		early, late = d.Expected, d.Expected
	}
	from := max(0, int(math.Floor(early.Sub(now).Minutes())))
	to := int(math.Ceil(late.Sub(now).Minutes()))
	middle := max(1, int(math.Round(d.Expected.Sub(now).Minutes())))
	if d.likely() {
		row.Look = "likely"
	}
	switch {
	case !d.likely() && to <= 1:
		row.Text = words.arriving
	case !d.likely() && to <= 2:
		row.Text = words.soon
	case middle > farthestAhead:
		row.Figure = "≈ " + h.clockTime(d.Expected)
	case !ranged || d.likely() || to-from > widestRange:
		row.Figure, row.Unit = fmt.Sprintf("≈ %d", middle), words.minutes
	default:
		row.Figure, row.Unit = fmt.Sprintf("%d–%d", from, to), words.minutes
	}
}

// clockTime formats a time in the city's time zone; "" for the zero time.
func (h *Handler) clockTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	if h.Config.Zone != nil {
		t = t.In(h.Config.Zone)
	}
	return t.Format("15:04")
}
