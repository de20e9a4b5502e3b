package rest

import (
	"net/http"
	"strings"

	"nhip"
	"nhip/api/access"
	"nhip/api/scope"
)

// Errors of requests whose caller lacks a permission.
var (
	errNoCredentials = nhip.Errorf(nhip.CodeUnauthorized, "Authorization",
		"must be Bearer and a key of staff, or the operator's token, which is in the data folder; browsers sign in")
	errGuessing    = nhip.Errorf(nhip.CodeTooMany, "Authorization", "too many wrong tokens from this address; wait")
	errKeysLoading = nhip.Errorf(nhip.CodeUnavailable, "", "the keys are still loading; try again in a moment")
	errScope       = nhip.Errorf(nhip.CodeForbidden, "", "this concerns the whole platform, and the caller has a scope")
	errRole        = nhip.Errorf(nhip.CodeForbidden, "", "the role of the caller does not allow this")
)

// Authenticate finds the caller of each request that has credentials, and hands it on in the context. Wrong credentials
// make a public caller: what needs none stays open. A page of another site must not write with the cookie of a session.
// Shared caches must not show one caller the answer to another.
func (p Responder) Authenticate(a access.Authenticator) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			shared := strings.HasPrefix(r.URL.Path, "/tiles/") // these are the same for all
			if !shared {
				w.Header().Add("Vary", "Authorization, Cookie")
			}
			if !access.HasCredentials(r) {
				next.ServeHTTP(w, r)
				return
			}
			caller, outcome := a.Authenticate(r)
			if caller.Session != "" && writes(r) {
				if err := p.checkOrigin(r, mustNameOrigin); err != nil {
					p.Problem(w, r, err)
					return
				}
			}
			if outcome == access.Allowed && !shared {
				w = &privateWriter{ResponseWriter: w}
			}
			next.ServeHTTP(w, access.WithCaller(r, caller, outcome))
		})
	}
}

// CallerOf returns the caller of a request.
func CallerOf(r *http.Request) access.Caller {
	caller, _ := access.CallerOf(r.Context())
	return caller
}

// ActorOf returns the caller of a request as who makes a user action; nil for the public.
func ActorOf(r *http.Request) *nhip.Actor {
	caller := CallerOf(r)
	if caller.Name == "" {
		return nil
	}
	actor := caller.Actor()
	return &actor
}

// ScopeOf returns what the caller of a request sees. The public sees everything that is public.
func ScopeOf(r *http.Request) scope.View { return CallerOf(r).View }

// PermissionError returns nil if the caller of r has a permission, and else the error to answer: with
// nhip.CodeUnauthorized without credentials, nhip.CodeForbidden if the role does not have it, nhip.CodeTooMany if the
// address guesses credentials.
func PermissionError(r *http.Request, permission nhip.Permission) error {
	caller, outcome := access.CallerOf(r.Context())
	switch {
	case caller.Role.May(permission):
		return nil
	case outcome == access.Slowed:
		return errGuessing
	case outcome == access.Loading:
		return errKeysLoading
	case outcome == access.Refused:
		return errNoCredentials
	}
	return errRole
}

// RequireWhole is Require for what concerns the whole platform, which callers with a scope don't see: they get 403.
func (p Responder) RequireWhole(permission nhip.Permission) func(http.Handler) http.Handler {
	require := p.Require(permission)
	return func(next http.Handler) http.Handler {
		return require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !ScopeOf(r).Unlimited() {
				p.Problem(w, r, errScope)
				return
			}
			next.ServeHTTP(w, r)
		}))
	}
}

// Require answers requests whose caller lacks a permission with 401, 403 or 429.
func (p Responder) Require(permission nhip.Permission) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if err := PermissionError(r, permission); err != nil {
				p.Problem(w, r, err)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}
