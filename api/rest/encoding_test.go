package rest

import "testing"

func TestAcceptsEncoding(t *testing.T) {
	for header, want := range map[string]bool{
		"": false, "br": false, "gzip": true, "br, gzip": true, "gzip;q=0": false, "gzip; q=0.0, br": false,
		"gzip;q=0.5": true, "x-gzip": false, "deflate,gzip;q=1.0": true,
	} {
		if AcceptsEncoding(header, "gzip") != want {
			t.Errorf("%q: %t", header, !want)
		}
	}
}

func TestETagMatches(t *testing.T) {
	for header, want := range map[string]bool{
		`"a"`: true, `W/"a"`: true, `"b", "a"`: true, "*": true, `"b"`: false, "a": false, "": false,
	} {
		if ETagMatches(header, `"a"`) != want {
			t.Errorf("%q: %t", header, !want)
		}
	}
}
