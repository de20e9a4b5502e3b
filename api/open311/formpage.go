package open311

import (
	"net/http"
	"time"

	"nhip/api/rest"
	"nhip/internal/httpserver"
)

// formAnswer is what our own form needs to send a report.
type formAnswer struct {
	Token   string    `json:"form_token"`
	Expires time.Time `json:"expires"`
}

// getForm answers GET /open311/v2/form with a token for one report.
func (h *Handler) getForm(w http.ResponseWriter, r *http.Request) error {
	if err := rest.ReadQuery(r).Err; err != nil {
		return err
	}
	token, until := h.tokens.Issue(httpserver.ClientAddr(r), time.Now())
	return h.JSON(w, rest.NoStore, formAnswer{token, until.UTC()})
}
