package reminders

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"sync"
	"time"

	"nhip"
	"nhip/api/actions"
)

// Book holds the reminders as the collectors keep them, and passes their notifications on to streams. It is safe for
// concurrent use.
type Book struct {
	log *slog.Logger

	mu        sync.Mutex
	reminders map[string]nhip.Reminder
	owned     map[string]int // waiting reminders by the id of their key
	inboxes   map[string]map[*inbox]bool
}

// Follow returns a Book that is as the documents are. It must be called before the first message.
func Follow(documents *actions.Documents, log *slog.Logger) *Book {
	b := &Book{
		log: log, reminders: make(map[string]nhip.Reminder), owned: make(map[string]int),
		inboxes: make(map[string]map[*inbox]bool),
	}
	documents.Watch(nhip.DocumentReminder, b.update)
	return b
}

func (b *Book) update(d nhip.DocumentState) {
	var r nhip.Reminder
	if d.Exists() {
		if err := json.Unmarshal(d.Body, &r); err != nil {
			b.log.Error("undecodable document", "kind", d.Kind, "id", d.ID, "error", err)
			return
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	before, known := b.reminders[d.ID]
	if known && before.State == nhip.ReminderWaiting {
		b.own(before.Owner, -1)
	}
	if !d.Exists() {
		delete(b.reminders, d.ID)
		for in := range b.inboxes[d.ID] {
			in.gone(d.ID)
		}
		return
	}
	b.reminders[d.ID] = r
	if r.State == nhip.ReminderWaiting {
		b.own(r.Owner, 1)
	}
	if r.Outcome != nil && before.Outcome == nil {
		for in := range b.inboxes[d.ID] {
			in.put(*r.Outcome)
		}
	}
}

func (b *Book) own(key string, n int) {
	if b.owned[key] += n; b.owned[key] <= 0 {
		delete(b.owned, key)
	}
}

// Notified applies a notification. That of an outcome comes with the document.
func (b *Book) Notified(id string, payload []byte) {
	var n nhip.ReminderNotification
	if err := json.Unmarshal(payload, &n); err != nil {
		b.log.Error("undecodable notification of a reminder", "id", id, "error", err)
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if n.State != nhip.ReminderWaiting || b.reminders[id].Outcome != nil {
		return
	}
	for in := range b.inboxes[id] {
		in.put(n)
	}
}

// waiting returns how many reminders of a key wait.
func (b *Book) waiting(key string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.owned[key]
}

// find returns a reminder by its id and its token. One that has expired is not found.
func (b *Book) find(id, token string, now time.Time) (nhip.Reminder, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r, known := b.reminders[id]
	right := subtle.ConstantTimeCompare([]byte(hashOf(token)), []byte(r.Token)) == 1
	return r, known && right && now.Before(r.Expires)
}

// hashOf returns what is kept of a token.
func hashOf(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// inbox holds what a stream has not sent yet: the newest notification of each reminder. A stream that reads slowly
// misses updates, but never an outcome.
type inbox struct {
	wake chan struct{} // holds a token while there is something

	mu      sync.Mutex
	pending map[string]*nhip.ReminderNotification // nil: the reminder is gone
}

// listen returns an inbox for some reminders, until stop is called.
func (b *Book) listen(ids []string) (in *inbox, stop func()) {
	in = &inbox{wake: make(chan struct{}, 1), pending: make(map[string]*nhip.ReminderNotification)}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, id := range ids {
		if b.inboxes[id] == nil {
			b.inboxes[id] = make(map[*inbox]bool)
		}
		b.inboxes[id][in] = true
	}
	return in, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, id := range ids {
			if delete(b.inboxes[id], in); len(b.inboxes[id]) == 0 {
				delete(b.inboxes, id)
			}
		}
	}
}

func (in *inbox) put(n nhip.ReminderNotification) { in.set(n.ID, &n) }

func (in *inbox) gone(id string) { in.set(id, nil) }

func (in *inbox) set(id string, n *nhip.ReminderNotification) {
	in.mu.Lock()
	in.pending[id] = n
	in.mu.Unlock()
	select {
	case in.wake <- struct{}{}:
	default:
	}
}

func (in *inbox) take() map[string]*nhip.ReminderNotification {
	in.mu.Lock()
	defer in.mu.Unlock()
	out := in.pending
	in.pending = make(map[string]*nhip.ReminderNotification)
	return out
}
