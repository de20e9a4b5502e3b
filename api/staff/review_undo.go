package staff

import (
	"crypto/rand"
	"net/http"
	"slices"
	"sync"
	"time"

	"nhip"
	"nhip/api/rest"
)

// undoReview answers POST /v1/reviews/{id}/undo: with 201 and the new review that takes back the one of the path, or
// with 200 and the first one that did.
func (h *Handler) undoReview(w http.ResponseWriter, r *http.Request) error {
	id, err := rest.PathID(r, "id")
	if err != nil {
		return err
	}
	var body struct {
		By  string `json:"by"` // ignored: the name is that of the session
		Why string `json:"why"`
	}
	if err := rest.DecodeBody(w, r, &body); err != nil {
		return err
	}
	all, at, err := h.findReview(r, id)
	if err != nil {
		return err
	}
	of := &all[at]
	undo := nhip.Review{
		ID: rand.Text(), Station: of.Station, Quantity: of.Quantity, From: of.From, To: of.To,
		Action: nhip.ActionUndo, Of: of.ID, By: rest.CallerOf(r).Name, Why: body.Why,
		Time: h.Clock.Now().Truncate(time.Millisecond).UTC(),
	}
	if !undo.Time.After(of.Time) { // within the same millisecond, or another api's clock is ahead
		undo.Time = of.Time.Add(time.Millisecond)
	}
	if err := undo.Validate(); err != nil {
		return rest.AsInvalid(err)
	}
	if earlier := undoOf(all, at); earlier != nil {
		return h.JSON(w, rest.NoStore, earlier)
	}
	if err := h.decide(r, &undo); err != nil {
		return err
	}
	return h.Created(w, undo)
}

// findReview finds a review of a station in the caller's scope: all that are known of its station, and its index.
func (h *Handler) findReview(r *http.Request, id string) (all []nhip.Review, at int, err error) {
	unknown := nhip.Errorf(nhip.CodeNotFound, "id", "there is no review %q", id)
	byID := func(v nhip.Review) bool { return v.ID == id }
	if v, ok := h.Decided.find(id); ok { // then those of one station may be enough
		if all, err = h.reviews(r.Context(), v.Station); err != nil {
			return nil, 0, err
		}
	}
	if !slices.ContainsFunc(all, byID) { // a later request may have used the id again, for another station
		if all, err = h.reviews(r.Context(), ""); err != nil {
			return nil, 0, err
		}
	}
	all = h.Decided.merge(all)
	if at = slices.IndexFunc(all, byID); at < 0 {
		return nil, 0, unknown
	}
	if h.stationInScope(r, all[at].Station) != nil {
		return nil, 0, unknown
	}
	return all, at, nil
}

// undoOf returns the review in force that undoes the i-th one, nil if none does.
func undoOf(all []nhip.Review, i int) *nhip.Review {
	for k := range all {
		if u := &all[k]; u.Action == nhip.ActionUndo && u.Of == all[i].ID && u.Time.After(all[i].Time) &&
			!nhip.Undone(all, k) {
			return u
		}
	}
	return nil
}

// Decided holds the latest reviews that this api has stored: they may not be in the history yet. The zero value is
// ready; it is safe for concurrent use.
type Decided struct {
	mu      sync.Mutex
	reviews []nhip.Review
}

// maxDecided is the number of reviews in a Decided: those of the last minutes.
const maxDecided = 500

func (d *Decided) add(r *nhip.Review) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.reviews) >= maxDecided {
		d.reviews = slices.Delete(d.reviews, 0, maxDecided/2)
	}
	d.reviews = append(d.reviews, *r)
}

func (d *Decided) find(id string) (nhip.Review, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	i := slices.IndexFunc(d.reviews, func(r nhip.Review) bool { return r.ID == id })
	if i < 0 {
		return nhip.Review{}, false
	}
	return d.reviews[i], true
}

// merge returns reviews of the history and those that they lack.
func (d *Decided) merge(stored []nhip.Review) []nhip.Review {
	known := make(map[string]bool, len(stored))
	for i := range stored {
		known[stored[i].ID] = true
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range d.reviews {
		if !known[d.reviews[i].ID] {
			stored = append(stored, d.reviews[i])
		}
	}
	return stored
}

// mergeOf returns the reviews of a station in the history and those that they lack, in the order of their decisions.
func (d *Decided) mergeOf(station string, stored []nhip.Review) []nhip.Review {
	all := slices.DeleteFunc(d.merge(stored), func(r nhip.Review) bool { return r.Station != station })
	slices.SortStableFunc(all, func(a, b nhip.Review) int { return a.Time.Compare(b.Time) })
	return all
}

// listReasons answers GET /v1/reviews/reasons with the usual reasons of reviews.
func (h *Handler) listReasons(w http.ResponseWriter, r *http.Request) error {
	if err := rest.ReadQuery(r).Err; err != nil {
		return err
	}
	reasons := h.Reasons
	if reasons == nil {
		reasons = []nhip.LocalizedText{}
	}
	return h.JSON(w, rest.NoStore, struct {
		Reasons []nhip.LocalizedText `json:"reasons"`
	}{reasons})
}
