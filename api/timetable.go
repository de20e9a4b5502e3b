package api

import (
	"math"
	"net/http"
	"time"

	"nhip/geo/gtfs"
	"nhip/geo/network"
	"nhip/geo/tile"

	"github.com/prometheus/client_golang/prometheus"
)

// remember lets a timetable's predictor learn from the history, beside everything else.
func (a *API) remember(t *transit) {
	a.wg.Go(func() {
		t.remember(a.run, a.o.History, func(err error) {
			a.log.Warn("can't read the arrivals of the last hours yet; predictions keep to the timetable", "error", err)
		})
	})
}

// UseTimetable answers by another timetable from now on. It must be called between Start and Stop.
func (a *API) UseTimetable(n *network.Network, drawn *tile.Network) {
	t := newTransit(n, a.o.Clock)
	take := func() {
		for _, h := range a.city.buses.Within(nil, world, nil) {
			t.move(h.ID, h.Item)
		}
	}
	take() // so that nobody finds it empty
	a.city.name(drawn)
	a.drawn.Store(drawn)
	a.drawings.Add(1)
	a.city.transit.Store(t)
	take() // what moved meanwhile
	a.remember(t)
}

// expires returns the last day of the timetable, and whether there is one and it is over.
func (a *API) expires() (last gtfs.Date, over bool) {
	t := a.city.transit.Load()
	if t == nil {
		return 0, false
	}
	return t.expires, t.expires != 0 && gtfs.DateOf(a.o.Clock.Now().In(t.net.Location())) > t.expires
}

// timetableGood is false once the timetable is over.
func (a *API) timetableGood() bool {
	_, over := a.expires()
	return !over
}

// sayExpiry tells in each answer that is made of the timetable how long that is good for.
func (a *API) sayExpiry(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if last, over := a.expires(); last != 0 {
			w.Header().Set("Nhip-Timetable-Expires", time.Date(int(last/10000), time.Month(last/100%100), int(last%100), 0, 0, 0, 0, time.UTC).Format(time.DateOnly))
			if over {
				w.Header().Set("Nhip-Timetable-Expired", "true")
			}
		}
		next.ServeHTTP(w, r)
	})
}

// watchTimetable puts the end of the timetable among the metrics.
func (a *API) watchTimetable() {
	a.o.Registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "nhip_api_timetable_days_left", Help: "Days until the timetable expires, today included; negative once it has, NaN without one.",
	}, func() float64 {
		t := a.city.transit.Load()
		if t == nil || t.expires == 0 {
			return math.NaN()
		}
		return t.expires.At(24*3600, t.net.Location()).Sub(a.o.Clock.Now()).Hours() / 24
	}))
}
