package reports

import (
	"cmp"
	"slices"
	"sync"

	"nhip"
)

// Entry is a report with the version of its document.
type Entry struct {
	Report  *nhip.CitizenReport
	Version int64 // rises with each change; a change names the one that it was made from
}

// State is the current state of all reports and contacts. It replaces reports and never changes them, so callers may
// keep them. It is safe for concurrent use.
type State struct {
	mu        sync.RWMutex
	reports   map[string]Entry
	contacts  map[string]contact
	listeners map[*Inbox]bool
}

// contact is a contact with the version of its document.
type contact struct {
	*nhip.ReportContact

	version int64
}

// NewState returns a state without reports.
func NewState() *State {
	return &State{
		reports: make(map[string]Entry), contacts: make(map[string]contact), listeners: make(map[*Inbox]bool),
	}
}

// SetReport applies the current state of a report; nil removes it.
func (s *State) SetReport(id string, r *nhip.CitizenReport, version int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r == nil {
		delete(s.reports, id)
		return
	}
	e := Entry{r, version}
	s.reports[id] = e
	for l := range s.listeners {
		l.put(e)
	}
}

// SetContact applies the contact of a report; nil removes it.
func (s *State) SetContact(id string, c *nhip.ReportContact, version int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c == nil {
		delete(s.contacts, id)
		return
	}
	s.contacts[id] = contact{c, version}
}

// Report returns a report.
func (s *State) Report(id string) (Entry, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	e, ok := s.reports[id]
	return e, ok
}

// Contact returns what names the sender of a report, nil if nothing does, and the version of its document.
func (s *State) Contact(id string) (*nhip.ReportContact, int64) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	c := s.contacts[id]
	return c.ReportContact, c.version
}

// OldReports returns the sorted ids of the reports for which old returns true.
func (s *State) OldReports(old func(r *nhip.CitizenReport) bool) []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var ids []string
	for id, e := range s.reports {
		if old(e.Report) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// OldContacts returns the sorted ids of the reports for whose contacts old returns true.
func (s *State) OldContacts(old func(c *nhip.ReportContact) bool) []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var ids []string
	for id, c := range s.contacts {
		if old(c.ReportContact) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// List returns the reports that a filter selects, the newest first: at most limit after the first offset, and how many
// there are in all.
func (s *State) List(f *Filter, offset, limit int) (page []Entry, total int) {
	var all []Entry
	s.mu.RLock()
	for _, e := range s.reports {
		if f.selects(e.Report) {
			all = append(all, e)
		}
	}
	s.mu.RUnlock()
	slices.SortFunc(all, func(a, b Entry) int {
		return cmp.Or(b.Report.Received.Compare(a.Report.Received), cmp.Compare(a.Report.ID, b.Report.ID))
	})
	offset = min(offset, len(all))
	return all[offset:min(len(all), offset+limit)], len(all)
}

// Len returns the number of reports and of contacts.
func (s *State) Len() (reports, contacts int) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.reports), len(s.contacts)
}
