package actions

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"sync"

	"nhip"
	"nhip/internal/topics"
)

// Documents holds the current documents, which the collectors publish as retained messages. It is safe for concurrent
// use.
type Documents struct {
	mu         sync.Mutex
	byKind     map[string]map[string]received // by id
	count      int                            // of all kinds, received on this connection
	connection int                            // number of connections so far
	retained   bool                           // the retained messages of this connection have probably all arrived
	loaded     bool                           // all documents have been received once
	swept      bool                           // those that were removed while the broker was away are dropped
	censuses   map[string]int                 // documents by collector, of this connection
	watchers   map[string][]func(nhip.DocumentState)
}

// received is a document and the connection on which it was received last.
type received struct {
	nhip.DocumentState
	connection int
}

// NewDocuments returns Documents that have received nothing.
func NewDocuments() *Documents {
	return &Documents{
		byKind: make(map[string]map[string]received), censuses: make(map[string]int),
		watchers: make(map[string][]func(nhip.DocumentState)),
	}
}

// Watch calls f for each change of a document of a kind; those that are removed have no body. It must be called before
// the first message. f must not call methods of d.
func (d *Documents) Watch(kind string, f func(nhip.DocumentState)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.watchers[kind] = append(d.watchers[kind], f)
}

// Receive applies a message. It returns false if the topic is not that of a document.
func (d *Documents) Receive(topic string, payload []byte) (isDocument bool, err error) {
	kind, id, ok := topics.ParseDocument(topic)
	if !ok {
		return false, nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(payload) == 0 {
		d.remove(kind, id)
		return true, nil
	}
	var state nhip.DocumentState
	if err := json.Unmarshal(payload, &state); err != nil {
		return true, fmt.Errorf("undecodable document: %w", err)
	}
	if state.Kind != kind || state.ID != id {
		return true, fmt.Errorf("the document is %s/%s, of another topic", state.Kind, state.ID)
	}
	d.put(state)
	d.sweep()
	return true, nil
}

func (d *Documents) put(state nhip.DocumentState) {
	all := d.byKind[state.Kind]
	if all == nil {
		all = make(map[string]received)
		d.byKind[state.Kind] = all
	}
	before, known := all[state.ID]
	if !known || before.connection != d.connection {
		d.count++
	}
	all[state.ID] = received{state, d.connection}
	if !known || before.Version != state.Version || string(before.Body) != string(state.Body) {
		d.tell(state)
	}
}

func (d *Documents) remove(kind, id string) {
	before, known := d.byKind[kind][id]
	if !known {
		return
	}
	delete(d.byKind[kind], id)
	if before.connection == d.connection {
		d.count--
	}
	before.Body = nil
	d.tell(before.DocumentState)
}

// tell calls the watchers of a kind. The caller holds mu.
func (d *Documents) tell(state nhip.DocumentState) {
	for _, f := range d.watchers[state.Kind] {
		f(state)
	}
}

// Connected begins a new connection to the broker, which sends the retained messages again.
func (d *Documents) Connected() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.connection++
	d.count, d.retained, d.swept = 0, false, false
	clear(d.censuses)
}

// RetainedReceived reports that the retained messages of the connection have probably all arrived.
func (d *Documents) RetainedReceived() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.retained = true
	d.sweep()
}

// Census applies the census of a collector; nil removes it.
func (d *Documents) Census(collector string, census *topics.Census) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if census == nil {
		delete(d.censuses, collector)
	} else {
		d.censuses[collector] = census.Documents
	}
	d.sweep()
}

// complete reports whether as many documents have arrived as a collector counts. Without a collector, those that the
// broker has are all, if it has any.
func (d *Documents) complete() bool {
	if len(d.censuses) == 0 {
		return d.count > 0
	}
	most := 0
	for _, n := range d.censuses {
		most = max(most, n)
	}
	return d.count >= most
}

// sweep removes the documents that were not received again on this connection: they were removed meanwhile. The caller
// holds mu.
func (d *Documents) sweep() {
	if d.swept || !d.retained || !d.complete() {
		return
	}
	d.swept, d.loaded = true, true
	for kind, all := range d.byKind {
		for id, doc := range all {
			if doc.connection != d.connection {
				d.remove(kind, id)
			}
		}
	}
}

// Complete reports whether all documents have been received since the start. It stays true while the broker is away:
// what was known is used until the broker tells otherwise.
func (d *Documents) Complete() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.loaded
}

// Find returns a document.
func (d *Documents) Find(kind, id string) (nhip.DocumentState, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	doc, ok := d.byKind[kind][id]
	return doc.DocumentState, ok
}

// List returns the documents of a kind, by their ids.
func (d *Documents) List(kind string) []nhip.DocumentState {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := make([]nhip.DocumentState, 0, len(d.byKind[kind]))
	for _, doc := range d.byKind[kind] {
		out = append(out, doc.DocumentState)
	}
	slices.SortFunc(out, func(a, b nhip.DocumentState) int { return cmp.Compare(a.ID, b.ID) })
	return out
}
