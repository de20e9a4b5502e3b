// Package openidtest runs an OpenID Connect issuer for tests. It signs tokens with RS256, accepts a code once and only
// with the verifier of its challenge, and can be made to answer wrongly.
package openidtest

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/coreos/go-oidc/v3/oidc/oidctest"
)

// The client that the issuer knows.
const (
	ClientID     = "nhip"
	ClientSecret = "the client's secret"
)

// keyBits is small, because making a key takes long.
const keyBits = 2048

// Issuer is a running issuer.
type Issuer struct {
	URL string

	key    *rsa.PrivateKey
	server oidctest.Server // serves the public key

	mu      sync.Mutex
	answers Answers
	codes   map[string]url.Values // parameters of the authorization by code, until it is used
	info    map[string]map[string]any
}

// Answers are what the issuer says. The zero Answers names nobody.
type Answers struct {
	Claims   map[string]any // in the token, over the usual ones
	UserInfo map[string]any // besides sub
	Error    string         // of the authorization, in the place of a code
	Nonce    string         // in the place of the right one
	Key      *rsa.PrivateKey
	Away     bool // every request fails
}

// NewKey returns a key.
func NewKey(t testing.TB) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// Start starts an issuer, which runs until the test ends.
func Start(t testing.TB) *Issuer {
	t.Helper()
	i := &Issuer{key: NewKey(t), codes: make(map[string]url.Values), info: make(map[string]map[string]any)}
	i.server.PublicKeys = []oidctest.PublicKey{{PublicKey: i.key.Public(), KeyID: "k", Algorithm: oidc.RS256}}
	s := httptest.NewServer(i)
	t.Cleanup(s.Close)
	i.URL = s.URL
	i.server.SetIssuer(i.URL)
	return i
}

// Say sets what the issuer says from now on.
func (i *Issuer) Say(a Answers) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.answers = a
}

// ServeHTTP implements http.Handler.
func (i *Issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.answers.Away {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	switch r.URL.Path {
	case "/.well-known/openid-configuration":
		reply(w, http.StatusOK, map[string]any{
			"issuer": i.URL, "authorization_endpoint": i.URL + "/auth", "token_endpoint": i.URL + "/token",
			"jwks_uri": i.URL + "/keys", "userinfo_endpoint": i.URL + "/userinfo",
			"id_token_signing_alg_values_supported": []string{oidc.RS256},
		})
	case "/auth":
		i.authorize(w, r)
	case "/token":
		i.token(w, r)
	case "/userinfo":
		reply(w, http.StatusOK, i.info[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")])
	default:
		i.server.ServeHTTP(w, r)
	}
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

// authorize sends the browser back at once, as if its person had signed in before.
func (i *Issuer) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if q.Get("client_id") != ClientID || q.Get("response_type") != "code" || q.Get("code_challenge_method") != "S256" ||
		q.Get("nonce") == "" || q.Get("redirect_uri") == "" || !strings.HasPrefix(q.Get("scope"), "openid") {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	back := url.Values{"state": {q.Get("state")}}
	if i.answers.Error != "" {
		back.Set("error", i.answers.Error)
	} else {
		code := rand.Text()
		i.codes[code] = q
		back.Set("code", code)
	}
	http.Redirect(w, r, q.Get("redirect_uri")+"?"+back.Encode(), http.StatusFound)
}

// token exchanges a code.
func (i *Issuer) token(w http.ResponseWriter, r *http.Request) {
	id, secret, _ := r.BasicAuth()
	if id, _ = url.QueryUnescape(id); id != ClientID {
		reply(w, http.StatusUnauthorized, map[string]string{"error": "invalid_client"})
		return
	}
	if secret, _ = url.QueryUnescape(secret); secret != ClientSecret {
		reply(w, http.StatusUnauthorized, map[string]string{"error": "invalid_client"})
		return
	}
	code := r.PostFormValue("code")
	q, known := i.codes[code]
	delete(i.codes, code)
	challenge := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	if !known || q.Get("code_challenge") != base64.RawURLEncoding.EncodeToString(challenge[:]) ||
		q.Get("redirect_uri") != r.PostFormValue("redirect_uri") {
		reply(w, http.StatusBadRequest, map[string]string{"error": "invalid_grant"})
		return
	}
	claims := map[string]any{
		"iss": i.URL, "aud": ClientID, "exp": time.Now().Add(time.Minute).Unix(), "iat": time.Now().Unix(),
		"nonce": q.Get("nonce"),
	}
	if i.answers.Nonce != "" {
		claims["nonce"] = i.answers.Nonce
	}
	maps.Copy(claims, i.answers.Claims)
	access := rand.Text()
	i.info[access] = map[string]any{"sub": claims["sub"]}
	maps.Copy(i.info[access], i.answers.UserInfo)
	key := i.key
	if i.answers.Key != nil {
		key = i.answers.Key
	}
	raw, _ := json.Marshal(claims)
	reply(w, http.StatusOK, map[string]any{
		"access_token": access, "token_type": "Bearer", "expires_in": 60,
		"id_token": oidctest.SignIDToken(key, "k", oidc.RS256, string(raw)),
	})
}
