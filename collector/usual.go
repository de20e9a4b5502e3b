package collector

import (
	"encoding/json"
	"sync"

	"nhip/internal/fleet"
)

// usual is which line each vehicle usually drives, as the fleet says. It tips the scales where a bus does not
// say what it runs.
type usual struct {
	mu    sync.Mutex
	lines map[string]fleet.Vehicle
}

// line returns the vehicle's usual line, or "".
func (u *usual) line(agency, vehicle string) string {
	u.mu.Lock()
	defer u.mu.Unlock()
	if v := u.lines[vehicle]; v.Agency == "" || v.Agency == agency {
		return v.Line
	}
	return ""
}

// hear takes in what the fleet says of a vehicle; nothing is that it has left. What can't be read says
// nothing: the api, which hears the same, tells of it.
func (u *usual) hear(vehicle string, payload []byte) {
	u.mu.Lock()
	defer u.mu.Unlock()
	var v fleet.Vehicle
	if json.Unmarshal(payload, &v) != nil {
		delete(u.lines, vehicle)
		return
	}
	if u.lines == nil {
		u.lines = make(map[string]fleet.Vehicle)
	}
	u.lines[vehicle] = v
}
