// Package cap serves the alerts of air quality as documents of the Common Alerting Protocol 1.2, and their feed (Atom).
package cap

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"nhip"
	"nhip/api/catalog"
	"nhip/api/rest"
	"nhip/geo/zone"
	"nhip/internal/capdoc"

	"github.com/go-chi/chi/v5"
)

// Alerts knows the alerts.
type Alerts interface {
	// Alerts returns the open alerts, highest grade first, and those that ended since the start, newest first.
	Alerts() (open, ended []nhip.Alert)
	// Alert returns an alert that is open or has ended since the start.
	Alert(id string) (nhip.Alert, bool)
}

// Handler serves CAP documents.
type Handler struct {
	Alerts    Alerts
	Stations  *catalog.Catalog
	Zones     *zone.Set // areas that alerts hold for; nil is none
	Clock     nhip.Clock
	Zone      *time.Location // of stations without one; nil is UTC
	Source    string         // who measures, as senderName; "" is the platform
	Simulated bool           // all messages are exercises
	rest.Responder
}

// Routes registers the handlers.
func (h *Handler) Routes(r chi.Router) {
	r = r.With(h.Require(nhip.MayReadAlerts), h.WhenReady)
	r.Get("/v1/alerts.atom", h.Handle(h.getFeed))
	r.Get("/v1/alerts.cap", h.Handle(h.getFeed))
	r.Get("/v1/alerts/{id}.cap", h.Handle(h.getDocument))
	r.Get("/v1/alerts/{id:.+[.]cap}", h.Handle(h.getDocument)) // ids have dots, before which the other form ends
}

// getDocument answers GET /v1/alerts/{id}.cap with the newest message about an alert, or an earlier one.
func (h *Handler) getDocument(w http.ResponseWriter, r *http.Request) error {
	q := rest.ReadQuery(r, "message")
	wanted := q.Values.Get("message")
	if q.Values.Has("message") && (wanted == "" || len(wanted) > maxIdentifier) {
		q.Fail("message", "must be the identifier of a message, 1 to %d bytes", maxIdentifier)
	}
	if q.Err != nil {
		return q.Err
	}
	id, err := rest.PathID(r, "id")
	if err != nil {
		return err
	}
	id = strings.TrimSuffix(id, ".cap")
	a, known := h.Alerts.Alert(id)
	if !known || !h.Stations.Sees(r.Context(), a.Station) {
		return nhip.Errorf(nhip.CodeNotFound, "id",
			"there is no alert %q that is open or ended since the start of this api", id)
	}
	messages := capdoc.Messages(&a, h.Clock.Now())
	if wanted != "" {
		if messages = until(messages, wanted); messages == nil {
			return nhip.Errorf(nhip.CodeNotFound, "message", "there is no message %q about the alert", wanted)
		}
	}
	raw, err := capdoc.Encode(h.document(r, &a, messages))
	if err != nil {
		return err
	}
	h.Bytes(w, capdoc.ContentType, rest.NoStore, raw)
	return nil
}

// maxIdentifier is the maximum length of an identifier, bytes: an id is longer in it than it is itself.
const maxIdentifier = 1024

// until returns messages up to the one with an identifier; nil if its content is not known.
func until(messages []capdoc.AlertMessage, identifier string) []capdoc.AlertMessage {
	for i, m := range messages {
		if m.Identifier == identifier && m.Known {
			return messages[:i+1]
		}
	}
	return nil
}

// sender names who sends: an address of the host by which clients reach the api, which does not depend on the request.
func (h *Handler) sender() string {
	if u, err := url.Parse(h.PublicURL); err == nil && u.Hostname() != "" {
		return "nhip@" + capdoc.Name(u.Hostname())
	}
	return "nhip@localhost"
}

// seen returns the alerts of a list whose stations the caller sees.
func (h *Handler) seen(ctx context.Context, all []nhip.Alert) []nhip.Alert {
	out := make([]nhip.Alert, 0, len(all))
	for _, a := range all {
		if h.Stations.Sees(ctx, a.Station) {
			out = append(out, a)
		}
	}
	return out
}
