package running_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"nhip/internal/datadir"
	"nhip/internal/running"
)

// TestMissingRolesAreNamed looks for each role on a folder on which nothing runs, and on one on which only the others
// run: the error says what to do.
func TestMissingRolesAreNamed(t *testing.T) {
	for _, announced := range []bool{false, true} {
		path := t.TempDir()
		if announced {
			dir, err := datadir.Open(path, datadir.All)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = dir.Close() })
			if err := dir.Announce(datadir.Addresses{}); err != nil {
				t.Fatal(err)
			}
		}
		_, api := running.API("", path)
		_, _, database := running.Database(path)
		_, broker := running.DialBroker(t.Context(), running.BrokerOptions{
			DataDir: path, Tool: "test", Logger: slog.New(slog.DiscardHandler),
		})
		for flag, err := range map[string]error{"--url": api, "name one with --url": database, "--mqtt": broker} {
			if err == nil || !strings.Contains(err.Error(), flag) || !strings.Contains(err.Error(), path) {
				t.Errorf("announced %v: %v names neither %s nor %s", announced, err, flag, path)
			}
		}
	}
}

// TestDatabaseHasItsToken reads the address and the token of a database that runs, without the line break of a file
// that somebody edited.
func TestDatabaseHasItsToken(t *testing.T) {
	path := t.TempDir()
	dir, err := datadir.Open(path, datadir.All)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = dir.Close() })
	if err := dir.Announce(datadir.Addresses{Influx: "http://127.0.0.1:1"}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := running.Database(path); err == nil {
		t.Error("a database without a token is found")
	}
	if err := os.WriteFile(filepath.Join(path, "influx.auth"), []byte("user:secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if url, token, err := running.Database(path); url != "http://127.0.0.1:1" || token != "user:secret" || err != nil {
		t.Errorf("got %q, %q, %v", url, token, err)
	}
}
