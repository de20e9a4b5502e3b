package air

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"nhip/api/livetest"
)

// A start with the file of an earlier run reads only the days since then, and knows the same.
func TestStartFromTheFileReadsOnlyWhatIsNewer(t *testing.T) {
	h := &hourlyHistory{pm25: wavy}
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

func TestDamagedFilesAreIgnored(t *testing.T) {
	h := &hourlyHistory{pm25: wavy}
	fresh, s := newModel(t, h)
	livetest.ReceiveMonitors(t, s)
	stepUntil(t, newTrainer(fresh), noon)
	for name, content := range map[string]string{
		"no JSON":         "{",
		"another version": `{"version": 99}`,
		"no learners":     `{"version": 2, "at": "2026-02-14T00:00:00Z"}`,
		"null":            `{"version": 2, "at": "2026-02-14T00:00:00Z", "learners": null}`,
		"stack of later hours": `{"version": 2, "at": "2026-02-14T00:00:00Z",
			"learners": {"pm25": {"stacks": [{"start": "2999-12-31T00:00:00Z"}]}}}`,
		"hours after its own": `{"version": 2, "at": "2026-02-14T00:00:00Z", "learners": {"pm25": {"stacks": [
			{"start": "2026-01-06T00:00:00Z", "count": 9, "last": "2026-02-15T00:00:00Z"}]}}}`,
		"no learner":  `{"version": 2, "at": "2026-02-14T00:00:00Z", "learners": {"pm25": null}}`,
		"no stack":    `{"version": 2, "at": "2026-02-14T00:00:00Z", "learners": {"pm25": {"stacks": []}}}`,
		"empty stack": `{"version": 2, "at": "2026-02-14T00:00:00Z", "learners": {"pm25": {"stacks": [null]}}}`,
		"short histogram": `{"version": 2, "at": "2026-02-14T00:00:00Z",
			"learners": {"pm25": {"stacks": [{"spread": {"means": [1]}}]}}}`,
		"from the future": `{"version": 2, "at": "2036-02-14T00:00:00Z", "learners": {}}`,
		"too old":         `{"version": 2, "at": "2016-02-14T00:00:00Z", "learners": {}}`,
	} {
		file := filepath.Join(t.TempDir(), "air-surface.json")
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		m, s := newModel(t, h)
		m.o.File = file
		livetest.ReceiveMonitors(t, s)
		stepUntil(t, newTrainer(m), noon)
		equalStacks(t, name, m.learned.Load().newest, fresh.learned.Load().newest)
	}
}

// The file counts again after a start without a database, and so do the hours that were read before a query failed.
func TestStartFromTheFileSurvivesAnOutage(t *testing.T) {
	h := &hourlyHistory{pm25: wavy}
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
	h := &hourlyHistory{pm25: wavy}
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
