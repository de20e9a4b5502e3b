package v1

import (
	"net/http"

	"nhip/api/rest"
	"nhip/api/transit"
)

// Limits of a search.
const (
	defaultHits = 20
	maxHits     = 100
)

// search answers GET /v1/search.
func (h *Handler) search(w http.ResponseWriter, r *http.Request) error {
	q := rest.ReadQuery(r, "q", "limit")
	text, usable := transit.NewSearchText(q.Text("q"))
	limit := q.Integer("limit", defaultHits, 1, maxHits)
	if q.Err == nil && !usable {
		q.Fail("q", "must contain a letter or a digit")
	}
	t, err := h.timetable(q)
	if err != nil {
		return err
	}
	return h.JSON(w, rest.CacheLive, struct {
		Query string              `json:"query"`
		Found []transit.SearchHit `json:"found"`
	}{text.Typed, t.Search(text, limit)})
}
