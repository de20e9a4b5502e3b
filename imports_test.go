package nhip_test

import (
	"os/exec"
	"strings"
	"testing"
)

// importRules says what a part of the house may not import, and why.
var importRules = []struct {
	of, ban, reason string
	except          []string
}{
	{"nhip", "nhip/", "the root holds the nouns and knows nobody", nil},
	{"nhip/geo/", "nhip/", "geo is pure: it knows only the nouns", []string{"nhip/geo/"}},
	{"nhip/gateway", "nhip/collector", "roles meet only over MQTT and InfluxDB", nil},
	{"nhip/gateway", "nhip/api", "roles meet only over MQTT and InfluxDB", nil},
	{"nhip/collector", "nhip/gateway", "roles meet only over MQTT and InfluxDB", nil},
	{"nhip/collector", "nhip/api", "roles meet only over MQTT and InfluxDB", nil},
	{"nhip/api", "nhip/gateway", "roles meet only over MQTT and InfluxDB", nil},
	{"nhip/api", "nhip/collector", "roles meet only over MQTT and InfluxDB", nil},
	{"nhip/internal/", "nhip/gateway", "what roles share knows no role", nil},
	{"nhip/internal/", "nhip/collector", "what roles share knows no role", nil},
	{"nhip/internal/", "nhip/api", "what roles share knows no role", nil},
}

// rootLibraries are what the root may import beside the standard library.
var rootLibraries = []string{"github.com/paulmach/orb"}

func TestImportRules(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		for _, imported := range fields[1:] {
			checkImport(t, fields[0], imported)
		}
	}
}

func checkImport(t *testing.T, pkg, imported string) {
	t.Helper()
	for _, r := range importRules {
		if under(pkg, r.of) && under(imported, r.ban) && !anyUnder(imported, r.except) {
			t.Errorf("%s imports %s: %s", pkg, imported, r.reason)
		}
	}
	if pkg == "nhip" && strings.Contains(imported, ".") && !anyUnder(imported, rootLibraries) {
		t.Errorf("the root imports %s: only the standard library and orb belong there", imported)
	}
}

// under reports whether a package is the one that is named or, for a name with a slash at its end,
// lies below it. "nhip" alone is the root only.
func under(pkg, name string) bool {
	return pkg == name || strings.HasSuffix(name, "/") && strings.HasPrefix(pkg, name) ||
		name != "nhip" && strings.HasPrefix(pkg, name+"/")
}

func anyUnder(pkg string, names []string) bool {
	for _, n := range names {
		if under(pkg, n) {
			return true
		}
	}
	return false
}
