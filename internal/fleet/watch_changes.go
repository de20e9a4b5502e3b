package fleet

import (
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"os"
	"reflect"

	"nhip"
	"nhip/internal/durable"
)

// SetChanges replaces what staff have changed over the web, and calls the functions of OnChange with the fleet that is
// in force then.
func (w *Watch) SetChanges(changes Changes) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if reflect.DeepEqual(w.changes, changes) {
		return
	}
	w.changes = maps.Clone(changes)
	w.saveChanges()
	before := w.Fleet()
	w.enforce(w.file.Load())
	lines := Diff(before, w.Fleet())
	w.o.Logger.Info("changes over the web in force", "changes", len(changes), "differences", len(lines))
	w.tell()
}

// Entry returns the entry of a device that is in force, nil if there is none, and the digest of that of the file. web
// reports whether the entry in force, or that there is none, comes from a change over the web.
func (w *Watch) Entry(id string) (entry *nhip.DeviceEntry, base string, web bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if d := w.Fleet().Device(id); d != nil {
		e := EntryOf(d)
		entry = &e
	}
	return entry, Base(w.file.Load().Device(id)), w.states[id] == ChangeInForce
}

// restoreChanges reads the copy of the changes. Without it they count once they are received.
func (w *Watch) restoreChanges() {
	if w.o.Changes == "" {
		return
	}
	raw, err := os.ReadFile(w.o.Changes)
	if err == nil {
		err = json.Unmarshal(raw, &w.changes)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		w.changes = nil
		w.o.Logger.Warn("changes over the web not restored; they are in force once they are received", "error", err)
	}
}

// saveChanges writes the copy.
func (w *Watch) saveChanges() {
	if w.o.Changes == "" {
		return
	}
	raw, err := json.Marshal(w.changes)
	if err == nil {
		err = durable.WriteFile(w.o.Changes, raw)
	}
	if err != nil {
		w.o.Logger.Warn("no copy of the changes over the web; they would be in force late after the next start", "error", err)
	}
}
