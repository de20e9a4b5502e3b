package api

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"

	"nhip"
)

// isOperator reports whether a request shows the operator's token, as an HTTP bearer (RFC 6750). It takes the same
// time for every token, and an empty secret opens nothing.
func (a *API) isOperator(r *http.Request) bool {
	want := sha256.Sum256([]byte(a.o.Token))
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	given := sha256.Sum256([]byte(strings.TrimSpace(token)))
	return strings.EqualFold(scheme, "Bearer") && subtle.ConstantTimeCompare(given[:], want[:]) == 1 && a.o.Token != ""
}

// operator lets nobody pass but the operator.
func (a *API) operator(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !a.isOperator(r) {
			a.problem(w, r, nhip.Errorf(nhip.Unauthorized, "Authorization", "must be Bearer and the operator's token, which is in the data folder"))
			return
		}
		next.ServeHTTP(w, r)
	})
}
