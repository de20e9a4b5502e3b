package capdoc_test

import (
	"encoding/xml"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/internal/capdoc"
	"nhip/internal/captest"

	"github.com/paulmach/orb"
)

var (
	noon  = time.Date(2026, 2, 16, 5, 0, 0, 0, time.UTC)
	hanoi = time.FixedZone("", 7*3600)
)

// episode is an alert whose grade changed at hours after noon.
func episode(id string, grades map[int]int, hours ...int) *nhip.Alert {
	a := &nhip.Alert{ID: id, Rule: "dust", Measure: "pm25", Station: "s", Since: noon}
	for _, h := range hours {
		a.Grade, a.Time, a.Value = grades[h], noon.Add(time.Duration(h)*time.Hour), float64(h)
		a.Record()
	}
	return a
}

func TestMessagesOfAnEpisode(t *testing.T) {
	a := episode("dust.s.1", map[int]int{0: 1, 2: 3, 5: 0}, 0, 2, 5)
	messages := capdoc.Messages(a, noon.Add(100*time.Hour))
	var got []string
	for _, m := range messages {
		got = append(got, m.Type+" "+m.Identifier)
	}
	want := "Alert dust.s.1.1771218000000 Update dust.s.1.1771225200000 Cancel dust.s.1.1771236000000"
	if strings.Join(got, " ") != want {
		t.Errorf("%v", got)
	}
	want = "nhip@x,dust.s.1.1771218000000,2026-02-16T12:00:00+07:00 " +
		"nhip@x,dust.s.1.1771225200000,2026-02-16T14:00:00+07:00"
	if got := capdoc.References(messages, "nhip@x", hanoi); got != want {
		t.Errorf("references of the cancel: %s", got)
	}
	if got := capdoc.References(messages[:1], "nhip@x", hanoi); got != "" {
		t.Errorf("references of the first: %s", got)
	}
}

// TestAlertThatLastsIsToldAgain holds that a message never expires while the alert lasts and somebody looks after it.
func TestAlertThatLastsIsToldAgain(t *testing.T) {
	a := episode("dust.s.1", map[int]int{0: 2}, 0)
	for h := range 24 * 29 {
		now := noon.Add(time.Duration(h) * time.Hour)
		messages := capdoc.Messages(a, now)
		last := messages[len(messages)-1]
		if last.Sent.After(now) || !last.Sent.Add(capdoc.Lasts).After(now.Add(11*time.Hour)) {
			t.Fatalf("%d h: the last message is of %v", h, last.Sent)
		}
		if n := len(strings.Fields(capdoc.References(messages, "s", hanoi))); n > 3 {
			t.Fatalf("%d h: %d references", h, n)
		}
	}
	if n := len(capdoc.Messages(a, noon.Add(1e6*time.Hour))); n != 61 {
		t.Errorf("%d messages after a century", n)
	}
}

// TestHistoryIsBounded lets a grade change every hour for a month.
func TestHistoryIsBounded(t *testing.T) {
	a := episode("dust.s.1", map[int]int{0: 1}, 0)
	before := *a
	for h := 1; h < 720; h++ {
		a.Grade, a.Time = 1+h%3, noon.Add(time.Duration(h)*time.Hour)
		a.Record()
	}
	if len(a.Changes) != nhip.MaxAlertChanges || !a.Changes[0].Time.Equal(noon) || len(before.Changes) != 1 {
		t.Errorf("%d changes", len(a.Changes))
	}
	messages := capdoc.Messages(a, a.Time)
	if n := len(strings.Fields(capdoc.References(messages, "s", hanoi))); n != 24 || len(messages) != 32 {
		t.Errorf("%d messages, %d references; the first, and 23 that are valid", len(messages), n)
	}
}

func TestAlertOfAnOlderCollectorIsAnUpdateOfItsFirstMessage(t *testing.T) {
	a := &nhip.Alert{ID: "a", Grade: 3, Since: noon, Time: noon.Add(time.Hour)}
	messages := capdoc.Messages(a, a.Time)
	if len(messages) != 2 || messages[1].Type != capdoc.MsgUpdate || messages[0].Known {
		t.Errorf("%+v", messages)
	}
	if got := capdoc.References(messages, "s", nil); got != "s,a.1771218000000,2026-02-16T05:00:00-00:00" {
		t.Error(got)
	}
	a.Record() // by a newer collector
	if m := capdoc.Messages(a, a.Time); len(m) != 2 || m[1].Type != capdoc.MsgUpdate || !m[1].Known {
		t.Errorf("%+v", m)
	}
	a.Time, a.Changes = a.Since, nil
	if m := capdoc.Messages(a, a.Time); len(m) != 1 || m[0].Type != capdoc.MsgAlert {
		t.Errorf("%+v", m)
	}
}

func TestNamesHaveNoForbiddenCharacters(t *testing.T) {
	seen := make(map[string]string)
	for _, id := range []string{"a b", "a,b", "a<b", "a&b", "a+b", "a%20b", "a/b", "bụi", "a\tb", `a"b`, "a.b-c_d"} {
		name := capdoc.Name(id)
		if strings.ContainsAny(name, " ,<&+\t/\"") || seen[name] != "" {
			t.Errorf("%q has the name %q, as %q", id, name, seen[name])
		}
		seen[name] = id
	}
}

func TestTimesHaveAnOffset(t *testing.T) {
	for _, c := range []struct {
		zone *time.Location
		want string
	}{
		{hanoi, "2026-02-16T12:00:00+07:00"},
		{nil, "2026-02-16T05:00:00-00:00"},
		{time.FixedZone("", 0), "2026-02-16T05:00:00-00:00"},
		{time.FixedZone("", -12600), "2026-02-16T01:30:00-03:30"},
		{time.FixedZone("", 25590), "2026-02-16T05:00:00-00:00"}, // an offset with seconds has no form
	} {
		if got := capdoc.Time(noon.Add(999*time.Millisecond), c.zone); got != c.want {
			t.Errorf("%v: %s", c.zone, got)
		}
	}
}

func TestPolygonsAreClosedAndBounded(t *testing.T) {
	var circle orb.Ring
	for i := range 5000 {
		sin, cos := math.Sincos(float64(i) / 5000 * 2 * math.Pi)
		circle = append(circle, orb.Point{105.8 + cos/10, 21 + sin/10})
	}
	circle = append(circle, circle[0])
	open := orb.Ring{{105, 20}, {106, 20}, {106, 21}}
	dot := orb.Ring{{105, 20}, {105.000001, 20}, {105, 20.000001}, {105, 20}}
	var islands orb.MultiPolygon
	for range 50 {
		islands = append(islands, orb.Polygon{open})
	}
	if got := capdoc.Polygons(islands); len(got) != 20 ||
		got[0] != "20.00000,105.00000 20.00000,106.00000 21.00000,106.00000 "+
			"20.00000,105.00000" {
		t.Errorf("%d polygons, the first is %s", len(got), got[0])
	}
	got := capdoc.Polygons(orb.MultiPolygon{{circle, open}, {dot}, {}})
	if len(got) != 1 || len(strings.Fields(got[0])) != 100 {
		t.Fatalf("%d polygons: %v", len(got), got)
	}
	pairs := strings.Fields(got[0])
	if pairs[0] != pairs[99] || !strings.Contains(got[0], ",105.") {
		t.Errorf("%s", got[0])
	}
	var comb orb.Ring // whose teeth are thinner than what simplifying leaves
	for i := range 400 {
		comb = append(comb, orb.Point{105 + float64(i)/400, 20 + float64(i%2)*(0.5+float64(i*7919%13)/40)})
	}
	comb = append(comb, orb.Point{106, 19.9}, orb.Point{105.5, 20.05}, comb[0])
	got = capdoc.Polygons(orb.MultiPolygon{{comb}})
	if n := len(strings.Fields(got[0])); n < 4 || n > 100 {
		t.Errorf("%d vertices", n)
	}
	if got := capdoc.Circle(orb.Point{105.85, 21.03}, 2); got != "21.03000,105.85000 2" {
		t.Error(got)
	}
}

// testdata returns the folder of the schema, and skips without it.
func testdata(t *testing.T) string {
	t.Helper()
	if os.Getenv("TESTDATA_DIR") == "" {
		t.Skip("TESTDATA_DIR is not set: the schema of CAP and its examples are not there")
	}
	return filepath.Join(os.Getenv("TESTDATA_DIR"), "schemas", "cap")
}

// TestCheckIsThatOfTheExamples holds that the check of our documents accepts the examples of the schema and refuses
// the wrong ones, and that our types hold all that the right ones say.
func TestCheckIsThatOfTheExamples(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(testdata(t), "*", "*.*"))
	if err != nil || len(files) < 13 {
		t.Fatalf("%d examples: %v", len(files), err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		bad := strings.HasPrefix(filepath.Base(file), "bad-") || filepath.Base(file) == "invalid.cap"
		if err := captest.Check(raw); (err != nil) != bad {
			t.Errorf("%s: %v", filepath.Base(file), err)
		}
		var a capdoc.Alert
		if err := xml.Unmarshal(raw, &a); err != nil || bad {
			continue
		}
		again, err := capdoc.Encode(&a)
		if err == nil {
			err = captest.Check(again)
		}
		if err != nil {
			t.Errorf("%s, written again: %v", filepath.Base(file), err)
		}
		schema(t, again)
	}
}

// schema checks a document by the schema, if xmllint is there.
func schema(t *testing.T, document []byte) {
	t.Helper()
	lint, err := exec.LookPath("xmllint")
	if err != nil {
		t.Log("skipped: the schema of CAP needs xmllint (apt-get install libxml2-utils)")
		return
	}
	cmd := exec.CommandContext(t.Context(), lint, "--noout", "--nonet", "--schema", filepath.Join(testdata(t),
		"CAP-v1.2.xsd"),
		"-")
	cmd.Stdin = strings.NewReader(string(document))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}
