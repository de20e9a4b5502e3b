// Package document keeps the current states of documents: what people set by user actions, such as keys. The
// deduplicator applies the changes in the order of the journal, and the publisher has the states as retained messages.
package document

import (
	"cmp"
	"encoding/json"
	"log/slog"
	"slices"
	"sync"
	"time"

	"nhip"
	"nhip/internal/damage"
	"nhip/internal/topics"

	"github.com/prometheus/client_golang/prometheus"
)

// Store holds the current states of documents. It is safe for concurrent use; Apply, Save and Release are for one
// goroutine.
type Store struct {
	file file
	log  *slog.Logger

	mu      sync.Mutex
	states  map[key]*state // with those that were removed
	counts  map[string]int // documents of each kind
	removed []key          // oldest first; may name documents that were made again
	unsaved map[key]bool
	dirty   map[key]bool // unpublished
	wake    chan struct{}

	watchers map[string]func(nhip.DocumentState) // by kind
	expired  map[string]time.Time                // by kind: when expired documents were removed last
}

// Options configure a Store.
type Options struct {
	Dir      string // folder of the store's own
	Mark     []byte // what Save returned before the last checkpoint; nil at first
	Damage   *damage.Log
	Logger   *slog.Logger
	Registry prometheus.Registerer
}

// Open restores the states as of the mark. The journal has what came later.
func Open(o Options) (*Store, error) {
	s := &Store{
		file: file{dir: o.Dir, damage: o.Damage}, log: o.Logger, states: make(map[key]*state), counts: make(map[string]int),
		unsaved: make(map[key]bool), dirty: make(map[key]bool), wake: make(chan struct{}, 1),
		watchers: make(map[string]func(nhip.DocumentState)), expired: make(map[string]time.Time),
	}
	if err := s.file.open(o.Mark, s.restore); err != nil {
		return nil, err
	}
	for _, k := range nhip.DocumentKinds() {
		o.Registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "nhip_collector_documents", Help: "Documents of a kind, which people set.",
			ConstLabels: prometheus.Labels{"kind": k.Name},
		}, func() float64 { return float64(s.countOf(k.Name)) }))
	}
	return s, nil
}

// restore adds a state from the file. Later ones replace earlier ones.
func (s *Store) restore(restored *state) { s.set(key{restored.Kind, restored.ID}, restored) }

func (s *Store) set(k key, next *state) {
	before := s.states[k]
	s.states[k] = next
	if before != nil && before.Exists() {
		s.counts[k.kind]--
	}
	if next.Exists() {
		s.counts[k.kind]++
	} else {
		s.removed = append(s.removed, k)
		s.forgetRemoved(next.Time)
	}
}

// forgetRemoved drops the removed documents that need not be known any more.
func (s *Store) forgetRemoved(now time.Time) {
	for len(s.removed) > 0 {
		oldest := s.states[s.removed[0]]
		tombstone := oldest != nil && !oldest.Exists()
		if tombstone && len(s.removed) <= maxTombstones && now.Sub(oldest.Time) < tombstoneAge {
			return
		}
		// a document that was removed, made and removed again is named twice; the later name is the one that counts
		if tombstone && !slices.Contains(s.removed[1:], s.removed[0]) {
			delete(s.states, s.removed[0])
		}
		s.removed = s.removed[1:]
	}
}

// Check returns why a change must not be applied, nil if it may be. repeated reports that the same request was applied
// already: it must not be applied again.
func (s *Store) Check(d *nhip.Document) (repeated bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.states[key{d.Kind, d.ID}]
	if before != nil && before.Request == d.Request {
		return true, nil
	}
	if err := check(d, before); err != nil {
		return false, err
	}
	kind, _ := nhip.DocumentKindOf(d.Kind)
	if kind.Expiry != nil {
		s.expire(d.Kind, d.Time)
	}
	isNew := before == nil || !before.Exists()
	if isNew && len(d.Body) > 0 && s.counts[d.Kind] >= kind.MaxCount {
		return false, nhip.Errorf(nhip.CodeConflict, "kind", "there are %d of %q already, the maximum; remove some",
			kind.MaxCount, d.Kind)
	}
	return false, nil
}

// Watch calls f with each document of a kind, and then with each change; one that is removed has no body. There is one
// watcher of a kind. f must not call methods of s.
func (s *Store) Watch(kind string, f func(nhip.DocumentState)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.watchers[kind] = f
	for k, state := range s.states {
		if k.kind == kind && state.Exists() {
			f(state.DocumentState)
		}
	}
}

// Expire removes the documents of a kind that have expired, which Check otherwise does with the next change.
func (s *Store) Expire(kind string, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire(kind, now)
}

// expireEvery is how exactly expired documents are removed.
const expireEvery = time.Second

// expire removes the documents of a kind that have expired at the time of a change. The caller holds mu.
func (s *Store) expire(kind string, now time.Time) {
	if since := now.Sub(s.expired[kind]); since >= 0 && since < expireEvery {
		return // many documents may change at once, and this looks at all
	}
	s.expired[kind] = now
	for k, old := range s.states {
		if k.kind != kind || !old.Exists() || old.Expires.IsZero() || now.Before(old.Expires) {
			continue
		}
		gone := *old
		gone.Body, gone.Version, gone.Time = nil, old.Version+1, old.Expires
		s.change(k, &gone)
	}
	s.signal()
}

// Apply makes a change that Check has allowed. It returns the body before it, and the new state.
func (s *Store) Apply(d *nhip.Document, by string) (before json.RawMessage, change nhip.DocumentChange) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := key{d.Kind, d.ID}
	old := s.states[k]
	if old != nil {
		before = old.Body
	}
	changed := next(d, by, old)
	s.change(k, changed)
	s.signal()
	return before, changed.change()
}

// change sets a new state, which is unsaved and unpublished. The caller holds mu.
func (s *Store) change(k key, changed *state) {
	s.set(k, changed)
	s.unsaved[k], s.dirty[k] = true, true
	if watch := s.watchers[k.kind]; watch != nil {
		watch(changed.DocumentState)
	}
}

// Current returns the last change of a document.
func (s *Store) Current(kind, id string) nhip.DocumentChange {
	s.mu.Lock()
	defer s.mu.Unlock()
	if state := s.states[key{kind, id}]; state != nil {
		return state.change()
	}
	return nhip.DocumentChange{Kind: kind, ID: id, Removed: true}
}

func (s *state) change() nhip.DocumentChange {
	return nhip.DocumentChange{Kind: s.Kind, ID: s.ID, Version: s.Version, Time: s.Time, Removed: !s.Exists()}
}

// Find returns a document; ok is false if there is none.
func (s *Store) Find(kind, id string) (doc nhip.DocumentState, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	state := s.states[key{kind, id}]
	if state == nil || !state.Exists() {
		return doc, false
	}
	return state.DocumentState, true
}

// List returns the documents of a kind, in no order.
func (s *Store) List(kind string) (out []nhip.DocumentState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for k, state := range s.states {
		if k.kind == kind && state.Exists() {
			out = append(out, state.DocumentState)
		}
	}
	return out
}

// Count returns the number of documents.
func (s *Store) Count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, count := range s.counts {
		n += count
	}
	return n
}

func (s *Store) countOf(kind string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts[kind]
}

// Message is a retained message; an empty payload clears its topic.
type Message struct {
	Topic   string
	Payload []byte
}

// Wake signals that TakeDirty has messages.
func (s *Store) Wake() <-chan struct{} { return s.wake }

// TakeDirty returns the messages of the documents that have changed since they were taken last, ordered by topic.
func (s *Store) TakeDirty() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Message, 0, len(s.dirty))
	for k := range s.dirty {
		m := Message{Topic: topics.DocumentTopic(k.kind, k.id)}
		if state := s.states[k]; state != nil && state.Exists() {
			m.Payload = encode(&state.DocumentState)
		}
		out = append(out, m)
	}
	clear(s.dirty)
	slices.SortFunc(out, func(a, b Message) int { return cmp.Compare(a.Topic, b.Topic) })
	return out
}

// Republish marks all documents as unpublished, because the broker may have lost its retained messages, or has those of
// removed documents.
func (s *Store) Republish() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for k := range s.states {
		s.dirty[k] = true
	}
	s.signal()
}

func (s *Store) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// encode encodes a state, which holds only texts, times and valid JSON.
func encode(v any) []byte {
	raw, err := json.Marshal(v)
	if err != nil {
		panic("the state of a document can't be encoded: " + err.Error())
	}
	return raw
}
