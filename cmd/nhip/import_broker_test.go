package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nhip/app/apptest"
	"nhip/internal/awaittest"
	"nhip/internal/running"
)

// TestImportWithoutBroker: a broker that is not there is an error at once, which names its address and the flag.
func TestImportWithoutBroker(t *testing.T) {
	file := apptest.WriteFile(t, "hn-01.csv", "time,quantity,value\n2026-02-16T08:00:00Z,pm25,20\n")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone := l.Addr().String()
	_ = l.Close()
	address := func(text string) string {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "run-api.json"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	for name, c := range map[string]struct {
		dir  string
		args []string
		want []string
	}{
		"no nhip": {t.TempDir(), nil, []string{"no nhip runs on", "--mqtt URL", "--data-dir"}},
		"an api alone": {
			address(`{"http":"http://127.0.0.1:1"}`), nil, []string{"no broker of its own", "broker.url", "--mqtt URL"},
		},
		"a stale address": {
			address(fmt.Sprintf(`{"mqtt":"tcp://%s"}`, gone)), nil, []string{gone, "--mqtt URL", "`nhip up`"},
		},
		"a given address":  {t.TempDir(), []string{"--mqtt", "tcp://" + gone}, []string{"--mqtt: ", gone, "refused"}},
		"no such scheme":   {t.TempDir(), []string{"--mqtt", "http://" + gone}, []string{"--mqtt: ", "must be tcp"}},
		"without a scheme": {t.TempDir(), []string{"--mqtt", "localhost"}, []string{"--mqtt: "}},
	} {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			if name == "a stale address" {
				if err := os.WriteFile(filepath.Join(c.dir, "operator.token"), []byte("t\n"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			code, _, stderr := try(t, c.dir, append([]string{"import", "csv", file}, c.args...)...)
			if code != 1 || time.Since(began) > running.ConnectTimeout/2 {
				t.Errorf("exit %d after %s", code, time.Since(began))
			}
			for _, part := range c.want {
				if !strings.Contains(stderr, part) {
					t.Errorf("no %q in %s", part, stderr)
				}
			}
		})
	}
}

// TestImportFromSilentBroker: a broker that accepts connections and says nothing is named while the tool waits.
func TestImportFromSilentBroker(t *testing.T) {
	file := apptest.WriteFile(t, "hn-01.csv", "time,quantity,value\n2026-02-16T08:00:00Z,pm25,20\n")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	began := time.Now()
	code, _, stderr := try(t, t.TempDir(), "import", "csv", file, "--mqtt", "tcp://"+l.Addr().String())
	if code != 1 || time.Since(began) > awaittest.Timeout || !strings.Contains(stderr, "waiting for the MQTT broker") ||
		!strings.Contains(stderr, "--mqtt: the MQTT broker at tcp://"+l.Addr().String()) {
		t.Errorf("exit %d after %s: %s", code, time.Since(began), stderr)
	}
}
