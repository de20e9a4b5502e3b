package tiles

import (
	"strings"
	"testing"

	"nhip"
)

func TestTileAddressIsCanonical(t *testing.T) {
	for path, found := range map[string]bool{
		"10/812/450": true, "0/0/0": true, "+1/0/0": false, "1/01/0": false, "1/-1/0": false, "1/2/0": false,
		"99/0/0": false, "x/0/0": false, "1/0/99999999999999999999": false,
	} {
		parts := strings.Split(path, "/")
		_, err := place{parts[0], parts[1], parts[2]}.address()
		if (err == nil) != found || err != nil && nhip.ErrorCode(err) != nhip.CodeNotFound {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// TestMatchFindsWhatTheRouterFinds: a path that Match refuses goes to the router.
func TestMatchFindsWhatTheRouterFinds(t *testing.T) {
	for path, want := range map[string]string{
		"/tiles/air/10/812/450.mvt": kinds[0].pattern, "/tiles/air/10/812/450@2x.png": kinds[1].pattern,
		"/tiles/transit/a/b/c.mvt": kinds[2].pattern, "/tiles/transit/1/2/3.png": "", "/tiles/air.json": "",
		"/tiles/air/1/2.mvt": "", "/tiles/air/1/2/3/4.mvt": "", "/tiles/air/1/2/.mvt": "", "/tiles/air//2/3.mvt": "",
		"/tiles/air/1/2/3.x.mvt": "", "/v1/buses": "", "": "",
	} {
		if got, ok := Match(path); got != want || ok != (want != "") {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}
