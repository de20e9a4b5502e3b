package remind

import (
	"encoding/json"
	"sync"
	"time"

	"nhip"
)

// entry is a reminder with what is known of it besides its document. Entries are replaced when the document changes.
type entry struct {
	nhip.Reminder

	id      string
	version int64
	look    time.Time // when it is decided next, by the platform's clock
	sent    time.Time // when a change was sent last, by the machine's clock

	// of the last update that was told
	told    time.Time
	minutes int
	vehicle string
}

// book is the reminders by their ids. It is safe for concurrent use.
type book struct {
	mu      sync.Mutex
	entries map[string]*entry
	changed bool // since the last call of wanted
}

func newBook() *book { return &book{entries: make(map[string]*entry)} }

// put applies a document. One that can't be decoded is of a newer version, and not decided here.
func (b *book) put(d nhip.DocumentState) {
	var r nhip.Reminder
	ok := d.Exists() && json.Unmarshal(d.Body, &r) == nil
	b.mu.Lock()
	defer b.mu.Unlock()
	b.changed = true
	if !ok {
		delete(b.entries, d.ID)
		return
	}
	b.entries[d.ID] = &entry{Reminder: r, id: d.ID, version: d.Version, minutes: -1}
}

// due returns the reminders that wait and are to be decided at a time. Only the caller changes entries besides put.
func (b *book) due(now time.Time) (out []*entry) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range b.entries {
		if e.State == nhip.ReminderWaiting && !now.Before(e.look) && now.Before(e.Expires) {
			out = append(out, e)
		}
	}
	return out
}

// undelivered returns the reminders whose outcome is to be delivered.
func (b *book) undelivered() (out []*entry) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range b.entries {
		if e.Outcome != nil && !e.Delivered {
			out = append(out, e)
		}
	}
	return out
}

// current reports whether an entry is the newest one of its reminder.
func (b *book) current(e *entry) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.entries[e.id] == e
}

// wanted is what reminders that wait are about: predictions are made for nothing else.
type wanted struct {
	routes map[string]bool    // ids
	buses  map[[2]string]bool // agency and vehicle
}

// any reports whether a reminder needs the buses.
func (w *wanted) any() bool { return len(w.routes)+len(w.buses) > 0 }

// wanted returns what the reminders are about; changed is false if that is as it was at the last call.
func (b *book) wanted() (w wanted, changed bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.changed {
		return w, false
	}
	b.changed = false
	w = wanted{routes: make(map[string]bool), buses: make(map[[2]string]bool)}
	for _, e := range b.entries {
		switch {
		case e.State != nhip.ReminderWaiting:
		case e.Kind == nhip.ReminderBus || e.Kind == nhip.ReminderLeave:
			w.routes[e.Route] = true
		case e.Kind == nhip.ReminderGetOff:
			w.buses[[2]string{e.Agency, e.Vehicle}] = true
		}
		if e.State == nhip.ReminderWaiting && e.Vehicle != "" {
			w.buses[[2]string{e.Agency, e.Vehicle}] = true
		}
	}
	return w, true
}

// count returns the number of reminders in each state.
func (b *book) count(state nhip.ReminderState) (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range b.entries {
		if e.State == state {
			n++
		}
	}
	return n
}
