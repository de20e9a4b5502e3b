package api

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/api/livetest"
	"nhip/api/transit"
	"nhip/geo/geotest"
	"nhip/geo/network"
)

// eight is 08:00 in Hanoi on the day of the test timetable.
var eight = time.Date(2026, 3, 2, 8, 0, 0, 0, geotest.TimeZone)

// newTransitAPI returns an api with a line of 21 stops and a departure every 15 minutes.
func newTransitAPI(t *testing.T) (*API, *network.Network) {
	t.Helper()
	n := network.New(geotest.Line(21, 15*time.Minute))
	return newAPI(t, func(o *Options) {
		o.Clock, o.Timetable, o.History = livetest.NewClock(eight.UTC()), n, quietHistory{}
	}), n
}

// quietHistory is a history without arrivals.
type quietHistory struct{ absentHistory }

func (quietHistory) Arrivals(context.Context, time.Time, time.Time, func(nhip.Arrival) error) error {
	return nil
}

func setClock(a *API, now time.Time) { a.o.Clock.(*livetest.Clock).Set(now) }

// timetable returns the timetable in use.
func timetable(t *testing.T, a *API) *transit.Timetable {
	t.Helper()
	inUse, err := a.transit.Timetable()
	if err != nil {
		t.Fatal(err)
	}
	return inUse
}

func TestExpiredTimetableIsAnnounced(t *testing.T) {
	a, _ := newTransitAPI(t)
	if w := get(t, a, "/v1/routes"); w.Header().Get("Nhip-Timetable-Expires") != "2026-12-31" ||
		w.Header().Get("Nhip-Timetable-Expired") != "" {
		t.Errorf("valid: %v", w.Header())
	}
	setClock(a, time.Date(2027, 1, 1, 12, 0, 0, 0, geotest.TimeZone))
	if w := get(t, a, "/v1/routes"); w.Header().Get("Nhip-Timetable-Expired") != "true" {
		t.Errorf("expired: %v", w.Header())
	}
	if w := get(t, a, "/readyz"); !strings.Contains(w.Body.String(), "timetable") &&
		!strings.Contains(w.Body.String(), "waiting") {
		t.Errorf("/readyz: %s", w.Body)
	}
	if w := get(t, a, "/metrics"); !strings.Contains(w.Body.String(), "nhip_api_timetable_days_left -0.5") {
		t.Error("/metrics does not show it")
	}
}

func TestUseTimetableReplacesTimetable(t *testing.T) {
	a, _ := newTransitAPI(t)
	a.UseTimetable(network.New(geotest.Line(25, 15*time.Minute)), nil)
	t.Cleanup(a.tasks.Cancel)
	if w := get(t, a, "/v1/stops/S24"); w.Code != http.StatusOK {
		t.Errorf("a new stop: %d", w.Code)
	}
}
