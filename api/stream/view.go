package stream

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"nhip"
	"nhip/api/rest"
	"nhip/api/scope"
	"nhip/geo/index"
)

// form is how a stream's events are encoded.
type form uint8

// Forms, as in the parameter form.
const (
	formPlain   form = iota // each change as a whole GeoJSON feature
	formCompact             // rows of moving buses, with all that changes
	formShort               // rows of moving buses, of at most 45 bytes each
	forms                   // how many there are
)

var formNames = [forms]string{"plain", "compact", "short"}

// Limits of a subscription.
const (
	maxLines    = 20
	maxStops    = 10
	maxStations = 100
	maxZones    = 20
	maxID       = 128 // bytes of an id
	// with more lines than this a stream is served like one of the whole city
	fewLines = 8
)

// view is what a client asks for. What it subscribes to adds up; a view without any subscription is everything.
type view struct {
	subscription
	form   form
	socket bool          // whether the client has a WebSocket
	period time.Duration // for which changes are joined
	sees   scope.View    // what the client may see
}

// Transports, as in the metrics.
const (
	transportSSE    = "sse"
	transportSocket = "websocket"
)

func (v *view) transport() string {
	if v.socket {
		return transportSocket
	}
	return transportSSE
}

// subscription is what a client wants to see.
type subscription struct {
	box   index.Box
	boxed bool
	// ids, sorted and each once: of lines (public number or route id), stops, stations, and zones (kind/id)
	lines, stops, stations, zones []string
	alerts                        bool // all service alerts, not only those about its lines and stops
}

// everything reports whether nothing is named, so that the client sees all buses and stations.
func (s *subscription) everything() bool {
	return !s.boxed && !s.alerts && len(s.lines)+len(s.stops)+len(s.stations)+len(s.zones) == 0
}

// narrow reports whether few objects change in the subscription, so that streams are woken by those alone.
func (s *subscription) narrow() bool {
	return !s.everything() && (!s.boxed || narrow(s.box)) && len(s.lines) <= fewLines
}

// A box is narrow if it is at most narrowSide wide and high and has at most narrowArea: about 6 × 6 km, what a phone
// shows. Streams of narrow boxes are woken by what changes in their box; others wake with every change, and read the
// changes of the whole city.
const (
	narrowSide = 0.1    // degrees
	narrowArea = 0.0036 // square degrees
)

// narrow reports whether a box is narrow. Boxes at the date line are not.
func narrow(b index.Box) bool {
	width, height := b.MaxLon-b.MinLon, b.MaxLat-b.MinLat
	return width >= 0 && width <= narrowSide && height <= narrowSide && width*height <= narrowArea &&
		b.MinLon > -180 && b.MaxLon < 180
}

// list is one of the lists of a subscription.
type list struct {
	name string
	most int
	of   func(*subscription) *[]string
}

// lists are the lists of a subscription, by their name in queries and messages.
var lists = []list{
	{"lines", maxLines, func(s *subscription) *[]string { return &s.lines }},
	{"stops", maxStops, func(s *subscription) *[]string { return &s.stops }},
	{"stations", maxStations, func(s *subscription) *[]string { return &s.stations }},
	{"zones", maxZones, func(s *subscription) *[]string { return &s.zones }},
}

// set checks ids and makes them the list's. Errors have nhip.CodeInvalid and name the list.
func (l list) set(s *subscription, ids []string) error {
	if len(ids) > l.most {
		return nhip.Errorf(nhip.CodeInvalid, l.name, "must name at most %d, got %d", l.most, len(ids))
	}
	for _, id := range ids {
		switch {
		case id == "":
			return nhip.Errorf(nhip.CodeInvalid, l.name, "must not have an empty id")
		case len(id) > maxID:
			return nhip.Errorf(nhip.CodeInvalid, l.name, "must have ids of at most %d bytes, got one of %d", maxID, len(id))
		case l.name == "zones" && !strings.Contains(id, "/"):
			return nhip.Errorf(nhip.CodeInvalid, l.name, "must have ids of the form kind/id, as in district/ba-dinh, got %q", id)
		}
		if err := nhip.CheckText(l.name, id); err != nil {
			return rest.AsInvalid(err)
		}
	}
	sorted := slices.Clone(ids)
	slices.Sort(sorted)
	*l.of(s) = slices.Clip(slices.Compact(sorted))
	return nil
}

// readView reads the parameters of a request, and the id of the last event that the client has had, which is "" if it
// has had none.
func readView(r *http.Request) (v view, lastID string, err error) {
	q := rest.ReadQuery(r, "bbox", "zoom", "form", "lines", "stops", "stations", "zones", "alerts", "last_event_id")
	v.box, v.boxed = q.Box("bbox")
	for _, l := range lists {
		if !q.Values.Has(l.name) || q.Err != nil {
			continue
		}
		ids := strings.Split(q.Values.Get(l.name), ",")
		for i := range ids {
			ids[i] = strings.TrimSpace(ids[i])
		}
		q.Err = l.set(&v.subscription, ids)
	}
	if q.Values.Has("alerts") {
		v.alerts = true
		if s := q.Text("alerts"); s != allAlerts {
			q.Fail("alerts", "must be %s, got %q", allAlerts, s)
		}
	}
	zoom := q.Integer("zoom", -1, 0, maxZoom)
	if name := q.Text("form"); name != "" {
		i := slices.Index(formNames[:], name)
		if i < 0 {
			q.Fail("form", "must be %s, got %q", strings.Join(formNames[:], ", "), name)
		}
		v.form = form(max(i, 0))
	}
	lastID = q.Text("last_event_id")
	if header := r.Header.Get("Last-Event-ID"); header != "" {
		lastID = header
	}
	v.period = period(zoom, v.narrow())
	return v, lastID, q.Err
}

// allAlerts asks for all service alerts.
const allAlerts = "all"

// maxZoom is the largest zoom of maps.
const maxZoom = 24

// Periods for which changes are joined: of streams with a narrow subscription, and of others.
const (
	narrowPeriod = 200 * time.Millisecond
	widePeriod   = 250 * time.Millisecond
)

// period returns for how long changes are joined. Zoom is that of the client's map, with tiles of 512 pixels, or -1: at
// zoom 10 a bus in traffic moves a pixel in 15 s, so that a phone needs no more than a change every 2 s.
func period(zoom int, narrow bool) time.Duration {
	switch {
	case zoom < 0 && narrow, zoom >= 13:
		return narrowPeriod
	case zoom < 0:
		return widePeriod
	case zoom == 12:
		return 500 * time.Millisecond
	case zoom == 11:
		return time.Second
	case zoom == 10:
		return 2 * time.Second
	default:
		return 5 * time.Second
	}
}
