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

// begin is when the tests' city begins to speak.
var begin = time.Date(2026, 2, 16, 12, 0, 0, 0, time.UTC)

// model is what a book must know, kept the simple way.
type model struct {
	facts  map[seriesName]map[int64][]uint64 // prints by time, in the order in which they were said
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

func (m *model) judge(f *Fact) (Verdict, int) {
	name := seriesName{f.Device, f.Series}
	if m.facts[name] == nil {
		m.facts[name] = map[int64][]uint64{}
	}
	prints := m.facts[name][f.Time]
	if f.Within > 0 {
		for t, said := range m.facts[name] {
			if time.Duration(max(t-f.Time, f.Time-t))*time.Millisecond < f.Within && slices.Contains(said, f.Print) {
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

// rows are the lines of the ledger that a question asks for.
func (m *model) rows(q nhip.LedgerQuery) []nhip.LedgerRow {
	rows := []nhip.LedgerRow{}
	for at, c := range m.counts {
		row := c.row("c", at.device, at.hour)
		named := q.Device == "" || q.Device == at.device || !strings.Contains(q.Device, "/") && strings.HasSuffix(at.device, "/"+q.Device)
		if named && !c.empty() && !row.Hour.Before(q.From) && (q.To.IsZero() || row.Hour.Before(q.To)) {
			rows = append(rows, row)
		}
	}
	slices.SortFunc(rows, func(x, y nhip.LedgerRow) int { return strings.Compare(x.Place(), y.Place()) })
	return rows
}

// bookTest is a book beside its model.
type bookTest struct {
	*Book
	dir   string
	files fileSystem
	now   time.Time
	is    *model
	saved *model   // as the last checkpoint holds it
	tried []*model // as those would that were begun since
}

// modelLate is the late window of the tests' books: a few hours, so that they pass.
const modelLate = 5 * time.Hour

func newBookTest(dir string, files fileSystem) *bookTest {
	return &bookTest{dir: dir, files: files, now: begin, is: newModel(), saved: newModel()}
}

func (b *bookTest) open() (err error) {
	b.Book, err = open(b.dir, Options{Late: modelLate}, b.files)
	return err
}

// same compares the book with the model in every way that there is to ask.
func (b *bookTest) same(q nhip.LedgerQuery) error {
	for _, name := range []string{"a", "b"} {
		if got := string(b.Mark(name)); got != b.is.marks[name] {
			return fmt.Errorf("the mark %s is %q, want %q", name, got, b.is.marks[name])
		}
	}
	rows := []nhip.LedgerRow{}
	for {
		page, err := b.Page(q, "c")
		if err != nil {
			return err
		}
		if rows = append(rows, page.Rows...); page.Next == "" {
			break
		}
		q.After = page.Next
	}
	if diff := cmp.Diff(b.is.rows(q), rows); diff != "" {
		return fmt.Errorf("the ledger of %+v (- want, + got):\n%s", q, diff)
	}
	return nil
}

// drawFact draws one of few, so that they meet, not older than may be said.
func (b *bookTest) drawFact(t *rapid.T) Fact {
	f := Fact{
		Device: rapid.SampledFrom([]string{"bus/h/1", "bus/h/2", "air/s"}).Draw(t, "device"),
		Series: rapid.SampledFrom([]string{"vp", "pm25/1h"}).Draw(t, "series"),
		Print:  uint64(rapid.IntRange(1, 4).Draw(t, "print")),
	}
	ago := rapid.OneOf(rapid.IntRange(0, 5), rapid.IntRange(0, int(modelLate/time.Second))).Draw(t, "seconds ago")
	f.Time = b.now.Add(-time.Duration(ago) * time.Second).UnixMilli()
	if rapid.IntRange(0, 3).Draw(t, "undated") == 0 {
		f.Within = time.Duration(rapid.IntRange(1, 20).Draw(t, "within")) * time.Second
	}
	return f
}

func (b *bookTest) judge(t *rapid.T) {
	f := b.drawFact(t)
	for range rapid.IntRange(1, 3).Draw(t, "times") {
		wantV, wantN := b.is.judge(&f)
		if v, n := b.Judge(&f); v != wantV || n != wantN {
			t.Fatalf("%+v is %s %d, want %s %d", f, v, n, wantV, wantN)
		}
	}
}

// repeat says one thing of one moment in more ways than a book remembers.
func (b *bookTest) repeat(t *rapid.T) {
	f := b.drawFact(t)
	f.Within = 0
	for i := range uint64(MaxRevisions + 3) {
		f.Print = 100 + i
		wantV, wantN := b.is.judge(&f)
		if v, n := b.Judge(&f); v != wantV || n != wantN {
			t.Fatalf("%+v is %s %d, want %s %d", f, v, n, wantV, wantN)
		}
	}
}

func (b *bookTest) update(t *rapid.T) {
	device := rapid.SampledFrom([]string{"bus/h/1", "bus/h/2", "air/s", "topic/x/1"}).Draw(t, "device")
	hour := hourOf(b.now.UnixMilli()) - int64(rapid.IntRange(0, 6).Draw(t, "hours ago"))
	name, value := rapid.SampledFrom([]string{"a", "b"}).Draw(t, "mark"), rapid.StringMatching("[0-9]{0,5}").Draw(t, "value")
	n := int64(rapid.IntRange(-2, 5).Draw(t, "n"))
	add := func(c *Counts) {
		c.Received += n
		c.Queued++
		c.Stored += n
		c.Reject(nhip.Malformed, n)
	}
	at := position{hour, device}
	if b.is.counts[at] == nil {
		b.is.counts[at] = new(Counts)
	}
	add(b.is.counts[at])
	b.is.marks[name] = value
	b.Update(func(tx *Tx) {
		add(tx.Counts(device, hour))
		tx.SetMark(name, []byte(value))
	})
}

func (b *bookTest) checkpoint() error {
	err := b.Checkpoint()
	if err == nil {
		b.saved, b.tried = b.is.clone(), nil
	}
	return err
}

// reopen goes on from the disk, as after a crash.
func (b *bookTest) reopen() error {
	if err := b.Close(); err != nil {
		return err
	}
	b.is = b.saved.clone()
	return b.open()
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

// TestModel does to a book whatever can be done to it, in any order, and holds it against the model.
func TestModel(t *testing.T) {
	dirs := t.TempDir()
	runs := 0
	rapid.Check(t, func(t *rapid.T) {
		runs++
		b := newBookTest(fmt.Sprintf("%s/%d", dirs, runs), osFS{})
		must := func(err error) {
			if err != nil {
				t.Fatal(err)
			}
		}
		must(b.open())
		defer func() { must(b.Close()) }()
		t.Repeat(map[string]func(*rapid.T){
			"judge":      b.judge,
			"judge more": b.judge,
			"repeat":     b.repeat,
			"update":     b.update,
			"checkpoint": func(*rapid.T) { must(b.checkpoint()) },
			"maintain":   func(*rapid.T) { must(b.Maintain(b.now)) },
			"crash":      func(*rapid.T) { must(b.reopen()) },
			"time":       func(t *rapid.T) { b.now = b.now.Add(time.Duration(rapid.IntRange(1, 7200).Draw(t, "s")) * time.Second) },
			"ask":        func(t *rapid.T) { must(b.same(drawQuery(t, b.now))) },
		})
		must(b.same(nhip.LedgerQuery{}))
		if s := b.Stats(); s.Damaged+int(s.Unread) != 0 {
			t.Fatalf("damage out of nowhere: %+v", s)
		}
	})
}
