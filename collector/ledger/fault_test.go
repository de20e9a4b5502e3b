package ledger

import (
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"nhip"
	"nhip/internal/torture"
)

// day is long enough for merges, and for facts that are forgotten.
const day = 18

// live lives through so many checkpoints of a city. It goes on past errors, as a collector does, and
// returns the last.
func (b *bookTest) live(checkpoints int) (last error) {
	note := func(err error) {
		if err != nil {
			last = err
		}
	}
	for i := range checkpoints {
		for d := range 3 {
			f := Fact{Device: fmt.Sprint("bus/h/", d), Series: "vp", Time: b.now.UnixMilli() - int64(d)*1000, Print: uint64(i)}
			b.is.judge(&f)
			b.Judge(&f)
			at := position{hourOf(f.Time), f.Device}
			if b.is.counts[at] == nil {
				b.is.counts[at] = new(Counts)
			}
			b.is.counts[at].Received++
			b.is.marks["a"] = fmt.Sprint(i)
			b.Update(func(tx *Tx) {
				tx.Counts(at.device, at.hour).Received++
				tx.SetMark("a", []byte(fmt.Sprint(i)))
			})
		}
		b.tried = append(b.tried, b.is.clone())
		note(b.checkpoint())
		note(b.Maintain(b.now))
		if errors.Is(last, errCrashed) {
			return last
		}
		if b.now = b.now.Add(6 * time.Minute); i >= 9 { // so many runs an hour are merged at once
			b.now = b.now.Add(50 * time.Minute)
		}
	}
	return last
}

// check opens the book anew, on a disk that works, and compares it with what it may hold.
func (b *bookTest) check(may ...*model) error {
	if b.Book != nil {
		_ = b.Close() // the disk may be down
	}
	b.files = osFS{}
	if err := b.open(); err != nil {
		return err
	}
	var err error
	for _, b.is = range may {
		if err = b.same(nhip.LedgerQuery{}); err == nil {
			break
		}
	}
	if err == nil {
		err = b.knows()
	}
	if s := b.Stats(); s.Damaged+int(s.Unread) != 0 {
		err = errors.Join(err, fmt.Errorf("damage is told where there is none: %+v", s))
	}
	return errors.Join(err, b.Close())
}

// knows says everything again that is not too old.
func (b *bookTest) knows() error {
	oldest := b.now.Add(-modelLate).UnixMilli()
	for name, times := range b.is.facts {
		for t, prints := range times {
			if t < oldest {
				continue
			}
			f := Fact{Device: name.device, Series: name.series, Time: t, Print: prints[0]}
			if v, _ := b.Judge(&f); v != Duplicate {
				return fmt.Errorf("%+v is %s, and was said before", f, v)
			}
		}
	}
	return nil
}

// operations counts what a day does to its disk.
func operations(t *testing.T) int {
	t.Helper()
	disk := &faultFS{}
	b := newBookTest(filepath.Join(t.TempDir(), "book"), disk)
	if err := errors.Join(b.open(), b.live(day), b.check(b.is)); err != nil {
		t.Fatal(err)
	}
	return disk.ops
}

// TestEachOperationMayFail lets each operation of a day fail once. It is told, the book goes on, and in
// the end nothing is missing on disk.
func TestEachOperationMayFail(t *testing.T) {
	n := operations(t)
	for at := 1; at <= n; at++ {
		disk := &faultFS{failAt: at}
		b := newBookTest(filepath.Join(t.TempDir(), "book"), disk)
		if err := b.open(); err != nil {
			if !errors.Is(err, errFault) {
				t.Fatal(err)
			}
			if err := b.open(); err != nil { // it can be tried again
				t.Fatalf("after operation %d failed: %v", at, err)
			}
		} else if err := b.live(day); !errors.Is(err, errFault) {
			t.Errorf("operation %d failed, and what is told is %v", at, err)
		}
		if err := b.Checkpoint(); err != nil {
			t.Errorf("after operation %d failed, no checkpoint: %v", at, err)
		}
		if err := b.check(b.is); err != nil {
			t.Fatalf("after operation %d failed: %v", at, err)
		}
	}
}

// TestTheMachineMayGoDownAtAnyOperation crashes a day at each operation, sometimes soon after another one
// has failed. What is there then is the last checkpoint that was finished, or one that was begun since.
func TestTheMachineMayGoDownAtAnyOperation(t *testing.T) {
	const soon = 16 // operations; at 0 none fails
	n := operations(t)
	seed := torture.Seed(t)
	for round := range torture.Times(t, 1, 20) {
		for at := 1; at <= n; at++ {
			disk := &faultFS{crashAt: at, chance: torture.Chances(seed, uint64(round*n+at))}
			disk.failAt = at - disk.chance.IntN(soon)
			b := newBookTest(filepath.Join(t.TempDir(), "book"), disk)
			if err := b.open(); err == nil {
				_ = b.live(day) // ends with the crash
			}
			disk.crash()
			if err := b.check(append(b.tried, b.saved)...); err != nil {
				t.Fatalf("down at operation %d of %d: %v", at, n, err)
			}
		}
	}
}
