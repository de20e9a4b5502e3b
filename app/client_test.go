package app_test

import (
	"encoding/json"
	"testing"
	"time"

	"nhip/app/apptest"
	"nhip/client"
	"nhip/internal/awaittest"
)

// TestClientKeepsLedgerRows checks that the client's ledger rows are encoded exactly as the API encodes them, which
// nhip ledger --json promises.
func TestClientKeepsLedgerRows(t *testing.T) {
	p := apptest.Up(t, t.TempDir(), "")
	at := time.Now().UTC().Truncate(time.Second)
	good := apptest.Position("<1> & ü", at, 21, 105.8)
	p.Publish(t, good, good, apptest.Position("<1> & ü", at, 21.5, 105.8), apptest.Position("2", at, 91, 105.8))
	q := client.LedgerQuery{Verify: true}
	api := p.Client(t)
	awaittest.True(t, "all rows are counted", func() bool {
		page, err := api.Ledger(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		var stored, rejected int64
		for i := range page.Rows {
			stored += page.Rows[i].Stored + page.Rows[i].Revised
			rejected += page.Rows[i].TotalRejected()
		}
		return stored == 2 && rejected == 1
	})
	var raw struct{ Rows []json.RawMessage }
	apptest.Decode(t, p.API(t).Get(t, "/v1/ledger?verify=true", "Authorization", "Bearer "+p.Token(t)), &raw)
	page, err := api.Ledger(t.Context(), q)
	if err != nil || len(page.Rows) != len(raw.Rows) || len(raw.Rows) < 2 {
		t.Fatalf("%d rows, %d raw rows, %v", len(page.Rows), len(raw.Rows), err)
	}
	for i := range raw.Rows {
		encoded, err := json.Marshal(page.Rows[i])
		if err != nil || string(encoded) != string(raw.Rows[i]) {
			t.Errorf("row %d is encoded as\n%s\nwant\n%s\n%v", i, encoded, raw.Rows[i], err)
		}
	}
}
