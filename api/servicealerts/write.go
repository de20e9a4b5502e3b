package servicealerts

import (
	"context"
	"crypto/rand"
	"net/http"
	"time"

	"nhip"
	"nhip/api/rest"
)

// request is the body of a request that writes an alert.
type request struct {
	ID          nhip.Opt[string]      `json:"id"`      // of a new one; makes a repeated request harmless
	Version     nhip.Opt[int64]       `json:"version"` // that a change was made from
	Agency      string                `json:"agency"`
	Status      nhip.AlertStatus      `json:"status"`
	Cause       string                `json:"cause"`
	Effect      string                `json:"effect"`
	Severity    string                `json:"severity"`
	Header      nhip.LocalizedText    `json:"header"`
	Description nhip.LocalizedText    `json:"description"`
	URL         nhip.LocalizedText    `json:"url"`
	Periods     []nhip.Period         `json:"periods"` // the first one begins now if it has no begin
	Informed    []nhip.InformedEntity `json:"informed"`
}

// newAlert returns the alert of a request that makes one.
func (b *request) newAlert(now time.Time) (*nhip.WrittenAlert, error) {
	if b.Version.Known() {
		return nil, nhip.Errorf(nhip.CodeInvalid, "version", "can't be given with a new alert")
	}
	a := &nhip.WrittenAlert{ID: b.ID.Or(rand.Text()), Created: now}
	b.apply(a, now)
	return a, nil
}

// apply sets the content of an alert that is written at a time.
func (b *request) apply(a *nhip.WrittenAlert, now time.Time) {
	a.Agency, a.Status, a.Cause, a.Effect, a.Severity = b.Agency, b.Status, b.Cause, b.Effect, b.Severity
	a.Header, a.Description, a.URL, a.Informed = b.Header, b.Description, b.URL, b.Informed
	a.Periods, a.Updated = make([]nhip.Period, len(b.Periods)), updated(now, a.Updated)
	for i, p := range b.Periods {
		if p.From.IsZero() && i == 0 {
			p.From = now
		}
		a.Periods[i] = nhip.Period{From: whole(p.From), To: whole(p.To)}
	}
}

// updated returns the time of a change: now, but later than the change before it, though the clock was set back. No two
// changes of an alert have the same time.
func updated(now, before time.Time) time.Time {
	if now.After(before) {
		return now
	}
	return before.Add(time.Millisecond)
}

// whole returns a time in whole seconds, as GTFS-realtime has it.
func whole(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }

// now returns the time of a change.
func (h *Handler) now() time.Time { return h.Clock.Now().UTC().Truncate(time.Millisecond) }

// create answers POST /v1/service-alerts.
func (h *Handler) create(w http.ResponseWriter, r *http.Request) error {
	var body request
	if err := rest.DecodeBody(w, r, &body); err != nil {
		return err
	}
	a, err := body.newAlert(h.now())
	if err != nil {
		return err
	}
	if err := h.check(a, rest.ScopeOf(r)); err != nil {
		return err
	}
	if err := h.checkRoom(a); err != nil {
		return err
	}
	out, err := h.set(r, a, 0)
	if err != nil {
		return err
	}
	h.dropOldest(r, a.Agency)
	return h.Created(w, out)
}

// change answers PUT /v1/service-alerts/{id}.
func (h *Handler) change(w http.ResponseWriter, r *http.Request) error {
	before, err := h.find(r)
	if err != nil {
		return err
	}
	var body request
	if err := rest.DecodeBody(w, r, &body); err != nil {
		return err
	}
	now := h.now()
	a := *before.WrittenAlert
	switch {
	case body.ID.Or(a.ID) != a.ID:
		return nhip.Errorf(nhip.CodeInvalid, "id", "must be that of the address, %q", a.ID)
	case body.Version.Or(before.Version) != before.Version:
		return nhip.Errorf(nhip.CodeConflict, "version",
			"the alert has changed meanwhile: it has version %d, not %d", before.Version, body.Version.Or(0))
	case a.Status == nhip.AlertPublished && a.Over(now):
		return errEnded
	case a.Status == nhip.AlertPublished && body.Status == nhip.AlertDraft:
		return nhip.Errorf(nhip.CodeInvalid, "status", "must be published: riders have seen the alert; end it")
	}
	body.apply(&a, now)
	if err := h.check(&a, rest.ScopeOf(r)); err != nil {
		return err
	}
	if a.Agency != before.Agency || before.Over(now) {
		if err := h.checkRoom(&a); err != nil {
			return err
		}
	}
	out, err := h.set(r, &a, before.Version)
	if err != nil {
		return err
	}
	return h.JSON(w, rest.NoStore, out)
}

var errEnded = nhip.Errorf(nhip.CodeConflict, "id", "the alert has ended; write another one")

// end answers POST /v1/service-alerts/{id}/end: riders do not see the alert from now on.
func (h *Handler) end(w http.ResponseWriter, r *http.Request) error {
	if err := rest.ReadQuery(r).Err; err != nil {
		return err
	}
	before, err := h.find(r)
	if err != nil {
		return err
	}
	now := h.now()
	switch {
	case before.Status == nhip.AlertDraft:
		return nhip.Errorf(nhip.CodeConflict, "id", "the alert is a draft; delete it")
	case before.Over(now):
		return errEnded
	}
	a := *before.WrittenAlert
	a.Ended, a.Updated = now, updated(now, a.Updated)
	out, err := h.set(r, &a, before.Version)
	if err != nil {
		return err
	}
	return h.JSON(w, rest.NoStore, out)
}

// removeDraft answers DELETE /v1/service-alerts/{id}. What riders have seen stays in the list.
func (h *Handler) removeDraft(w http.ResponseWriter, r *http.Request) error {
	if err := rest.ReadQuery(r).Err; err != nil {
		return err
	}
	a, err := h.find(r)
	if err != nil {
		return err
	}
	if a.Status != nhip.AlertDraft {
		return nhip.Errorf(nhip.CodeConflict, "id", "the alert is published; end it")
	}
	doc := document(a.ID, a.Version)
	if _, err := h.Actions.Set(r.Context(), doc, actorOf(r)); err != nil {
		return err
	}
	h.await(r.Context(), a.ID, 0)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// preview answers POST /v1/service-alerts/preview with an alert as riders would see it.
func (h *Handler) preview(w http.ResponseWriter, r *http.Request) error {
	var body request
	if err := rest.DecodeBody(w, r, &body); err != nil {
		return err
	}
	now := h.now()
	a, err := body.newAlert(now)
	if err != nil {
		return err
	}
	if err := h.check(a, rest.ScopeOf(r)); err != nil {
		return err
	}
	told := h.Transit.ToldAlert(a)
	return h.JSON(w, rest.NoStore, struct {
		*nhip.ServiceAlert
		Active bool `json:"active"`
	}{told, told.ActiveAt(now)})
}

// shownWithin is how long an answer waits until this api tells what a collector has stored.
const shownWithin = 2 * time.Second

// set stores an alert that had a version, 0 for none, and waits until this api tells it.
func (h *Handler) set(r *http.Request, a *nhip.WrittenAlert, version int64) (answer, error) {
	actor := actorOf(r)
	doc := document(a.ID, version)
	doc.Time = a.Updated
	change, err := h.Actions.SetJSON(r.Context(), doc, a, actor)
	if err != nil {
		return answer{}, asRequest(err)
	}
	h.await(r.Context(), a.ID, change.Version)
	return answerOf(a, change.Version, actor.Name, h.Clock.Now()), nil
}

// await waits until this api has a version of an alert, so that who has written it reads it. Version 0 is that there is
// none.
func (h *Handler) await(ctx context.Context, id string, version int64) {
	ctx, cancel := context.WithTimeout(ctx, shownWithin)
	defer cancel()
	h.Transit.AwaitWritten(ctx, id, version)
}

// actorOf returns who makes a change.
func actorOf(r *http.Request) nhip.Actor {
	caller := rest.CallerOf(r)
	return caller.Actor()
}

func document(id string, version int64) nhip.Document {
	return nhip.Document{
		Kind: nhip.DocumentServiceAlert, ID: id, Object: "service-alert/" + id, IfVersion: nhip.Some(version),
	}
}

// asRequest returns an error of a document as one of a request. The content was checked before; only its size as a
// document was not.
func asRequest(err error) error {
	switch nhip.ErrorCode(err) {
	case nhip.CodeConflict, nhip.CodeUnavailable, nhip.CodeInternal, nhip.CodeTooLarge:
		return err
	}
	return rest.AsInvalid(err)
}
