package staff

import (
	"crypto/rand"
	"net/http"
	"slices"
	"time"

	"nhip"
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
	err := rest.AsInvalid(review.Validate())
	if err == nil {
		_, err = h.Stations.Station(r.Context(), review.Station)
		err = rest.InField(err, "station")
	}
	if err == nil {
		err = h.Events.actions.Review(r.Context(), review, rest.ActorOf(r))
	}
	if err != nil {
		return err
	}
	return h.Created(w, review)
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
		if _, err := h.Stations.Station(r.Context(), station); err != nil {
			return rest.InField(err, "station")
		}
	}
	reviews, err := h.reviews(r.Context(), station)
	if err != nil {
		return err
	}
	if reviews == nil {
		reviews = []nhip.Review{}
	}
	reviews = slices.DeleteFunc(reviews, func(x nhip.Review) bool { return !h.Stations.Sees(r.Context(), x.Station) })
	return h.JSON(w, rest.NoStore, reviewsAnswer{reviews})
}
