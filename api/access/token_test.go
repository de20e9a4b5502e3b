package access

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestTokenAllowsOnlyItsBearer(t *testing.T) {
	for _, c := range []struct {
		token  string
		header string
		want   bool
	}{
		{"s3cret", "Bearer s3cret", true},
		{"s3cret", "bearer  s3cret ", true},
		{"s3cret", "Bearer s3cre", false},
		{"s3cret", "Basic s3cret", false},
		{"s3cret", "s3cret", false},
		{"s3cret", "", false},
		{"", "Bearer ", false},
		{"", "", false},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Authorization", c.header)
		if got := NewToken(c.token).is(bearerOf(r)); got != c.want {
			t.Errorf("token %q with %q: %t, want %t", c.token, c.header, got, c.want)
		}
	}
}
