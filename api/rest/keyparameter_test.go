package rest_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"nhip/api/access"
	"nhip/api/rest"
)

// oneKey knows one key.
type oneKey struct{ secret string }

func (k oneKey) Key(secret string) (access.Caller, access.Outcome) {
	if secret == k.secret {
		return access.Caller{Key: "known"}, access.Allowed
	}
	return access.Public, access.Refused
}

func TestKeyParameter(t *testing.T) {
	secret, _ := access.NewSecret(access.KeyPrefix)
	var caller string
	h := rest.KeyParameter("key", oneKey{secret})(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		caller = rest.CallerOf(r).Key
	}))
	for query, want := range map[string]string{
		"": "", "?key=TEST": "", "?key=": "", "?key=" + secret: "known", "?key=" + secret[:20]: "", "?q=" + secret: "",
		"?key=" + access.KeyPrefix + "x&version=2": "", "?version=2&key=" + secret: "known",
	} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/"+query, nil))
		if w.Code != http.StatusOK || caller != want {
			t.Errorf("%q: %d by %q", query, w.Code, caller)
		}
	}
	r := httptest.NewRequest(http.MethodGet, "/?key="+secret, nil)
	h.ServeHTTP(httptest.NewRecorder(), access.WithCaller(r, access.Caller{Key: "header"}, access.Allowed))
	if caller != "header" {
		t.Errorf("a header beside it: %q", caller)
	}
}
