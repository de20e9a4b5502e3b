package rest

import (
	"net/http"
	"strings"

	"nhip/api/access"
)

// KeyFinder finds callers by the secrets of keys.
type KeyFinder interface {
	// Key returns the caller with the secret of a key. The outcome is Allowed, Refused or Loading.
	Key(secret string) (access.Caller, access.Outcome)
}

// KeyParameter lets a request name a key of ours in a parameter, as clients of standards do that know no header: it
// counts as one of that key. Any other value, and none, leaves the request as it is: such clients send keys of other
// servers, which are no guesses, and are never refused.
func KeyParameter(name string, keys KeyFinder) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if keys == nil || !strings.Contains(r.URL.RawQuery, access.KeyPrefix) || CallerOf(r).Key != "" {
				next.ServeHTTP(w, r)
				return
			}
			caller, outcome := keys.Key(r.URL.Query().Get(name))
			if outcome == access.Allowed {
				r = access.WithCaller(r, caller, outcome)
			}
			next.ServeHTTP(w, r)
		})
	}
}
