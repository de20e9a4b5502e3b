package v1

import (
	"math"
	"net/http"
	"time"

	"nhip"
	"nhip/api/rest"
)

// windAnswer is the answer of GET /v1/wind.
type windAnswer struct {
	Time     time.Time     `json:"time"` // of the answer
	Stations []stationWind `json:"stations"`
}

// stationWind is the newest wind at a station.
type stationWind struct {
	Station   string              `json:"station"`
	Name      *nhip.LocalizedText `json:"name,omitempty"`
	Lat       nhip.Opt[float64]   `json:"lat"` // null if the position is private or not known, as Lon
	Lon       nhip.Opt[float64]   `json:"lon"`
	Speed     nhip.Opt[float64]   `json:"speed"`     // m/s; null if only the direction was measured
	Direction nhip.Opt[float64]   `json:"direction"` // degrees clockwise from north, from which it blows
	Time      time.Time           `json:"time"`      // END of the averaging period
	Age       float64             `json:"age_s"`
	State     nhip.State          `json:"state"`
	Flag      nhip.Flag           `json:"flag"`
	Origin    nhip.Origin         `json:"origin,omitempty"`
}

// listWind answers GET /v1/wind with the stations on the map that measure the wind.
func (h *Handler) listWind(w http.ResponseWriter, r *http.Request) error {
	p := rest.ReadQuery(r, "bbox")
	q := &stationsQuery{now: h.Clock.Now(), view: rest.ScopeOf(r)}
	q.box, q.boxed = p.Box("bbox")
	if p.Err != nil {
		return p.Err
	}
	all, err := h.stations(r.Context(), q)
	if err != nil {
		return err
	}
	answer := windAnswer{Time: q.now.UTC().Truncate(time.Millisecond), Stations: []stationWind{}}
	for _, s := range all {
		if wind, ok := windOf(s.Station, q.now); ok {
			answer.Stations = append(answer.Stations, wind)
		}
	}
	return h.JSON(w, rest.CacheLive, answer)
}

// windOf returns the newest wind at a station. Speed and direction belong together if they have the same time; else the
// newer one stands alone. Values that fail the checks are left out.
func windOf(s *nhip.Station, now time.Time) (stationWind, bool) {
	usable := func(q nhip.Quantity) (nhip.LiveValue, bool) {
		v, ok := s.Values[q]
		return v, ok && v.Flag != nhip.FlagFail
	}
	speed, fast := usable(nhip.WindSpeed)
	direction, from := usable(nhip.WindDirection)
	if fast && from && !speed.Time.Equal(direction.Time) {
		fast, from = speed.Time.After(direction.Time), direction.Time.After(speed.Time)
	}
	out := stationWind{Station: s.ID, Lat: s.Lat, Lon: s.Lon, Origin: s.Origin}
	newest := speed
	switch {
	case fast && from:
		newest.Flag = max(speed.Flag, direction.Flag)
	case from:
		newest = direction
	case !fast:
		return out, false
	}
	if fast {
		out.Speed = nhip.Some(math.Round(100*speed.Value) / 100)
	}
	if from {
		out.Direction = nhip.Some(math.Mod(math.Round(10*direction.Value)/10, 360))
	}
	if s.Name != (nhip.LocalizedText{}) {
		name := s.Name.Full()
		out.Name = &name
	}
	out.Time, out.Flag, out.State = newest.Time.UTC(), newest.Flag, s.ValueState(newest, now)
	out.Age = math.Round(10*max(0, now.Sub(newest.Time).Seconds())) / 10
	return out, true
}
