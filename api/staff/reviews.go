package staff

import (
	"crypto/rand"
	"net/http"
	"slices"
	"time"

	"nhip"
	"nhip/api/live"
	"nhip/api/rest"
)

// newReview is the body of POST /v1/reviews.
type newReview struct {
	ID       string            `json:"id"` // makes a repeated request idempotent; default: a new id
	Station  string            `json:"station"`
	Quantity nhip.Quantity     `json:"quantity"`
	From     time.Time         `json:"from"`
	To       time.Time         `json:"to"`
	Action   nhip.ReviewAction `json:"action"`
	By       string            `json:"by"` // ignored: the name is that of the session
	Why      string            `json:"why"`
}

// postReview answers POST /v1/reviews.
func (h *Handler) postReview(w http.ResponseWriter, r *http.Request) error {
	var body newReview
	if err := rest.DecodeBody(w, r, &body); err != nil {
		return err
	}
	if body.ID == "" {
		body.ID = rand.Text()
	}
	review := nhip.Review{
		ID: body.ID, Station: body.Station, Quantity: body.Quantity, From: body.From.UTC(), To: body.To.UTC(),
		Action: body.Action, By: rest.CallerOf(r).Name, Why: body.Why, Time: h.Clock.Now().Truncate(time.Millisecond),
	}
	if review.Action == nhip.ActionUndo {
		return nhip.Errorf(nhip.CodeInvalid, "action", "a review is undone by POST /v1/reviews/{id}/undo")
	}
	err := rest.AsInvalid(review.Validate())
	if err == nil {
		err = h.stationInScope(r, review.Station)
	}
	if err == nil {
		err = h.decide(r, &review)
	}
	if err != nil {
		return err
	}
	return h.Created(w, review)
}

// decide stores a review. It returns when a collector has it on disk; review is then the one that is stored.
func (h *Handler) decide(r *http.Request, review *nhip.Review) error {
	stored, err := h.Events.actions.Review(r.Context(), *review, rest.ActorOf(r))
	if err == nil {
		*review = stored
		h.Decided.add(review)
	}
	return err
}

// stationInScope returns an error that names the field station if it does not exist or is out of the caller's scope.
func (h *Handler) stationInScope(r *http.Request, id string) error {
	s, err := h.Stations.Station(r.Context(), id)
	if err == nil && !rest.ScopeOf(r).Station(s) {
		err = live.UnknownStation(id)
	}
	return rest.InField(err, "station")
}

// reviewsAnswer is the answer of GET /v1/reviews.
type reviewsAnswer struct {
	Reviews []nhip.Review `json:"reviews"`
}

// listReviews answers GET /v1/reviews.
func (h *Handler) listReviews(w http.ResponseWriter, r *http.Request) error {
	q := rest.ReadQuery(r, "station")
	station := q.Text("station")
	if q.Err != nil {
		return q.Err
	}
	if station != "" {
		if err := h.stationInScope(r, station); err != nil {
			return err
		}
	}
	all, err := h.reviews(r.Context(), station)
	if err != nil {
		return err
	}
	reviews, seen := []nhip.Review{}, make(map[string]bool)
	for i := range all {
		id := all[i].Station
		visible, known := seen[id]
		if !known {
			visible = h.stationInScope(r, id) == nil
			seen[id] = visible
		}
		if visible {
			reviews = append(reviews, all[i])
		}
	}
	reviews = slices.DeleteFunc(reviews, func(x nhip.Review) bool { return !h.Stations.Sees(r.Context(), x.Station) })
	return h.JSON(w, rest.NoStore, reviewsAnswer{reviews})
}
