package nhip_test

import (
	"fmt"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

// importRule says what a part of the project may not import, and why.
type importRule struct {
	of, ban, reason string
	except          []string
}

const (
	onTop   = "app starts the roles: nothing below imports it"
	apart   = "roles meet only over MQTT and InfluxDB"
	noJudge = "what really happened is not found by the engine that is measured"
	storeys = "the api's surfaces stand on its models, and both on its ground"
)

var importRules = []importRule{
	{"nhip", "nhip/", "the root defines the nouns and imports no other package", nil},
	{"nhip/geo/", "nhip/", "geo is pure: it imports only the root", []string{"nhip/geo/"}},
	{"nhip/geo/backtest/truth", "nhip/geo/track", noJudge, nil},
	{"nhip/geo/backtest/truth", "nhip/geo/predict", noJudge, nil},
	{"nhip/gateway", "nhip/collector", apart, nil},
	{"nhip/gateway", "nhip/api", apart, nil},
	{"nhip/collector", "nhip/gateway", apart, nil},
	{"nhip/collector", "nhip/api", apart, nil},
	{"nhip/api", "nhip/gateway", apart, nil},
	{"nhip/api", "nhip/collector", apart, nil},
	{"nhip/internal/", "nhip/gateway", "what roles share imports no role", nil},
	{"nhip/internal/", "nhip/collector", "what roles share imports no role", nil},
	{"nhip/internal/", "nhip/api", "what roles share imports no role", nil},
	{"nhip/geo/", "nhip/app", onTop, nil},
	{"nhip/gateway", "nhip/app", onTop, nil},
	{"nhip/collector", "nhip/app", onTop, nil},
	{"nhip/api", "nhip/app", onTop, nil},
	{"nhip/internal/", "nhip/app", onTop, nil},
	{"nhip/client", "nhip/", "programs outside the platform use the client: it imports only the root", nil},
}

// The storeys of the api. Surfaces know HTTP; models know the city and never HTTP; ground knows neither the city nor,
// except for rest and access, HTTP.
var (
	apiSurfaces = inAPI("v1", "records", "staff", "ogc", "tiles", "stream", "tides", "webmap", "gtfsrt", "oba", "siri",
		"open311", "accounts", "docs", "servicealerts", "reminders",
		"cap", "edr", "sta")
	apiModels = inAPI("live", "transit", "air", "catalog", "actions", "reports", "places")
	apiGround = inAPI("rest", "geojson", "encode", "cache", "access", "scope", "quota", "senders", "odata")
	apiHTTP   = inAPI("rest", "access")
)

func inAPI(names ...string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = "nhip/api/" + n
	}
	return out
}

// rootLibraries are what the root may import besides the standard library.
var rootLibraries = []string{"github.com/paulmach/orb"}

func TestImportRules(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string][]string)
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		all[fields[0]] = fields[1:]
	}
	for _, storey := range [][]string{apiSurfaces, apiModels, apiGround} {
		for _, pkg := range storey {
			if _, ok := all[pkg]; !ok {
				t.Errorf("%s does not exist, so no rule holds for it", pkg)
			}
		}
	}
	for _, broken := range checkImports(all) {
		t.Error(broken)
	}
}

// TestImportCheckerFindsWrongImports gives the checker imports that break each rule.
func TestImportCheckerFindsWrongImports(t *testing.T) {
	for _, c := range []struct {
		name  string
		wrong string // packages and their imports, separated by ;
		want  string // part of the only message; "" for none
	}{
		{
			"all is well",
			"nhip time github.com/paulmach/orb; nhip/api nhip/api/v1; nhip/api/v1 nhip/api/live net/http; nhip/api/live " +
				"nhip/internal/topics; nhip/internal/topics nhip",
			"",
		},
		{"root imports a package", "nhip nhip/geo/aqi", "nhip imports nhip/geo/aqi"},
		{"root imports a library", "nhip github.com/go-chi/chi", "nhip imports github.com/go-chi/chi"},
		{"geo imports internal", "nhip/geo/aqi nhip/internal/wait", "geo is pure"},
		{"geo imports geo", "nhip/geo/air nhip/geo/aqi", ""},
		{"truth imports the engine", "nhip/geo/backtest/truth nhip/geo/track", noJudge},
		{"role imports role", "nhip/collector/air nhip/api/live", apart},
		{"shared imports role", "nhip/internal/mqtt nhip/gateway", "no role"},
		{"surface imports surface", "nhip/api/v1 nhip/api/tiles", "nhip/api/v1 imports nhip/api/tiles"},
		{"surface imports api", "nhip/api/records nhip/api", "nhip/api/records imports nhip/api"},
		{"model imports surface", "nhip/api/air nhip/api/stream", storeys},
		{"ground imports model", "nhip/api/geojson nhip/api/live", storeys},
		{"model imports HTTP", "nhip/api/transit net/http", "nhip/api/transit reaches net/http"},
		{
			"model reaches HTTP", "nhip/api/air nhip/internal/influx; nhip/internal/influx net/http",
			"nhip/api/air reaches net/http: nhip/api/air → nhip/internal/influx",
		},
		{
			"model reaches HTTP through the ground", "nhip/api/live nhip/api/rest; nhip/api/rest net/http",
			"nhip/api/live reaches net/http: nhip/api/live → nhip/api/rest",
		},
		{"ground imports HTTP", "nhip/api/cache net/http", "nhip/api/cache reaches net/http"},
		{"rest imports HTTP", "nhip/api/rest net/http nhip/api/access; nhip/api/access net/http", ""},
		{"HTTP through a library", "nhip/api/live github.com/prometheus/client_golang/prometheus", ""},
		{"production imports testing", "nhip/gateway testing", "nhip/gateway imports testing"},
		{
			"production imports tests", "nhip/internal/mqtt nhip/internal/awaittest",
			"nhip/internal/mqtt imports nhip/internal/awaittest",
		},
		{"tests import tests", "nhip/internal/mqtt/mqtttest nhip/internal/awaittest testing", ""},
		{
			"backtest is production", "nhip/cmd/nhip nhip/geo/backtest; nhip/geo/backtest testing",
			"nhip/geo/backtest imports testing",
		},
	} {
		all := make(map[string][]string)
		for pkg := range strings.SplitSeq(c.wrong, ";") {
			fields := strings.Fields(pkg)
			all[fields[0]] = fields[1:]
		}
		got := checkImports(all)
		if c.want == "" && len(got) > 0 || c.want != "" && (len(got) != 1 || !strings.Contains(got[0], c.want)) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// checkImports returns a message for each import that breaks a rule. all maps packages to what they import.
func checkImports(all map[string][]string) []string {
	var broken []string
	for pkg, imports := range all {
		for _, imported := range imports {
			if reason := forbidden(pkg, imported); reason != "" {
				broken = append(broken, fmt.Sprintf("%s imports %s: %s", pkg, imported, reason))
			}
		}
		if slices.Contains(apiModels, pkg) || slices.Contains(apiGround, pkg) && !slices.Contains(apiHTTP, pkg) {
			if way := wayTo(all, pkg, "net/http"); way != nil {
				broken = append(broken, fmt.Sprintf("%s reaches net/http: %s", pkg, strings.Join(way, " → ")))
			}
		}
	}
	slices.Sort(broken)
	return broken
}

// forbidden returns why a package may not import another, "" if it may.
func forbidden(pkg, imported string) string {
	for _, r := range importRules {
		if under(pkg, r.of) && under(imported, r.ban) && !anyUnder(imported, r.except) {
			return r.reason
		}
	}
	switch {
	case pkg == "nhip" && strings.Contains(imported, ".") && !anyUnder(imported, rootLibraries):
		return "the root imports only the standard library and orb"
	case imported == "nhip/api" && under(pkg, "nhip/api") && !testOnly(pkg):
		return "the api's parts do not import the package that wires them"
	case slices.Contains(apiSurfaces, pkg) && slices.Contains(apiSurfaces, imported):
		return "surfaces do not import one another"
	case slices.Contains(apiModels, pkg) && slices.Contains(apiSurfaces, imported),
		slices.Contains(apiGround, pkg) && (slices.Contains(apiSurfaces, imported) || slices.Contains(apiModels, imported)):
		return storeys
	case !testOnly(pkg) && (imported == "testing" || testOnly(imported)):
		return "production does not import what is for tests"
	}
	return ""
}

// testOnly reports whether a package of ours is for tests: its name ends in "test". A backtest is not a test.
func testOnly(pkg string) bool {
	name := path.Base(pkg)
	return strings.HasPrefix(pkg, "nhip/") && strings.HasSuffix(name, "test") && name != "backtest"
}

// wayTo returns the packages of ours through which one package reaches another, itself first; nil if it does not.
func wayTo(all map[string][]string, from, to string) []string {
	seen := map[string]bool{from: true}
	for queue := [][]string{{from}}; len(queue) > 0; queue = queue[1:] {
		way := queue[0]
		for _, imported := range all[way[len(way)-1]] {
			if imported == to {
				return way
			}
			if strings.HasPrefix(imported, "nhip/") && !seen[imported] {
				seen[imported] = true
				queue = append(queue, append(slices.Clone(way), imported))
			}
		}
	}
	return nil
}

// under reports whether a package is the named one or lies below it. A name with a final slash stands only for what
// lies below it, and "nhip" only for the root.
func under(pkg, name string) bool {
	return pkg == name || strings.HasSuffix(name, "/") && strings.HasPrefix(pkg, name) ||
		name != "nhip" && strings.HasPrefix(pkg, name+"/")
}

func anyUnder(pkg string, names []string) bool {
	return slices.ContainsFunc(names, func(n string) bool { return under(pkg, n) })
}
