package app_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/netip"
	"testing"

	"nhip/api/apitest"
)

// checkFormSecret checks that the configured secret signs the tokens of the form.
func checkFormSecret(t *testing.T, checked effects, c *apitest.Client) {
	t.Helper()
	const head = 12 + 8 // bytes that are signed: a random number and a time
	token, err := base64.RawURLEncoding.DecodeString(formToken(t, c))
	if err != nil || len(token) <= head {
		t.Fatalf("token %x: %v", token, err)
	}
	network, err := netip.MustParsePrefix("127.0.0.0/24").MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	h := hmac.New(sha256.New, []byte("the secret of the probe's own form"))
	_, _ = h.Write(append(token[:head:head], network...))
	checked.check(t, "reports.form_secret", bytes.HasPrefix(h.Sum(nil), token[head:]))
}
