package ledger

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"nhip"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// testStart is the time at which tests begin.
var testStart = time.Date(2026, 2, 16, 12, 0, 0, 0, time.UTC)

// model is a simple implementation of what a ledger must remember.
type model struct {
	facts  map[seriesName]map[int64][]uint64 // fingerprints by time, in the order of classification
	counts map[position]*Counts
	marks  map[string]string
}

type seriesName struct{ device, series string }

func newModel() *model {
	return &model{facts: map[seriesName]map[int64][]uint64{}, counts: map[position]*Counts{}, marks: map[string]string{}}
}

func (m *model) clone() *model {
	c := newModel()
	for name, times := range m.facts {
		c.facts[name] = map[int64][]uint64{}
		for t, prints := range times {
			c.facts[name][t] = slices.Clone(prints)
		}
	}
	for at, counts := range m.counts {
		c.counts[at] = new(Counts)
		c.counts[at].add(counts)
	}
	c.marks = maps.Clone(m.marks)
	return c
}

func (m *model) classify(f *Fact) (Outcome, int) {
	name := seriesName{f.Device, f.Series}
	if m.facts[name] == nil {
		m.facts[name] = map[int64][]uint64{}
	}
	prints := m.facts[name][f.Time]
	if f.Within > 0 {
		for t, known := range m.facts[name] {
			if time.Duration(max(t-f.Time, f.Time-t))*time.Millisecond < f.Within && slices.Contains(known, f.Print) {
				return Duplicate, 0
			}
		}
		m.facts[name][f.Time] = append(prints, f.Print)
		return New, 0
	}
	switch n := len(prints); {
	case slices.Contains(prints, f.Print):
		return Duplicate, 0
	case n > MaxRevisions:
		return TooMany, 0
	case n > 0:
		m.facts[name][f.Time] = append(prints, f.Print)
		return Revised, n
	}
	m.facts[name][f.Time] = []uint64{f.Print}
	return New, 0
}

// rows returns the rows of the ledger that a query selects.
func (m *model) rows(q nhip.LedgerQuery) []nhip.LedgerRow {
	rows := []nhip.LedgerRow{}
	for at, c := range m.counts {
		row := c.row("c", at.device, at.hour)
		named := q.Device == "" || q.Device == at.device || !strings.Contains(q.Device, "/") &&
			strings.HasSuffix(at.device, "/"+q.Device)
		if named && !c.empty() && !row.Hour.Before(q.From) && (q.To.IsZero() || row.Hour.Before(q.To)) {
			rows = append(rows, row)
		}
	}
	slices.SortFunc(rows, func(x, y nhip.LedgerRow) int { return strings.Compare(x.Cursor(), y.Cursor()) })
	return rows
}

// modelTest is a ledger and its model.
type modelTest struct {
	*Ledger
	dir       string
	files     fileSystem
	now       time.Time
	model     *model
	saved     *model   // as of the last checkpoint
	attempted []*model // as of each failed checkpoint since
}

// modelLate is the late window of the ledgers, short enough to pass in a test.
const modelLate = 5 * time.Hour

func newModelTest(dir string, files fileSystem) *modelTest {
	return &modelTest{dir: dir, files: files, now: testStart, model: newModel(), saved: newModel()}
}

func (m *modelTest) open() (err error) {
	m.Ledger, err = open(m.dir, Options{Late: modelLate}, m.files)
	return err
}

// compare compares the marks and the selected rows of the ledger with the model.
func (m *modelTest) compare(q nhip.LedgerQuery) error {
	for _, name := range []string{"a", "b"} {
		if got := string(m.Mark(name)); got != m.model.marks[name] {
			return fmt.Errorf("mark %s is %q, want %q", name, got, m.model.marks[name])
		}
	}
	rows := []nhip.LedgerRow{}
	for {
		page, err := m.Page(q, "c")
		if err != nil {
			return err
		}
		if rows = append(rows, page.Rows...); page.Next == "" {
			break
		}
		q.After = page.Next
	}
	if diff := cmp.Diff(m.model.rows(q), rows); diff != "" {
		return fmt.Errorf("rows for %+v (-want +got):\n%s", q, diff)
	}
	return nil
}

// drawFact draws a fact within the late window, from so few that duplicates are frequent.
func (m *modelTest) drawFact(t *rapid.T) Fact {
	f := Fact{
		Device: rapid.SampledFrom([]string{"bus/h/1", "bus/h/2", "air/s"}).Draw(t, "device"),
		Series: rapid.SampledFrom([]string{"vp", "pm25/1h"}).Draw(t, "series"),
		Print:  uint64(rapid.IntRange(1, 4).Draw(t, "print")),
	}
	ago := rapid.OneOf(rapid.IntRange(0, 5), rapid.IntRange(0, int(modelLate/time.Second))).Draw(t, "seconds ago")
	f.Time = m.now.Add(-time.Duration(ago) * time.Second).UnixMilli()
	if rapid.IntRange(0, 3).Draw(t, "undated") == 0 {
		f.Within = time.Duration(rapid.IntRange(1, 20).Draw(t, "within")) * time.Second
	}
	return f
}

func (m *modelTest) classify(t *rapid.T) {
	f := m.drawFact(t)
	for range rapid.IntRange(1, 3).Draw(t, "times") {
		wantV, wantN := m.model.classify(&f)
		if v, n := m.Classify(&f); v != wantV || n != wantN {
			t.Fatalf("%+v is %s %d, want %s %d", f, v, n, wantV, wantN)
		}
	}
}

// reviseTooOften classifies more revisions of a fact than the ledger remembers.
func (m *modelTest) reviseTooOften(t *rapid.T) {
	f := m.drawFact(t)
	f.Within = 0
	for i := range uint64(MaxRevisions + 3) {
		f.Print = 100 + i
		wantV, wantN := m.model.classify(&f)
		if v, n := m.Classify(&f); v != wantV || n != wantN {
			t.Fatalf("%+v is %s %d, want %s %d", f, v, n, wantV, wantN)
		}
	}
}

func (m *modelTest) update(t *rapid.T) {
	device := rapid.SampledFrom([]string{"bus/h/1", "bus/h/2", "air/s", "topic/x/1"}).Draw(t, "device")
	hour := hourOf(m.now.UnixMilli()) - int64(rapid.IntRange(0, 6).Draw(t, "hours ago"))
	name, value := rapid.SampledFrom([]string{"a", "b"}).Draw(t, "mark"), rapid.StringMatching("[0-9]{0,5}").Draw(t,
		"value")
	n := int64(rapid.IntRange(-2, 5).Draw(t, "n"))
	add := func(c *Counts) {
		c.Received += n
		c.Queued++
		c.Stored += n
		c.Reject(nhip.CodeMalformed, n)
	}
	at := position{hour, device}
	if m.model.counts[at] == nil {
		m.model.counts[at] = new(Counts)
	}
	add(m.model.counts[at])
	m.model.marks[name] = value
	m.Update(func(tx *Tx) {
		add(tx.Counts(device, hour))
		tx.SetMark(name, []byte(value))
	})
}

func (m *modelTest) checkpoint() error {
	err := m.Checkpoint()
	if err == nil {
		m.saved, m.attempted = m.model.clone(), nil
	}
	return err
}

// reopen opens the ledger again without a checkpoint, as after a crash.
func (m *modelTest) reopen() error {
	if err := m.Close(); err != nil {
		return err
	}
	m.model = m.saved.clone()
	return m.open()
}

func drawQuery(t *rapid.T, now time.Time) nhip.LedgerQuery {
	q := nhip.LedgerQuery{
		Device: rapid.SampledFrom([]string{"", "", "bus/h/1", "1", "s", "none"}).Draw(t, "asked device"),
		Limit:  rapid.IntRange(1, 5).Draw(t, "limit"),
	}
	if rapid.Bool().Draw(t, "from") {
		q.From = now.Truncate(time.Hour).Add(-time.Duration(rapid.IntRange(0, 6).Draw(t, "from hours ago")) * time.Hour)
	}
	if rapid.Bool().Draw(t, "to") {
		q.To = now.Truncate(time.Hour).Add(-time.Duration(rapid.IntRange(0, 6).Draw(t, "to hours ago")) * time.Hour)
	}
	return q
}

// TestLedgerMatchesModel applies all operations to a ledger in random order and compares it with the model.
func TestLedgerMatchesModel(t *testing.T) {
	dirs := t.TempDir()
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		b := newModelTest(fmt.Sprintf("%s/%d", dirs, n), osFS{})
		must := func(err error) {
			if err != nil {
				t.Fatal(err)
			}
		}
		must(b.open())
		defer func() { must(b.Close()) }()
		t.Repeat(map[string]func(*rapid.T){
			"classify":   b.classify,
			"classify 2": b.classify,
			"revise":     b.reviseTooOften,
			"update":     b.update,
			"checkpoint": func(*rapid.T) { must(b.checkpoint()) },
			"maintain":   func(*rapid.T) { must(b.Maintain(b.now)) },
			"crash":      func(*rapid.T) { must(b.reopen()) },
			"time": func(t *rapid.T) {
				b.now = b.now.Add(time.Duration(rapid.IntRange(1, 7200).Draw(t, "s")) * time.Second)
			},
			"query": func(t *rapid.T) { must(b.compare(drawQuery(t, b.now))) },
		})
		must(b.compare(nhip.LedgerQuery{}))
		if s := b.Stats(); s.Damaged+int(s.ReadErrors) != 0 {
			t.Fatalf("stats report damage in a healthy ledger: %+v", s)
		}
	})
}
