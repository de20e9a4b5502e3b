package air

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"

	"nhip"
	"nhip/geo/alert"
	"nhip/internal/durable"
)

// alertsFile holds the state of every rule at every station, and the pending deliveries.
const alertsFile = "alerts.json"

// restoreAlerts reads alertsFile. A damaged one is set aside: the rules begin anew with the next readings.
func (p *Processor) restoreAlerts() {
	p.alerts.States = make(map[string]*alert.State)
	raw, err := os.ReadFile(p.path(alertsFile))
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err == nil {
		err = json.Unmarshal(raw, &p.alerts)
	}
	if err != nil {
		p.o.Damage.SetAside(p.path(alertsFile), fmt.Errorf("corrupt states of alerts; the rules begin anew: %w", err))
		p.alerts = alertStates{}
	}
	if p.alerts.States == nil {
		p.alerts.States = make(map[string]*alert.State)
	}
	maps.DeleteFunc(p.alerts.States, func(_ string, s *alert.State) bool { return s == nil })
}

// writeAlerts writes alertsFile. p.alertsFileMu must be held since before the states were copied, so that older states
// never replace newer ones.
func (p *Processor) writeAlerts(raw []byte) error {
	return durable.Write(p.path(alertsFile), func(w io.Writer) error { _, err := w.Write(raw); return err })
}

// saveAlerts writes alertsFile if the states or deliveries have changed.
func (p *Processor) saveAlerts() error {
	p.alertsFileMu.Lock()
	defer p.alertsFileMu.Unlock()
	p.mu.Lock()
	if !p.alerts.dirty {
		p.mu.Unlock()
		return nil
	}
	states := p.alerts.clone()
	p.alerts.dirty = false
	p.mu.Unlock()
	raw, err := json.Marshal(states)
	if err != nil {
		return err
	}
	return p.writeAlerts(raw)
}

// publishAlerts makes changed alerts durable and then publishes them. Alerts that can't be saved are not published,
// because they would be published again after a start.
func (p *Processor) publishAlerts() {
	p.alertsFileMu.Lock()
	defer p.alertsFileMu.Unlock()
	p.mu.Lock()
	changed := p.alerts.changed
	if len(changed) == 0 {
		p.mu.Unlock()
		return
	}
	states := p.alerts.clone()
	p.alerts.changed = nil
	p.mu.Unlock()
	raw, err := json.Marshal(states)
	if err == nil {
		err = p.writeAlerts(raw)
	}
	if err != nil {
		p.log.Error("can't save alerts; they are published once they are saved", "error", err)
		p.mu.Lock()
		p.alerts.changed = append(changed, p.alerts.changed...)
		p.mu.Unlock()
		return
	}
	for _, a := range changed {
		p.log.Info("alert changed", "alert", a.ID, "grade", a.Grade, "value", a.Value)
		p.o.PublishAlert(a)
	}
}

// OpenAlerts returns the alerts that have not ended, sorted by id.
func (p *Processor) OpenAlerts() []nhip.Alert {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []nhip.Alert
	for _, s := range p.alerts.States {
		if s.Alert.Grade > 0 {
			out = append(out, s.Alert)
		}
	}
	slices.SortFunc(out, func(a, b nhip.Alert) int { return strings.Compare(a.ID, b.ID) })
	return out
}

// Ack records and publishes the acknowledgement of an alert. It ignores alerts that are unknown, ended or already
// acknowledged.
func (p *Processor) Ack(a nhip.Ack) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.alerts.States {
		if s.Alert.ID == a.Alert && s.Alert.Grade > 0 && s.Alert.AckTime.IsZero() {
			s.Alert.AckBy, s.Alert.AckNote, s.Alert.AckTime = a.By, a.Note, a.Time
			p.alerts.changed = append(p.alerts.changed, s.Alert)
		}
	}
	p.signal()
}
