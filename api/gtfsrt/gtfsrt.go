// Package gtfsrt serves GTFS-realtime 2.0: what is expected of trips, the positions of vehicles, and service alerts, as
// protocol buffers or as their JSON form. A feed is made at most once in a refresh period, and served from memory.
//
// The messages keep the rules of MobilityData's validator (E001 to E052): where our knowledge does not fit them, the
// field is left out. docs/standards.md lists what is left out, and which warnings remain.
package gtfsrt

import (
	"net/http"
	"slices"

	"nhip"
	"nhip/api/live"
	"nhip/api/rest"
	"nhip/api/transit"
	geogtfs "nhip/geo/gtfs"

	"github.com/MobilityData/gtfs-realtime-bindings/golang/gtfs"
	"github.com/go-chi/chi/v5"
)

// Handler serves the feeds.
type Handler struct {
	Transit *transit.Model
	Live    *live.State
	Clock   nhip.Clock
	rest.Responder

	trips, vehicles, alerts source
}

// Routes registers the routes. It must be called once.
func (h *Handler) Routes(r chi.Router) {
	for _, f := range []struct {
		name   string
		source *source
		build  func(*builder) error
	}{
		{"trip-updates", &h.trips, (*builder).tripUpdates},
		{"vehicle-positions", &h.vehicles, (*builder).vehiclePositions},
		{"alerts", &h.alerts, (*builder).serviceAlerts},
	} {
		f.source.clock, f.source.build = h.Clock, func() (*builder, error) {
			b := &builder{transit: h.Transit, live: h.Live, now: h.Clock.Now()}
			return b, f.build(b)
		}
		ready := r.With(h.WhenReady)
		ready.Get("/gtfs-rt/"+f.name+".pb", h.Handle(func(w http.ResponseWriter, r *http.Request) error {
			return h.serve(w, r, f.source)
		}))
		ready.Get("/api/gtfs_realtime/"+f.name+"-for-agency/{id}", h.Handle(
			func(w http.ResponseWriter, r *http.Request) error { return h.serveAgency(w, r, f.source) },
		))
	}
}

// serve answers with a feed: of all agencies, or of the one that the parameter agency names.
func (h *Handler) serve(w http.ResponseWriter, r *http.Request, s *source) error {
	q := rest.ReadQuery(r, "agency", "format")
	agency, form := q.Text("agency"), form(q)
	if q.Err != nil {
		return q.Err
	}
	if agency != "" && !h.knows(agency) {
		return nhip.Errorf(nhip.CodeNotFound, "agency", "there is no agency %q", agency)
	}
	f, err := s.feed()
	if err != nil {
		return err
	}
	body, err := f.encoded(selection{agency: agency, form: form})
	if err != nil {
		return err
	}
	body.serve(w, r)
	return nil
}

// knows reports whether an agency is one of the timetable, of a bus or of a realtime feed.
func (h *Handler) knows(agency string) bool {
	if t, err := h.Transit.Timetable(); err == nil &&
		slices.ContainsFunc(t.Network.Feed.Agencies, func(a *geogtfs.Agency) bool { return a.ID == agency }) {
		return true
	}
	return slices.ContainsFunc(h.Transit.ServiceFeeds(), func(f nhip.ServiceFeed) bool { return f.Agency == agency }) ||
		slices.ContainsFunc(h.Live.AllBuses(), func(b *nhip.Bus) bool { return b.Agency == agency })
}

// Forms of a feed, as in the parameter format.
const (
	formPB   = "pb"
	formJSON = "json"
)

func form(q *rest.Query) string {
	switch f := q.Text("format"); f {
	case "", formPB:
		return formPB
	case formJSON:
		return formJSON
	default:
		q.Fail("format", "must be pb or json, got %q", f)
		return ""
	}
}

// entity is an entity of a feed with the agencies that it belongs to.
type entity struct {
	*gtfs.FeedEntity
	agencies [2]string // of the timetable and of the bus; "" for none
	raw      []byte    // the encoded entity; nil: it is not encoded yet
}
