package transit

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"sync"

	"nhip"
)

// WrittenAlert is a service alert that a dispatcher has written. It must not be changed.
type WrittenAlert struct {
	*nhip.WrittenAlert
	Version int64  // rises with each change; a change names the one that it was made from
	By      string // who made the last change

	told *nhip.ServiceAlert
}

// writtenAlerts are the service alerts of dispatchers, which stand beside those of the realtime feeds.
type writtenAlerts struct {
	mu        sync.RWMutex
	byID      map[string]WrittenAlert
	published []WrittenAlert // those that end last first
	changed   chan struct{}  // closed with the next change
}

func newWrittenAlerts() *writtenAlerts {
	return &writtenAlerts{byID: make(map[string]WrittenAlert), changed: make(chan struct{})}
}

// Written applies the state of a document with a written alert.
func (m *Model) Written(d nhip.DocumentState) {
	var a *nhip.WrittenAlert
	if d.Exists() {
		a = new(nhip.WrittenAlert)
		if err := json.Unmarshal(d.Body, a); err != nil {
			m.o.Logger.Error("undecodable document", "kind", d.Kind, "id", d.ID, "error", err)
			return
		}
	}
	w := m.written
	w.mu.Lock()
	defer w.mu.Unlock()
	if a == nil {
		delete(w.byID, d.ID)
	} else {
		w.byID[d.ID] = WrittenAlert{a, d.Version, d.By, m.ToldAlert(a)}
	}
	w.sort()
	close(w.changed)
	w.changed = make(chan struct{})
}

// sort makes the list of the published alerts: most of those that are kept have ended, and riders' requests do not look
// at them. The caller holds mu.
func (w *writtenAlerts) sort() {
	w.published = w.published[:0:0]
	for _, a := range w.byID {
		if a.Status == nhip.AlertPublished {
			w.published = append(w.published, a)
		}
	}
	slices.SortFunc(w.published, func(a, b WrittenAlert) int { return b.End().Compare(a.End()) })
}

// retell makes what riders are told of the written alerts anew: their texts name stops of the timetable.
func (m *Model) retell() {
	w := m.written
	w.mu.Lock()
	defer w.mu.Unlock()
	for id, a := range w.byID {
		a.told = m.ToldAlert(a.WrittenAlert)
		w.byID[id] = a
	}
	w.sort()
}

// ToldAlert returns a written alert as riders are told it, in the form of the alerts of realtime feeds.
func (m *Model) ToldAlert(a *nhip.WrittenAlert) *nhip.ServiceAlert {
	return m.inUse.Load().toldAlert(a)
}

// FindWritten returns a written alert.
func (m *Model) FindWritten(id string) (WrittenAlert, bool) {
	m.written.mu.RLock()
	defer m.written.mu.RUnlock()
	a, ok := m.written.byID[id]
	return a, ok
}

// WrittenAlerts returns the written alerts for which wanted returns true, the newest first.
func (m *Model) WrittenAlerts(wanted func(*nhip.WrittenAlert) bool) []WrittenAlert {
	m.written.mu.RLock()
	defer m.written.mu.RUnlock()
	out := []WrittenAlert{}
	for _, a := range m.written.byID {
		if wanted(a.WrittenAlert) {
			out = append(out, a)
		}
	}
	slices.SortFunc(out, func(a, b WrittenAlert) int {
		return cmp.Or(b.Created.Compare(a.Created), cmp.Compare(a.ID, b.ID))
	})
	return out
}

// AwaitWritten waits until the model has a version of a written alert, or a later one, or ctx ends. Version 0 is that
// there is none.
func (m *Model) AwaitWritten(ctx context.Context, id string, version int64) {
	for {
		m.written.mu.RLock()
		has, changed := m.written.byID[id].Version, m.written.changed
		m.written.mu.RUnlock()
		if version > 0 && has >= version || version == 0 && has == 0 {
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}

// toldWritten returns the written alerts that riders see now or will see.
func (m *Model) toldWritten() (out []*nhip.ServiceAlert) {
	now := m.o.Clock.Now()
	m.written.mu.RLock()
	defer m.written.mu.RUnlock()
	for _, a := range m.written.published {
		if a.Over(now) {
			break // and so are all after it
		}
		out = append(out, a.told)
	}
	return out
}
