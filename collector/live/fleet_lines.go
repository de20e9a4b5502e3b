package live

import (
	"encoding/json"
	"sync"

	"nhip/internal/fleet"
)

// fleetLines are the lines on which vehicles usually run according to the fleet. They help to infer the trip of a bus
// that does not report one.
type fleetLines struct {
	mu       sync.Mutex
	vehicles map[string]fleet.Vehicle
}

// line returns a vehicle's usual line, or "".
func (f *fleetLines) line(agency, vehicle string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if v := f.vehicles[vehicle]; v.Agency == "" || v.Agency == agency {
		return v.Line
	}
	return ""
}

// update applies a retained fleet message about a vehicle. An empty payload means that the vehicle was removed.
// Undecodable payloads count as empty; the api logs them.
func (f *fleetLines) update(vehicle string, payload []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var v fleet.Vehicle
	if json.Unmarshal(payload, &v) != nil {
		delete(f.vehicles, vehicle)
		return
	}
	if f.vehicles == nil {
		f.vehicles = make(map[string]fleet.Vehicle)
	}
	f.vehicles[vehicle] = v
}
