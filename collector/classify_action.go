package collector

import (
	"encoding/json"
	"errors"
	"slices"

	"nhip"
	"nhip/collector/ledger"
	"nhip/collector/live"
	"nhip/internal/influx"
	"nhip/internal/topics"
)

// addUserAction adds a user action. Its id and time identify it, and it is never changed: another content for the same
// id and time is a duplicate, too. Each action has a row in the audit log.
func (d *deduplicator) addUserAction(seq uint64, a *nhip.UserAction, hash uint64) {
	f := ledger.Fact{Device: topics.UserActionDevice(a.Kind()), Series: a.ID(), Time: a.When().UnixMilli(), Print: hash}
	if a.Document != nil {
		d.addDocument(seq, a, &f)
		return
	}
	if a.Review != nil && d.repeatsReview(a, &f) {
		return
	}
	received := d.batch.outcome.Received
	isNew := d.classify(seq, &f, neverRevised, func(dst []byte, _ int) []byte {
		if a.Ack != nil {
			return influx.AppendAck(dst, a.Ack, received)
		}
		return influx.AppendReview(dst, a.Review, received)
	})
	if !isNew {
		return
	}
	device, entry := topics.AuditDevice(a.Kind()), a.Audit(d.superseded(a.Review))
	d.addRow(seq, device, hourOf(f.Time), false, func(dst []byte) []byte {
		return influx.AppendAudit(dst, &entry, received)
	})
	d.count(device, hourOf(f.Time), queued)
	d.batch.actions = append(d.batch.actions, *a)
	d.result(a, nhip.ActionResult{Review: a.Review, Ack: a.Ack, Actor: a.Actor})
}

// repeatsReview reports whether the id of a review was used before, at another time. With the same content it is a
// repeated request, and its sender is told the first one; otherwise it is refused. A review that is processed again,
// after a crash, has the time of the first one.
func (d *deduplicator) repeatsReview(a *nhip.UserAction, f *ledger.Fact) bool {
	first, known := d.findReview(a.Review.ID)
	switch {
	case !known || first.Time.Equal(a.Review.Time):
		return false
	case !first.SameAs(a.Review):
		d.refuse(a, f, nhip.Errorf(nhip.CodeConflict, "id", "%q is another review already", first.ID))
	default:
		d.metrics.duplicates.Inc()
		d.count(f.Device, hourOf(f.Time), duplicate)
		d.result(a, nhip.ActionResult{Review: &first, Actor: a.Actor})
	}
	return true
}

// findReview returns the review with an id, also one of this batch.
func (d *deduplicator) findReview(id string) (nhip.Review, bool) {
	for i := range d.batch.actions {
		if r := d.batch.actions[i].Review; r != nil && r.ID == id {
			return *r, true
		}
	}
	if d.air == nil {
		return nhip.Review{}, false
	}
	return d.air.FindReview(id)
}

// superseded returns the review that a review takes the place of, for the audit log; nil if there is none.
func (d *deduplicator) superseded(r *nhip.Review) json.RawMessage {
	if r == nil || d.air == nil {
		return nil
	}
	all := d.air.StationReviews(r.Station)
	for i := range d.batch.actions {
		if o := d.batch.actions[i].Review; o != nil && o.Station == r.Station {
			all = append(all, *o)
		}
	}
	slices.SortStableFunc(all, func(a, b nhip.Review) int { return a.Time.Compare(b.Time) })
	before := r.Supersedes(all)
	if before == nil {
		return nil
	}
	raw, err := json.Marshal(before)
	if err != nil {
		return nil
	}
	return raw
}

// addDocument adds a change of a document, whose row is that of the audit log. A change that must not be made is
// rejected without a dead letter: its sender is told.
func (d *deduplicator) addDocument(seq uint64, a *nhip.UserAction, f *ledger.Fact) {
	doc := a.Document
	repeated, err := d.documents.Check(doc)
	switch {
	case err != nil:
		d.refuse(a, f, err)
		return
	case repeated:
		d.metrics.duplicates.Inc()
		d.count(f.Device, hourOf(f.Time), duplicate)
		d.documentResult(a, d.documents.Current(doc.Kind, doc.ID))
		return
	}
	switch outcome, _ := d.ledger.Classify(f); outcome {
	case ledger.New:
	case ledger.Duplicate: // of an earlier change than the last one
		d.metrics.duplicates.Inc()
		d.count(f.Device, hourOf(f.Time), duplicate)
		d.documentResult(a, d.documents.Current(doc.Kind, doc.ID))
		return
	default:
		d.refuse(a, f, nhip.Errorf(nhip.CodeConflict, "time", "another change of the same document has the same time"))
		return
	}
	before, change := d.documents.Apply(doc, a.Actor.Name)
	entry, received := a.Audit(before), d.batch.outcome.Received
	d.addRow(seq, f.Device, hourOf(f.Time), false, func(dst []byte) []byte {
		return influx.AppendAudit(dst, &entry, received)
	})
	d.count(f.Device, hourOf(f.Time), queued)
	if d.air != nil {
		d.air.ApplyCalibration(doc)
	}
	d.documentResult(a, change)
}

// refuse rejects a user action and tells why.
func (d *deduplicator) refuse(a *nhip.UserAction, f *ledger.Fact, err error) {
	code := nhip.ErrorCode(err)
	d.metrics.rejected.WithLabelValues(string(code)).Inc()
	d.batch.entries = append(d.batch.entries,
		entry{device: f.Device, hour: hourOf(f.Time), class: rejected, code: code, rows: 1})
	refused := nhip.ActionResult{Refused: refusalOf(err)}
	if a.Document != nil {
		refused.Request = a.Document.Request
	}
	d.result(a, refused)
}

func (d *deduplicator) documentResult(a *nhip.UserAction, change nhip.DocumentChange) {
	d.result(a, nhip.ActionResult{Document: &change, Request: a.Document.Request})
}

func (d *deduplicator) result(a *nhip.UserAction, r nhip.ActionResult) {
	d.batch.results = append(d.batch.results, live.Event{Kind: a.Kind(), ID: a.ID(), Result: r})
}

// saveDocuments makes the documents durable before a checkpoint, which then says what of them counts.
func (d *deduplicator) saveDocuments() error {
	mark, err := d.documents.Save()
	if err != nil || mark == nil {
		return err
	}
	d.ledger.Update(func(tx *ledger.Tx) { tx.SetMark(documentsMark, mark) })
	return nil
}

// refusalOf returns how an error is told to the sender of a user action.
func refusalOf(err error) *nhip.Refusal {
	var e *nhip.Error
	if errors.As(err, &e) {
		return &nhip.Refusal{Code: e.Code, Field: e.Field, Rule: e.Rule}
	}
	return &nhip.Refusal{Code: nhip.ErrorCode(err), Rule: err.Error()}
}
