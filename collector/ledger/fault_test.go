package ledger

import (
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"nhip"
	"nhip/internal/torturetest"
)

// simulatedCheckpoints is enough for merges, and for facts to pass the late window.
const simulatedCheckpoints = 18

// simulate runs the ledger of three devices for a number of checkpoints. Like a collector, it continues after errors;
// it returns the last one.
func (m *modelTest) simulate(checkpoints int) (last error) {
	note := func(err error) {
		if err != nil {
			last = err
		}
	}
	for i := range checkpoints {
		for d := range 3 {
			f := Fact{Device: fmt.Sprint("bus/h/", d), Series: "vp", Time: m.now.UnixMilli() - int64(d)*1000, Print: uint64(i)}
			m.model.classify(&f)
			m.Classify(&f)
			at := position{hourOf(f.Time), f.Device}
			if m.model.counts[at] == nil {
				m.model.counts[at] = new(Counts)
			}
			m.model.counts[at].Received++
			m.model.marks["a"] = fmt.Sprint(i)
			m.Update(func(tx *Tx) {
				tx.Counts(at.device, at.hour).Received++
				tx.SetMark("a", []byte(fmt.Sprint(i)))
			})
		}
		m.attempted = append(m.attempted, m.model.clone())
		note(m.checkpoint())
		note(m.Maintain(m.now))
		if errors.Is(last, errCrashed) {
			return last
		}
		if m.now = m.now.Add(6 * time.Minute); i >= 9 { // eight segments in an hour are merged at once
			m.now = m.now.Add(50 * time.Minute)
		}
	}
	return last
}

// verify reopens the ledger on a healthy disk and compares it with the possible models.
func (m *modelTest) verify(may ...*model) error {
	if m.Ledger != nil {
		_ = m.Close() // fails after a simulated crash
	}
	m.files = osFS{}
	if err := m.open(); err != nil {
		return err
	}
	var err error
	for _, m.model = range may {
		if err = m.compare(nhip.LedgerQuery{}); err == nil {
			break
		}
	}
	if err == nil {
		err = m.checkFacts()
	}
	if s := m.Stats(); s.Damaged+int(s.ReadErrors) != 0 {
		err = errors.Join(err, fmt.Errorf("stats report damage in a healthy ledger: %+v", s))
	}
	return errors.Join(err, m.Close())
}

// checkFacts classifies every fact within the late window again.
func (m *modelTest) checkFacts() error {
	oldest := m.now.Add(-modelLate).UnixMilli()
	for name, times := range m.model.facts {
		for t, prints := range times {
			if t < oldest {
				continue
			}
			f := Fact{Device: name.device, Series: name.series, Time: t, Print: prints[0]}
			if v, _ := m.Classify(&f); v != Duplicate {
				return fmt.Errorf("%+v is %s, want duplicate", f, v)
			}
		}
	}
	return nil
}

// countOperations returns the number of disk operations of a simulation.
func countOperations(t *testing.T) int {
	t.Helper()
	disk := &faultFS{}
	b := newModelTest(filepath.Join(t.TempDir(), "ledger"), disk)
	if err := errors.Join(b.open(), b.simulate(simulatedCheckpoints), b.verify(b.model)); err != nil {
		t.Fatal(err)
	}
	return disk.ops
}

// TestLedgerRecoversFromAnyFailedOperation lets each operation of a simulation fail once. The ledger must return the
// error and continue, and in the end the disk must hold everything.
func TestLedgerRecoversFromAnyFailedOperation(t *testing.T) {
	n := countOperations(t)
	for at := 1; at <= n; at++ {
		disk := &faultFS{failAt: at}
		b := newModelTest(filepath.Join(t.TempDir(), "ledger"), disk)
		if err := b.open(); err != nil {
			if !errors.Is(err, errFault) {
				t.Fatal(err)
			}
			if err := b.open(); err != nil { // a second attempt must succeed
				t.Fatalf("Open after operation %d failed: %v", at, err)
			}
		} else if err := b.simulate(simulatedCheckpoints); !errors.Is(err, errFault) {
			t.Errorf("operation %d failed, and the simulation returned %v", at, err)
		}
		if err := b.Checkpoint(); err != nil {
			t.Errorf("Checkpoint after operation %d failed: %v", at, err)
		}
		if err := b.verify(b.model); err != nil {
			t.Fatalf("state after operation %d failed: %v", at, err)
		}
	}
}

// TestLedgerRecoversFromCrashAtAnyOperation crashes the machine at each operation of a simulation, sometimes soon after
// another operation has failed. The disk must then hold the last finished checkpoint, or one that was begun after it.
func TestLedgerRecoversFromCrashAtAnyOperation(t *testing.T) {
	const soon = 16 // the failure is up to so many operations before the crash; 0 is no failure
	n := countOperations(t)
	seed := torturetest.Seed(t)
	for round := range torturetest.Times(t, 1, 20) {
		for at := 1; at <= n; at++ {
			disk := &faultFS{crashAt: at, chance: torturetest.Rand(seed, uint64(round*n+at))}
			disk.failAt = at - disk.chance.IntN(soon)
			b := newModelTest(filepath.Join(t.TempDir(), "ledger"), disk)
			if err := b.open(); err == nil {
				_ = b.simulate(simulatedCheckpoints) // returns errCrashed
			}
			disk.crash()
			if err := b.verify(append(b.attempted, b.saved)...); err != nil {
				t.Fatalf("crash at operation %d of %d: %v", at, n, err)
			}
		}
	}
}
