package schedule

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"

	"nhip"
	"nhip/internal/durable"
)

// content is what the file holds.
type content struct {
	Schedules map[string]*entry `json:"schedules"` // by id
}

var errIncomplete = errors.New("states are missing")

// complete reports whether each schedule has a state.
func (c *content) complete() bool {
	for _, e := range c.Schedules {
		if e == nil {
			return false
		}
	}
	return c.Schedules != nil
}

// restore reads the file. If it is missing or damaged, it is not known what was sent, so that nothing that was due
// before now is.
func (s *Sender) restore() error {
	raw, err := os.ReadFile(s.o.Path)
	var c content
	if err == nil {
		err = json.Unmarshal(raw, &c)
	}
	switch {
	case err == nil && c.complete():
		s.entries = c.Schedules
		return nil
	case !errors.Is(err, fs.ErrNotExist):
		err = cmp.Or(err, errIncomplete)
		s.o.Damage.SetAside(s.o.Path, fmt.Errorf("corrupt states of schedules; what was due before is not sent: %w", err))
	}
	s.floor = s.now()
	return durable.WriteFile(s.o.Path, []byte(`{"schedules":{}}`))
}

// entry returns the entry of a schedule, and makes one if needed. s.mu must be held.
func (s *Sender) entry(one *scheduled) *entry {
	e := s.entries[one.id]
	if e == nil || !e.Created.Equal(one.Created) {
		e = &entry{Created: one.Created, Version: one.version, After: one.changed, dirty: true}
		if s.floor.After(e.After) {
			e.After = s.floor
		}
		s.entries[one.id] = e
	}
	return e
}

// forget drops the entries of schedules that are no more.
func (s *Sender) forget(docs []nhip.DocumentState) {
	known := make(map[string]bool, len(docs))
	for i := range docs {
		known[docs[i].ID] = true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.entries, func(id string, _ *entry) bool { return !known[id] })
}

// save writes the file if an entry differs from it.
func (s *Sender) save() error {
	s.fileMu.Lock()
	defer s.fileMu.Unlock()
	s.mu.Lock()
	dirty := false
	for _, e := range s.entries {
		dirty = dirty || e.dirty
		e.dirty = false
	}
	if !dirty {
		s.mu.Unlock()
		return nil
	}
	raw, err := json.Marshal(content{s.entries})
	s.mu.Unlock()
	if err == nil {
		err = durable.WriteFile(s.o.Path, raw)
	}
	if err != nil {
		s.mu.Lock()
		for _, e := range s.entries {
			e.dirty = true
		}
		s.mu.Unlock()
	}
	return err
}
