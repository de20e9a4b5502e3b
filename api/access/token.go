// Package access decides who may see what.
package access

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"
)

// Token is the operator's secret. The empty token allows nobody.
type Token string

// Allows reports whether the request carries the token as an HTTP bearer token (RFC 6750). The comparison takes the
// same time for every token.
func (t Token) Allows(r *http.Request) bool {
	want := sha256.Sum256([]byte(t))
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	given := sha256.Sum256([]byte(strings.TrimSpace(token)))
	return strings.EqualFold(scheme, "Bearer") && subtle.ConstantTimeCompare(given[:], want[:]) == 1 && t != ""
}
