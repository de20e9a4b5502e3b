// Package access decides who may see what.
package access

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"
	"sync/atomic"
)

// Token is the operator's secret, which may be replaced at any time. The zero Token and the empty secret allow nobody.
// It is safe for concurrent use.
type Token struct{ secret atomic.Pointer[string] }

// NewToken returns a token with a secret.
func NewToken(secret string) *Token {
	t := new(Token)
	t.Set(secret)
	return t
}

// Set replaces the secret. The old one is not valid any more.
func (t *Token) Set(secret string) { t.secret.Store(&secret) }

// is reports whether a text is the secret. The comparison takes the same time for every text.
func (t *Token) is(text string) bool {
	secret := t.secret.Load()
	if secret == nil {
		return false
	}
	given, want := sha256.Sum256([]byte(text)), sha256.Sum256([]byte(*secret))
	return subtle.ConstantTimeCompare(given[:], want[:]) == 1 && *secret != ""
}

// bearerOf returns the HTTP bearer token of a request (RFC 6750), "" without one.
func bearerOf(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}
