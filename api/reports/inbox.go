package reports

import (
	"slices"
	"sync"
)

// maxListeners is the number of inboxes at a time. Only staff have one.
const maxListeners = 500

// maxPending is the number of changes that may wait in an inbox before only the newest of each report is kept.
const maxPending = 100

// Inbox holds the changes that a stream has not sent yet. A client that reads slowly may miss intermediate changes, but
// never the last one of a report.
type Inbox struct {
	Wake chan struct{} // holds a token while there are changes

	mu      sync.Mutex
	changes []Entry
}

// Listen returns an inbox that receives changes until stop is called. It returns nil if there are too many.
func (s *State) Listen() (in *Inbox, stop func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.listeners) >= maxListeners {
		return nil, nil
	}
	in = &Inbox{Wake: make(chan struct{}, 1)}
	s.listeners[in] = true
	return in, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.listeners, in)
	}
}

func (in *Inbox) put(e Entry) {
	in.mu.Lock()
	if len(in.changes) >= maxPending {
		in.changes = slices.DeleteFunc(in.changes, func(before Entry) bool { return before.Report.ID == e.Report.ID })
	}
	in.changes = append(in.changes, e)
	in.mu.Unlock()
	select {
	case in.Wake <- struct{}{}:
	default:
	}
}

// Take removes and returns the changes.
func (in *Inbox) Take() []Entry {
	in.mu.Lock()
	defer in.mu.Unlock()
	out := in.changes
	in.changes = nil
	return out
}
