package staff

import (
	"slices"
	"sync"

	"nhip"
)

// maxAlertStreams is the number of streams of alerts that are open at a time. Only staff open them.
const maxAlertStreams = 500

// maxWaiting is the number of changes that may wait for a stream before only the newest of each alert is kept.
const maxWaiting = 100

// alertInbox holds the changes that a stream of alerts has not sent yet. A client that reads slowly may miss
// intermediate changes, but never the last one of an alert.
type alertInbox struct {
	wake chan struct{} // holds a token while there are changes

	mu      sync.Mutex
	changes []nhip.Alert
}

func (in *alertInbox) put(a nhip.Alert) {
	in.mu.Lock()
	if len(in.changes) >= maxWaiting {
		in.changes = slices.DeleteFunc(in.changes, func(before nhip.Alert) bool { return before.ID == a.ID })
	}
	in.changes = append(in.changes, a)
	in.mu.Unlock()
	select {
	case in.wake <- struct{}{}:
	default:
	}
}

// take removes and returns the changes.
func (in *alertInbox) take() []nhip.Alert {
	in.mu.Lock()
	defer in.mu.Unlock()
	out := in.changes
	in.changes = nil
	return out
}
