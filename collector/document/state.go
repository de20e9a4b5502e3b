package document

import (
	"encoding/json"
	"time"

	"nhip"
)

// key names a document.
type key struct{ kind, id string }

// state is the current state of a document. One that was removed is kept for a while, so that its topic is cleared even
// if the broker was away, and its versions go on if it is made again.
type state struct {
	nhip.DocumentState
	Request string    `json:"request,omitempty"` // that of the last change
	Expires time.Time `json:"expires,omitzero"`  // zero: never
}

// Outcome is what Apply has done.
type Outcome int

// Outcomes.
const (
	Changed  Outcome = iota // the document has the new state
	Repeated                // the request was applied before
)

// check returns why a change must not be made to the state before it, nil if it may.
func check(d *nhip.Document, before *state) error {
	version := int64(0)
	if before != nil && before.Exists() {
		version = before.Version
	}
	want, conditional := d.IfVersion.Get()
	switch {
	case conditional && want == 0 && version > 0:
		return nhip.Errorf(nhip.CodeConflict, "id", "there is a %s %q already", d.Kind, d.ID)
	case conditional && version == 0 && want > 0:
		return nhip.Errorf(nhip.CodeConflict, "if_version", "the %s %q has been removed", d.Kind, d.ID)
	case conditional && want != version:
		return nhip.Errorf(nhip.CodeConflict, "if_version", "the %s %q has changed meanwhile: it has version %d, not %d",
			d.Kind, d.ID, version, want)
	}
	return nil
}

// next returns the state after a change.
func next(d *nhip.Document, by string, before *state) *state {
	s := &state{Request: d.Request}
	s.Kind, s.ID, s.Version, s.Time, s.By = d.Kind, d.ID, 1, d.Time, by
	s.Body = append(json.RawMessage(nil), d.Body...) // a nil body stays nil
	if before != nil {
		s.Version = before.Version + 1
	}
	if kind, _ := nhip.DocumentKindOf(d.Kind); kind.Expiry != nil && s.Exists() {
		s.Expires = kind.Expiry(s.Body)
	}
	return s
}

// tombstones bound the removed documents that are kept.
const (
	maxTombstones = 10_000
	tombstoneAge  = 90 * 24 * time.Hour
)
