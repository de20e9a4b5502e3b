package api

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"

	"nhip"
)

// operator lets nobody pass but whoever holds the operator's token, as an HTTP bearer (RFC 6750). It
// takes the same time for every token, and an empty secret opens nothing.
func (a *API) operator(next http.Handler) http.Handler {
	want := sha256.Sum256([]byte(a.o.Token))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		given := sha256.Sum256([]byte(strings.TrimSpace(token)))
		if !strings.EqualFold(scheme, "Bearer") || subtle.ConstantTimeCompare(given[:], want[:]) != 1 || a.o.Token == "" {
			a.problem(w, r, nhip.Errorf(nhip.Unauthorized, "Authorization", "must be Bearer and the operator's token, which is in the data folder"))
			return
		}
		next.ServeHTTP(w, r)
	})
}
