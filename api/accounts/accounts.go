// Package accounts serves who may use the api: keys, the sessions of browsers, and the audit log of what people did.
package accounts

import (
	"context"
	"net/http"
	"time"

	"nhip"
	"nhip/api/access"
	"nhip/api/actions"
	"nhip/api/catalog"
	"nhip/api/rest"
	"nhip/api/scope"
	"nhip/internal/influx"
	"nhip/internal/openid"

	"github.com/go-chi/chi/v5"
)

// History is the part of the database that the package reads.
type History interface {
	// Audit returns rows of the audit log, newest first, and the end of the next page.
	Audit(ctx context.Context, q influx.AuditQuery) ([]nhip.AuditEntry, time.Time, error)
}

// Zones knows the areas of the map and their names.
type Zones interface {
	scope.Zones
	// Name returns the name of a zone.
	Name(zone string) nhip.LocalizedText
}

// Handler serves keys, sessions and the audit log.
type Handler struct {
	Actions   *actions.Client
	Documents *actions.Documents
	Keyring   *access.Keyring
	Guard     *access.Guard
	Links     *access.Links
	OpenID    *openid.Client // nil: staff have keys only
	SignIns   *SignInMetrics
	History   History
	Stations  *catalog.Catalog
	Zones     Zones
	Agencies  func() []string // those that are known
	Clock     nhip.Clock
	Secure    bool // cookies are sent over TLS only

	// RotateToken replaces the operator's token, here and in its file, and returns it. nil: there is none to replace.
	RotateToken func() (string, error)
	rest.Responder
}

// Routes registers the endpoints of admins, each with the permission that its caller needs.
func (h *Handler) Routes(r chi.Router) {
	keys := r.With(h.RequireWhole(nhip.MayManageKeys))
	keys.Get("/v1/keys", h.Handle(h.listKeys))
	keys.Post("/v1/keys", h.Handle(h.createKey))
	keys.Post("/v1/keys/{id}/rotate", h.Handle(h.rotateKey))
	keys.Delete("/v1/keys/{id}", h.Handle(h.removeKey))
	r.With(h.RequireWhole(nhip.MayReadAudit)).Get("/v1/audit", h.Handle(h.getAudit))
}

// SessionRoutes registers the endpoints of sessions, which are for everybody.
func (h *Handler) SessionRoutes(r chi.Router) {
	r.Get("/v1/session", h.Handle(h.getSession))
	r.Post("/v1/session", h.Handle(h.postSession))
	r.Delete("/v1/session", h.Handle(h.deleteSession))
	r.Get("/sign-in/oidc", h.Handle(h.beginSignIn))
	r.Get("/sign-in/oidc/callback", h.Handle(h.finishSignIn))
	r.Get("/sign-in/{link}", h.Handle(h.signInByLink))
}

// loaded returns an error while not all keys have been received.
func (h *Handler) loaded() error {
	if !h.Documents.Complete() {
		return rest.ErrNotReady
	}
	return nil
}

// actorOf returns who makes a change.
func actorOf(r *http.Request) nhip.Actor {
	caller := rest.CallerOf(r)
	return caller.Actor()
}
