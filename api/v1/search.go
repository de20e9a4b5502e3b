package v1

import (
	"net/http"
	"slices"
	"strings"

	"nhip"
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
	q := rest.ReadQuery(r, "q", "near", "kind", "limit")
	text, usable := transit.NewSearchText(q.Text("q"))
	query := transit.SearchQuery{
		Text: text, Kinds: searchKinds(q), Limit: q.Integer("limit", defaultHits, 1, maxHits),
	}
	if rest.ScopeOf(r).Limits().LimitsStations() {
		query.Sees = func(id string) bool { return h.Stations.Sees(r.Context(), id) }
	}
	if near, given := q.Point("near"); given {
		query.Near = nhip.Some(near)
	}
	if q.Err == nil && !usable {
		q.Fail("q", "must contain a letter or a digit")
	}
	if q.Err != nil {
		return q.Err
	}
	found, err := h.Transit.Search(query, h.Places.Names(h.Clock.Now())...)
	if err != nil {
		return err
	}
	return h.JSON(w, rest.CacheLive, struct {
		Query string              `json:"query"`
		Found []transit.SearchHit `json:"found"`
	}{text.Typed, found})
}

// searchKinds reads the parameter kind: kinds separated by commas; none if it is missing.
func searchKinds(q *rest.Query) []string {
	list := q.Text("kind")
	if list == "" {
		return nil
	}
	kinds := strings.Split(list, ",")
	for _, kind := range kinds {
		if !slices.Contains(transit.Kinds, kind) {
			q.Fail("kind", "must be some of %s, separated by commas, got %q", strings.Join(transit.Kinds, ", "), list)
		}
	}
	return kinds
}
