package air

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"nhip/api/livetest"
	"nhip/geo/surface"
)

// A start with the file of an earlier run reads only the days since then, and knows the same.
func TestStartFromTheFileReadsOnlyWhatIsNewer(t *testing.T) {
	h := wavyHistory()
	file := filepath.Join(t.TempDir(), "air-surface.json")
	first, s := newModel(t, h)
	first.o.File = file
	livetest.ReceiveMonitors(t, s)
	stepUntil(t, newTrainer(first), noon.Add(-20*time.Hour))
	before := h.queries
	second, s := newModel(t, h)
	second.o.File = file
	livetest.ReceiveMonitors(t, s)
	stepUntil(t, newTrainer(second), noon)
	if n := h.queries - before; n > 5 {
		t.Errorf("%d queries for four days", n)
	}
	fresh, s := newModel(t, h)
	livetest.ReceiveMonitors(t, s)
	before = h.queries
	stepUntil(t, newTrainer(fresh), noon)
	if n := h.queries - before; n < 15 {
		t.Errorf("%d queries without a file", n)
	}
	equalStacks(t, "from the file", second.learned.Load().newest, fresh.learned.Load().newest)
	end := noon.Add(-30 * time.Hour)
	past, known := second.learned.Load().at(end)
	want, _ := fresh.learned.Load().at(end)
	if !known {
		t.Fatal("the last two days are not known")
	}
	equalStacks(t, "two days ago", past, want)
}

// TestDamagedFilesAreIgnored alters one thing of a file that is good otherwise.
func TestDamagedFilesAreIgnored(t *testing.T) {
	h := wavyHistory()
	file := filepath.Join(t.TempDir(), "air-surface.json")
	m, s := newModel(t, h)
	m.o.File = file
	livetest.ReceiveMonitors(t, s)
	settled := noon.Add(-lateHours * time.Hour)
	resumed := func(content string) bool {
		t.Helper()
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		tr := newTrainer(m)
		ok := tr.resume(settled)
		if !ok && (tr.learners != nil || !tr.last.IsZero() || !tr.saved.IsZero()) {
			t.Errorf("%.100s: something of it is used", content)
		}
		return ok
	}
	head := func(version int, at string) string {
		return fmt.Sprintf(`{"version": %d, "at": "%s", "learners": `, version, at)
	}
	good := head(trainingVersion, "2026-02-14T00:00:00Z")
	start := surface.WindowStart(time.Date(2026, 2, 14, 0, 0, 0, 0, time.UTC)).Format(time.RFC3339)
	stack := func(fields string) string {
		return good + `{"pm25": {"stacks": [{"start": "` + start + `"` + fields + `}]}}}`
	}
	for name, content := range map[string]string{
		"nothing": good + `{}}`, "a stack": stack(""),
		"a stack with hours": stack(`, "count": 9, "last": "2026-02-14T00:00:00Z"`),
	} {
		if !resumed(content) {
			t.Errorf("a good file with %s is not used", name)
		}
	}
	for name, content := range map[string]string{
		"empty":                "",
		"no JSON":              "{",
		"another version":      head(trainingVersion-1, "2026-02-14T00:00:00Z") + `{}}`,
		"no learners":          fmt.Sprintf(`{"version": %d, "at": "2026-02-14T00:00:00Z"}`, trainingVersion),
		"null":                 good + `null}`,
		"from the future":      head(trainingVersion, "2036-02-14T00:00:00Z") + `{}}`,
		"too old":              head(trainingVersion, "2016-02-14T00:00:00Z") + `{}}`,
		"no learner":           good + `{"pm25": null}}`,
		"no stack":             good + `{"pm25": {"stacks": []}}}`,
		"three stacks":         good + `{"pm25": {"stacks": [{}, {}, {}]}}}`,
		"empty stack":          good + `{"pm25": {"stacks": [null]}}}`,
		"stack of later hours": good + `{"pm25": {"stacks": [{"start": "2999-12-31T00:00:00Z"}]}}}`,
		"start between":        good + `{"pm25": {"stacks": [{"start": "2026-01-06T05:00:00Z"}]}}}`,
		"hours after its own":  stack(`, "count": 9, "last": "2026-02-15T00:00:00Z"`),
		"hours before it":      stack(`, "count": 9, "last": "2016-02-15T00:00:00Z"`),
		"short histogram":      stack(`, "spread": {"means": [1]}`),
		"null bias":            stack(`, "biases": {"hn-1": null}`),
		"null lasting bias":    stack(`, "own": {"sites": {"hn-1": null}}`),
	} {
		if resumed(content) {
			t.Errorf("a file is used: %s", name)
		}
	}
}

// The file counts again after a start without a database, and so do the hours that were read before a query failed.
func TestStartFromTheFileSurvivesAnOutage(t *testing.T) {
	h := wavyHistory()
	file := filepath.Join(t.TempDir(), "air-surface.json")
	first, s := newModel(t, h)
	first.o.File = file
	livetest.ReceiveMonitors(t, s)
	stepUntil(t, newTrainer(first), noon.Add(-20*time.Hour))
	second, s := newModel(t, h)
	second.o.File = file
	livetest.ReceiveMonitors(t, s)
	tr := newTrainer(second)
	for away := range 3 { // the first query fails, then the second, then the third
		h.failsAt = h.queries + away + 1
		if err := tr.read(t.Context(), noon); err == nil {
			t.Fatal("no error of a failed query")
		}
	}
	h.failsAt = 0
	before := h.queries
	stepUntil(t, tr, noon)
	if n := h.queries - before; n > 5 {
		t.Errorf("%d queries for four days", n)
	}
	fresh, s := newModel(t, h)
	livetest.ReceiveMonitors(t, s)
	stepUntil(t, newTrainer(fresh), noon)
	equalStacks(t, "after an outage", second.learned.Load().newest, fresh.learned.Load().newest)
}

// Weeks that are imported later are learned within a day.
func TestImportedWeeksAreLearnedWithinADay(t *testing.T) {
	h := wavyHistory()
	m, s := newModel(t, h)
	livetest.ReceiveMonitors(t, s)
	tr := newTrainer(m)
	stepUntil(t, tr, noon.Add(-24*time.Hour))
	h.pm25 = func(i int, end time.Time) float64 {
		if end.Before(noon.Add(-5 * day)) {
			return 2 * wavy(i, end)
		}
		return wavy(i, end)
	}
	for back := 23; back >= 0; back-- {
		stepUntil(t, tr, noon.Add(-time.Duration(back)*time.Hour))
	}
	fresh, s := newModel(t, h)
	livetest.ReceiveMonitors(t, s)
	stepUntil(t, newTrainer(fresh), noon)
	equalStacks(t, "after an import", m.learned.Load().newest, fresh.learned.Load().newest)
}
