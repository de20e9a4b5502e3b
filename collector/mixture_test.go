package collector

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"nhip"
	"nhip/internal/awaittest"
	"nhip/internal/influx"
	"nhip/internal/suitetest"
)

// TestMixedDataFolder combines the parts of a collector's folder from different moments, as after the restore of a copy
// of the live folder, or without some of them. Whatever the mixture, the collector starts, stores every new message,
// its ledger balances, and it reports a loss if an accepted message is not in the database.
func TestMixedDataFolder(t *testing.T) {
	m := newMixture(t)
	moments := suitetest.Pick([]string{"clean", "down", ""}, []string{"clean", "killed", "down", ""})
	for _, intake := range moments {
		for _, outbox := range moments {
			for _, ledger := range moments {
				one := intake == outbox || outbox == ledger || intake == ledger // at least two of one moment
				if !one && !suitetest.Full() {
					continue
				}
				t.Run(fmt.Sprintf("intake %q, outbox %q, ledger %q", intake, outbox, ledger), func(t *testing.T) {
					m.check(t, map[string]string{"journal": intake, "outbox": outbox, "ledger": ledger})
				})
			}
		}
	}
}

// mixture is the data of a collector at three moments: after a clean stop, killed during a database outage, and
// stopped during it.
type mixture struct {
	folders map[string]string // by moment
	sent    map[string]int    // messages accepted until then
	stored  []string          // rows in the database
}

const mixturePart = 10 // messages between two moments

func newMixture(t *testing.T) *mixture {
	h := newHarness(t)
	m := &mixture{folders: map[string]string{}, sent: map[string]int{}}
	keep := func(moment string, sent int) {
		t.Helper()
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS(h.dir)); err != nil {
			t.Fatal(err)
		}
		m.folders[moment], m.sent[moment] = dir, sent
	}
	h.start(t)
	h.sendNumbered(t, 0, mixturePart)
	awaittest.True(t, "the first part is stored", func() bool { return len(h.store.rows()) == mixturePart })
	h.stop(t)
	keep("clean", mixturePart)
	m.stored = h.store.rows()
	h.store.setFail(func(string) error {
		return &influx.WriteError{Kind: influx.Retry, Err: errors.New("connection refused")}
	})
	h.start(t)
	h.sendNumbered(t, mixturePart, 2*mixturePart)
	awaittest.True(t, "the second part is in the outbox", func() bool { return h.dedup.behind() == 0 })
	keep("killed", 2*mixturePart)
	h.sendNumbered(t, 2*mixturePart, 3*mixturePart)
	awaittest.True(t, "the third part is in the outbox", func() bool { return h.dedup.behind() == 0 })
	h.stop(t)
	keep("down", 3*mixturePart)
	return m
}

func (h *harness) sendNumbered(t *testing.T, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		h.accept(t, fmt.Sprintf("nhip/in/position/%d", i), positionAt(noon, 21))
		if i%5 == 0 {
			h.accept(t, fmt.Sprintf("nhip/in/position/%d", i), "{}") // a dead letter
		}
	}
}

// check starts a collector on a mixture of parts.
func (m *mixture) check(t *testing.T, parts map[string]string) {
	h := newHarness(t)
	h.store.lines = append([]string(nil), m.stored...)
	sent := 0
	for part, moment := range parts {
		if moment == "" {
			continue
		}
		if part != "ledger" || moment != "killed" { // whose ledger is still that of the clean stop
			sent = max(sent, m.sent[moment])
		}
		if err := os.CopyFS(filepath.Join(h.dir, part), os.DirFS(filepath.Join(m.folders[moment], part))); err != nil {
			t.Fatal(err)
		}
	}
	h.start(t)
	const fresh = 1000
	h.sendNumbered(t, fresh, fresh+mixturePart)
	awaittest.True(t, "nothing is pending", func() bool { return h.Pending() == 0 && h.reconciled() })
	stored := map[string]bool{}
	for _, row := range h.store.rows() {
		_, vehicle, _ := strings.Cut(row, "vehicle=")
		vehicle, _, _ = strings.Cut(vehicle, " ")
		stored[vehicle] = true
	}
	for i := fresh; i < fresh+mixturePart; i++ {
		if !stored[fmt.Sprint(i)] {
			t.Errorf("new message %d is not stored", i)
		}
	}
	missing := 0
	for i := range sent {
		if !stored[fmt.Sprint(i)] {
			missing++
		}
	}
	if missing > 0 && h.Intact() {
		t.Errorf("%d accepted messages are not stored, and no loss is reported", missing)
	}
	var lost int64
	for key, r := range h.ledgerNow(t) {
		lost += r.Lost
		if r.Pending != 0 {
			t.Errorf("%s: %+v pending for ever", key, r)
		}
		if r.Device == nhip.LostDevice && r.Received != r.Lost {
			t.Errorf("%s: %+v", key, r)
		}
	}
	t.Logf("%d of %d old messages are not stored, %d counted as lost", missing, sent, lost)
	h.stop(t)
	h.start(t) // the result is durable: nothing is counted twice
	var again int64
	for _, r := range h.ledgerNow(t) {
		again += r.Lost
	}
	if again != lost || !h.Intact() {
		t.Errorf("%d lost after a restart, %d before; intact %v", again, lost, h.Intact())
	}
}
