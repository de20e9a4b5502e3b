package influxd

import (
	"slices"
	"strings"
)

// childVariables are the environment variables that the program needs: where it finds its files, the time zone of its
// logs, and the settings of Go's runtime. It does not get those of nhip, among them passwords and tokens.
var childVariables = []string{
	"PATH", "HOME", "TMPDIR", "TZ", "LANG", "LC_ALL", "SSL_CERT_FILE", "SSL_CERT_DIR",
	"GOGC", "GOMEMLIMIT", "GOMAXPROCS", "GODEBUG", "GOTRACEBACK", "GORACE", "GOCOVERDIR",
}

// testPrefix begins the variables with which a test binary runs as the program.
const testPrefix = "NHIP_TEST_"

// childEnvironment returns what the program gets of an environment.
func childEnvironment(environ []string) []string {
	var out []string
	for _, pair := range environ {
		name, _, _ := strings.Cut(pair, "=")
		if slices.Contains(childVariables, name) || strings.HasPrefix(name, testPrefix) {
			out = append(out, pair)
		}
	}
	return out
}
