package running_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"nhip/client"
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

// TestRemovalIsAwaited waits for an API that knows a device for two more requests, and gives up on one that always
// knows it when the context ends.
func TestRemovalIsAwaited(t *testing.T) {
	asked := make(map[string]int)
	ctx, cancel := context.WithCancel(t.Context())
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked[r.URL.Path]++ // one request at a time
		if strings.HasSuffix(r.URL.Path, "/stays") {
			cancel()
		} else if asked[r.URL.Path] > 2 {
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprint(w, `{"status":404,"code":"not_found","title":"Not found","rule":"the fleet contains no such device"}`)
			return
		}
		fmt.Fprint(w, `{"id":"x"}`)
	}))
	defer server.Close()
	api, err := client.New(server.URL, "")
	if err != nil {
		t.Fatal(err)
	}
	if id := running.AwaitRemoved(ctx, api, []string{"goes", "too"}); id != "" {
		t.Errorf("%s is not removed: %v", id, asked)
	}
	if id := running.AwaitRemoved(ctx, api, []string{"goes", "stays", "never-asked"}); id != "stays" {
		t.Errorf("got %q: %v", id, asked)
	}
}
