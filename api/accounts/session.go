package accounts

import (
	"context"
	"net/http"
	"slices"
	"time"

	"nhip"
	"nhip/api/access"
	"nhip/api/rest"
	"nhip/internal/httpserver"

	"github.com/go-chi/chi/v5"
)

// Bounds of sessions.
const (
	sessionLength     = 12 * time.Hour
	maxSessionsPerKey = 20 // the one that expires first ends for a new one
)

// sessionAnswer is the answer of /v1/session.
type sessionAnswer struct {
	Session *sessionState `json:"session"`
}

// sessionState is who the caller is.
type sessionState struct {
	Name        string            `json:"name"`
	Role        nhip.Role         `json:"role"`
	Permissions []nhip.Permission `json:"permissions"`
	Scope       scopeState        `json:"scope"`
	Expires     *time.Time        `json:"expires,omitempty"` // of the session; missing for a request with its key
}

// scopeState is what the caller sees.
type scopeState struct {
	nhip.Scope
	ZoneNames []nhip.LocalizedText `json:"zone_names,omitempty"` // in the order of zones
	Stations  *int                 `json:"station_count,omitempty"`
}

// getSession answers GET /v1/session, also without a session.
func (h *Handler) getSession(w http.ResponseWriter, r *http.Request) error {
	if err := rest.ReadQuery(r).Err; err != nil {
		return err
	}
	caller, outcome := access.CallerOf(r.Context())
	if outcome == access.Loading {
		return rest.ErrNotReady
	}
	if outcome != access.Allowed {
		return h.JSON(w, rest.NoStore, sessionAnswer{})
	}
	return h.JSON(w, rest.NoStore, sessionAnswer{h.stateOf(r.Context(), &caller)})
}

func (h *Handler) stateOf(ctx context.Context, c *access.Caller) *sessionState {
	limits := c.View.Limits()
	s := &sessionState{Name: c.Name, Role: c.Role, Permissions: []nhip.Permission{}, Scope: scopeState{Scope: limits}}
	for _, p := range nhip.Permissions() {
		if c.Role.May(p) {
			s.Permissions = append(s.Permissions, p)
		}
	}
	for _, zone := range limits.Zones {
		name := h.Zones.Name(zone) // files of zones need not have a name in both languages
		s.Scope.ZoneNames = append(s.Scope.ZoneNames, name.Full())
	}
	if stations, err := h.Stations.Stations(ctx); err == nil {
		n := 0
		for _, station := range stations {
			if c.View.Station(station) {
				n++
			}
		}
		s.Scope.Stations = &n
	}
	if !c.Until.IsZero() {
		s.Expires = &c.Until
	}
	return s
}

// postSession answers POST /v1/session: the browser gets a cookie.
func (h *Handler) postSession(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		Key string `json:"key"`
	}
	if err := rest.DecodeBody(w, r, &body); err != nil {
		return err
	}
	if err := h.CheckOrigin(r); err != nil {
		return err
	}
	caller, outcome := h.Guard.Identify(httpserver.ShareAddr(r), body.Key)
	switch outcome {
	case access.Loading:
		return rest.ErrNotReady
	case access.Slowed:
		return nhip.Errorf(nhip.CodeTooMany, "key", "too many wrong keys from this address; wait")
	case access.Refused:
		return nhip.Errorf(nhip.CodeUnauthorized, "key", "is not valid, or not any more")
	}
	if !caller.Role.Staff() {
		return nhip.Errorf(nhip.CodeForbidden, "key", "is of a program; sessions are for staff")
	}
	session := nhip.Session{
		Name: caller.Name, Role: caller.Role, Scope: caller.View.Limits(), Key: caller.Key, Way: nhip.SessionByKey,
	}
	if err := h.SignIn(w, r, session, sessionLength); err != nil {
		return err
	}
	caller.Until = h.Clock.Now().Add(sessionLength).UTC().Truncate(time.Millisecond)
	return h.Created(w, sessionAnswer{h.stateOf(r.Context(), &caller)})
}

// SignIn begins a session of a length and sets its cookie. It fills in the times of the session.
func (h *Handler) SignIn(w http.ResponseWriter, r *http.Request, s nhip.Session, length time.Duration) error {
	secret, id := access.NewSecret(access.SessionPrefix)
	s.Created = h.Clock.Now().UTC().Truncate(time.Millisecond)
	s.Expires = s.Created.Add(length)
	actor := nhip.Actor{Name: s.Name, Key: s.Owner(), Role: s.Role}
	if owner := s.Owner(); owner != "" {
		if err := h.makeRoom(r.Context(), owner, actor); err != nil {
			return err
		}
	}
	d := nhip.Document{
		Kind: nhip.DocumentSession, ID: id, Object: "session/" + s.Name, Time: s.Created, IfVersion: nhip.Some[int64](0),
	}
	if _, err := h.Actions.SetJSON(r.Context(), d, s, actor); err != nil {
		return asRequest(err)
	}
	h.setCookie(w, secret, int(length/time.Second))
	return nil
}

// makeRoom ends sessions of a key or an account that has too many.
func (h *Handler) makeRoom(ctx context.Context, owner string, actor nhip.Actor) error {
	ids := h.Keyring.SessionsOf(owner)
	if len(ids) < maxSessionsPerKey {
		return nil
	}
	slices.SortFunc(ids, func(a, b string) int { return h.Keyring.Expires(a).Compare(h.Keyring.Expires(b)) })
	for _, id := range ids[:len(ids)-maxSessionsPerKey+1] {
		if err := h.endSession(ctx, id, actor); err != nil {
			return err
		}
	}
	return nil
}

// setCookie sets the cookie of a session; with a negative age it is removed.
func (h *Handler) setCookie(w http.ResponseWriter, secret string, seconds int) {
	http.SetCookie(w, &http.Cookie{
		Name: access.SessionCookie, Value: secret, Path: "/", MaxAge: seconds, HttpOnly: true, Secure: h.Secure,
		SameSite: http.SameSiteStrictMode,
	})
}

// deleteSession answers DELETE /v1/session: it ends here, and for all apis.
func (h *Handler) deleteSession(w http.ResponseWriter, r *http.Request) error {
	if err := rest.ReadQuery(r).Err; err != nil {
		return err
	}
	if caller := rest.CallerOf(r); caller.Session != "" {
		if err := h.endSession(r.Context(), caller.Session, caller.Actor()); err != nil {
			return err
		}
	}
	h.setCookie(w, "", -1)
	return h.JSON(w, rest.NoStore, sessionAnswer{})
}

func (h *Handler) endSession(ctx context.Context, id string, actor nhip.Actor) error {
	_, err := h.Actions.Set(ctx, nhip.Document{Kind: nhip.DocumentSession, ID: id, Object: "session/" + actor.Name}, actor)
	return err
}

// signInByLink answers GET /sign-in/{link}: a link works once.
func (h *Handler) signInByLink(w http.ResponseWriter, r *http.Request) error {
	if err := rest.ReadQuery(r).Err; err != nil {
		return err // and the link stays unused
	}
	preview := r.Method == http.MethodHead // which must not use the link
	role, ok := h.Links.Take(chi.URLParam(r, "link"), !preview, h.Clock.Now())
	if !ok {
		return nhip.Errorf(nhip.CodeNotFound, "", "this link is used or has expired; / đường dẫn đã dùng hoặc đã hết hạn")
	}
	if !preview {
		session := nhip.Session{Name: string(role), Role: role, Way: nhip.SessionByLink}
		if err := h.SignIn(w, r, session, sessionLength); err != nil {
			return err
		}
	}
	w.Header().Set("Cache-Control", rest.NoStore)
	http.Redirect(w, r, "/", http.StatusSeeOther)
	return nil
}
