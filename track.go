package nhip

import "time"

// Track is the progress of a bus along its pattern, as tracked by the collector. Patterns, trips and stops are those of
// the timetable.
type Track struct {
	Status     string       `json:"status"`            // "in_service", "layover", "deadhead", "off_route" or "unknown"
	Pattern    string       `json:"pattern,omitempty"` // id of the pattern (route, direction, shape and stops)
	Trip       string       `json:"trip,omitempty"`    // GTFS trip_id; empty when the trip is unknown
	StartDate  string       `json:"start_date,omitempty"`
	StartTime  string       `json:"start_time,omitempty"` // HH:MM:SS, may pass 24:00
	Along      float64      `json:"along_m"`              // metres along the pattern's shape
	ToStart    float64      `json:"to_start_m,omitempty"` // metres to the first stop of the trip, while on the way there
	Next       int          `json:"next"`                 // index of the next stop in the pattern
	Deviation  Opt[float64] `json:"deviation_s,omitzero"` // s behind the timetable, negative is ahead; none if unsure
	Confidence float64      `json:"confidence"`           // probability, 0 to 1, that route and direction are right
	Inferred   bool         `json:"inferred,omitempty"`   // the trip was inferred: not reported, or reported wrongly
	Flags      []string     `json:"flags,omitempty"`      // "teleport", "stuck", "wrong_sign_on"
}

// Arrival is the passage of a bus at a stop, interpolated between its fixes: the payload of
// nhip/event/arrival/<agency>/<vehicle>.
type Arrival struct {
	Agency    string    `json:"agency"`
	Vehicle   string    `json:"vehicle"`
	Time      time.Time `json:"time"`              // of the arrival; at the first stop, of the departure
	Departed  time.Time `json:"departed,omitzero"` // zero while the bus stands at the stop
	Pattern   string    `json:"pattern"`
	Route     string    `json:"route"`
	Trip      string    `json:"trip,omitempty"`
	StartDate string    `json:"start_date,omitempty"`
	StartTime string    `json:"start_time,omitempty"`
	Stop      string    `json:"stop"`  // GTFS stop_id
	Index     int       `json:"index"` // of the stop in the pattern
	Delay     Opt[int]  `json:"delay,omitzero"`
	Inferred  bool      `json:"inferred,omitempty"`
	Origin    Origin    `json:"origin,omitempty"`
}
