package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"nhip"
	"nhip/app/apptest"
	"nhip/internal/awaittest"
	"nhip/internal/health"
	"nhip/internal/suitetest"
)

// TestDataFolderOutOfStep kills nhip up, removes a part of its data folder, and starts it again. Every message that is
// acknowledged afterwards is stored, the ledger balances, and /readyz reports the part.
func TestDataFolderOutOfStep(t *testing.T) {
	const messages = 30
	dir := t.TempDir()
	at := time.Now().UTC().Truncate(time.Hour)
	p := launchUp(t, dir)
	publish := func(round string) {
		t.Helper()
		var all []apptest.Message
		for i := range messages {
			all = append(all, apptest.Position(fmt.Sprintf("%s-%d", round, i), at, 21, 105.8))
		}
		p.Publish(t, all...)
		awaittest.True(t, round+": all are stored", func() bool {
			rows := ledgerByDevice(t, dir)
			stored := 0
			for i := range messages {
				stored += int(rows[fmt.Sprintf("bus/hanoi/%s-%d", round, i)].Stored)
			}
			return stored == messages
		})
	}
	publish("first")
	for _, part := range suitetest.Pick([]string{"journal"}, []string{"journal", "outbox", "ledger"}) {
		p.kill()
		if err := os.RemoveAll(filepath.Join(dir, "collector", part)); err != nil {
			t.Fatal(err)
		}
		p = launchUp(t, dir)
		publish("without-" + part)
		var state health.State
		apptest.Decode(t, p.API(t).Get(t, "/readyz"), &state)
		if !state.Ready || !slices.Contains(state.Degraded, "journals") {
			t.Errorf("without %s: %+v, want journals degraded", part, state)
		}
		awaittest.True(t, part+": nothing is pending", func() bool {
			for _, r := range ledgerByDevice(t, dir) {
				if r.Pending != 0 || !r.Balanced() {
					return false
				}
			}
			return true
		})
		if n := ledgerByDevice(t, dir)[nhip.LostDevice].Lost; n > 0 {
			t.Logf("without %s: %d messages counted as lost", part, n)
		}
		succeed(t, dir, "ledger")
	}
}
