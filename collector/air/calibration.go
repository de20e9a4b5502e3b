package air

import (
	"encoding/json"
	"maps"
	"reflect"

	"nhip"
)

// ApplyCalibration applies a change of a document if it is the calibration of a station's quantity. Without a body, the
// calibration of the fleet alone is in force. As one of the fleet, a new line applies to all readings since it is valid.
func (p *Processor) ApplyCalibration(doc *nhip.Document) {
	station, q, ok := nhip.ParseCalibrationID(doc.ID)
	if doc.Kind != nhip.DocumentCalibration || !ok {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.station(station)
	web := make(calibrations, len(s.web)+1)
	maps.Copy(web, s.web)
	delete(web, q)
	if len(doc.Body) > 0 {
		p.decode(web, q, doc.ID, doc.Body)
	}
	p.setCalibrations(s, web)
}

// SetCalibrations replaces all that staff have set over the web by the calibrations among documents. What has not
// changed costs nothing.
func (p *Processor) SetCalibrations(docs []nhip.DocumentState) {
	all := make(map[string]calibrations)
	for i := range docs {
		station, q, ok := nhip.ParseCalibrationID(docs[i].ID)
		if docs[i].Kind != nhip.DocumentCalibration || !ok {
			continue
		}
		if all[station] == nil {
			all[station] = make(calibrations)
		}
		p.decode(all[station], q, docs[i].ID, docs[i].Body)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for id := range all {
		p.station(id)
	}
	for id, s := range p.stations {
		p.setCalibrations(s, all[id])
	}
}

// decode adds the calibration of a document, which was checked when it was accepted.
func (p *Processor) decode(to calibrations, q nhip.Quantity, id string, body []byte) {
	var c nhip.CalibrationChange
	if err := json.Unmarshal(body, &c); err != nil {
		p.log.Error("undecodable calibration; that of the fleet is in force", "id", id, "error", err)
		return
	}
	to[q] = c
}

// setCalibrations applies the changes of a station. p.mu must be held.
func (p *Processor) setCalibrations(s *station, web calibrations) {
	if len(web) == 0 {
		web = nil
	}
	if reflect.DeepEqual(s.web, web) {
		return
	}
	s.web = web
	p.reconfigure(s)
}
