package openid

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"
)

// StateLife is how long somebody may take to sign in at the issuer.
const StateLife = 10 * time.Minute

// maxState bounds the text of a state, which is a cookie.
const maxState = 4000

// state is what the browser keeps while a person is at the issuer. The browser may read it and can't make one.
type state struct {
	State    string `json:"s"` // returned by the issuer
	Nonce    string `json:"n"` // in the token
	Verifier string `json:"v"` // of PKCE
	To       string `json:"t"` // path that was asked for
	Expires  int64  `json:"e"` // seconds since 1970
}

func randomText() string {
	var b [32]byte
	rand.Read(b[:]) // never fails (crypto/rand)
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// seal returns the signed text of a state.
func (c *Client) seal(s *state) (string, error) {
	raw, err := json.Marshal(s)
	if err != nil {
		return "", err
	}
	body := base64.RawURLEncoding.EncodeToString(raw)
	return body + "." + base64.RawURLEncoding.EncodeToString(c.signature(body)), nil
}

// open returns the state of a signed text. ok is false if this client has not signed it, or too long ago.
func (c *Client) open(text string) (s state, ok bool) {
	body, signature, _ := strings.Cut(text, ".")
	if len(text) > maxState {
		return s, false
	}
	given, err := base64.RawURLEncoding.DecodeString(signature)
	if err != nil || !hmac.Equal(given, c.signature(body)) {
		return s, false
	}
	raw, err := base64.RawURLEncoding.DecodeString(body)
	if err != nil || json.Unmarshal(raw, &s) != nil {
		return s, false
	}
	return s, c.o.Clock.Now().Unix() < s.Expires
}

func (c *Client) signature(body string) []byte {
	h := hmac.New(sha256.New, c.signing)
	_, _ = h.Write([]byte(body)) // never fails (hash.Hash)
	return h.Sum(nil)
}
