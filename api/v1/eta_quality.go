package v1

import (
	"net/http"
	"time"

	"nhip/api/rest"
	"nhip/api/transit"
)

// getETAQuality answers GET /v1/quality/eta with the accuracy of the predictions.
func (h *Handler) getETAQuality(w http.ResponseWriter, r *http.Request) error {
	t, err := h.timetable(rest.ReadQuery(r))
	if err != nil {
		return err
	}
	since, all, lines := t.ETAQuality()
	return h.JSON(w, rest.CacheLive, struct {
		Time  time.Time             `json:"time"`
		Since time.Time             `json:"since"`
		All   transit.ETAQuality    `json:"all"`
		Lines []transit.ETAQuality  `json:"lines"`
		Feeds []transit.FeedQuality `json:"feeds"`
	}{h.Clock.Now(), since, all, lines, h.Transit.FeedQualities()})
}
