package access

import (
	"context"
	"net/http"
	"time"

	"nhip"
	"nhip/api/scope"
)

// Caller is who sent a request.
type Caller struct {
	Name string // of a person or a program, for the audit; "" for the public
	Key  string // id of the key, for limits; "" without one
	Role nhip.Role
	View scope.View

	Session string    // id of the session; "" for requests that carry their key
	Until   time.Time // when the session expires

	ended func() bool // nil: never
}

// Ended reports whether the caller's key or session has ended since the request began. Streams must ask now and then.
func (c *Caller) Ended() bool { return c.ended != nil && c.ended() }

// Actor returns the caller as who makes a user action.
func (c *Caller) Actor() nhip.Actor { return nhip.Actor{Name: c.Name, Key: c.Key, Role: c.Role} }

// Public is the caller of requests without credentials.
var Public = Caller{Role: nhip.RolePublic}

// Authenticator finds the caller of a request from its credentials.
type Authenticator interface {
	// Authenticate returns Public with Refused for a request without valid credentials, and with Slowed for one whose
	// address guesses credentials.
	Authenticate(r *http.Request) (Caller, Outcome)
}

type callerKey struct{}

// identified is the caller of a request and how it was found.
type identified struct {
	caller  Caller
	outcome Outcome
}

// WithCaller returns a request that carries its caller.
func WithCaller(r *http.Request, c Caller, o Outcome) *http.Request {
	ctx := context.WithValue(r.Context(), callerKey{}, &identified{c, o})
	return r.WithContext(scope.With(ctx, c.View))
}

// CallerOf returns the caller of a request: Public and Refused if it carries none.
func CallerOf(ctx context.Context) (Caller, Outcome) {
	if found, ok := ctx.Value(callerKey{}).(*identified); ok {
		return found.caller, found.outcome
	}
	return Public, Refused
}

// SessionCookie is the name of the cookie with the secret of a session.
const SessionCookie = "nhip_session"

// HasCredentials reports whether a request carries anything that may name its caller.
func HasCredentials(r *http.Request) bool {
	return len(r.Header["Authorization"]) > 0 || len(r.Header["Cookie"]) > 0 && sessionOf(r) != ""
}

// sessionOf returns the secret of the session of a request, "" without one.
func sessionOf(r *http.Request) string {
	cookie, err := r.Cookie(SessionCookie)
	if err != nil {
		return ""
	}
	return cookie.Value
}
