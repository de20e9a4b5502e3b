package rest

import "testing"

func TestETagMatches(t *testing.T) {
	for header, want := range map[string]bool{
		`"a"`: true, `W/"a"`: true, `"b", "a"`: true, "*": true, `"b"`: false, "a": false, "": false,
	} {
		if ETagMatches(header, `"a"`) != want {
			t.Errorf("%q: %t", header, !want)
		}
	}
}
