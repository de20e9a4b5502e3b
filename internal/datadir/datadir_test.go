package datadir

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func open(t *testing.T, path string) *Dir {
	t.Helper()
	d, err := Open(path, All)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

func TestOneAtATime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data")
	d := open(t, path)
	if _, err := Open(path, All); err == nil || !strings.Contains(err.Error(), "another nhip runs") {
		t.Errorf("a second Open: %v", err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, path)
}

func TestAFolderThatCantBe(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(filepath.Join(file, "data"), All); err == nil || !strings.Contains(err.Error(), "--data-dir") {
		t.Errorf("a folder below a file: %v", err)
	}
}

func TestTokenStays(t *testing.T) {
	d := open(t, t.TempDir())
	first, err := d.Token(func() string { return "secret" })
	if err != nil {
		t.Fatal(err)
	}
	again, err := d.Token(func() string { return "other" })
	if err != nil || first != "secret" || again != first {
		t.Errorf("tokens %q and %q, %v", first, again, err)
	}
	info, err := os.Stat(d.Path(tokenFile))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the token's file: %v, %v", info.Mode(), err)
	}
	if _, err := ReadToken(t.TempDir()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no token yet: %v", err)
	}
}

func TestSimulatedAndRealNeverMix(t *testing.T) {
	d := open(t, t.TempDir())
	if err := d.Real(); err != nil {
		t.Errorf("a new folder is real: %v", err)
	}
	if err := d.Simulate(); err != nil {
		t.Fatal(err)
	}
	if err := d.Simulate(); err != nil {
		t.Errorf("simulated again: %v", err)
	}
	if d.Real() == nil {
		t.Error("a simulated folder passes for a real one")
	}
	used := open(t, t.TempDir())
	if err := os.Mkdir(used.Path("collector"), 0o700); err != nil {
		t.Fatal(err)
	}
	if used.Simulate() == nil {
		t.Error("a real folder is simulated in")
	}
}

func TestAddresses(t *testing.T) {
	path := t.TempDir()
	d := open(t, path)
	want := Addresses{HTTP: "http://127.0.0.1:1", MQTT: "tcp://127.0.0.1:2", Influx: "http://127.0.0.1:3"}
	if err := d.Announce(want); err != nil {
		t.Fatal(err)
	}
	if got, err := ReadAddresses(path); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadAddresses(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after the end: %v", err)
	}
}

func TestRolesSideBySide(t *testing.T) {
	path := t.TempDir()
	take := func(r Role) *Dir {
		t.Helper()
		d, err := Open(path, r)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = d.Close() })
		return d
	}
	gateway, collector := take(Gateway), take(Collector)
	for _, r := range []Role{All, Gateway} {
		if _, err := Open(path, r); err == nil || !strings.Contains(err.Error(), "another nhip runs") {
			t.Errorf("%s beside them: %v", r, err)
		}
	}
	if err := errors.Join(gateway.Announce(Addresses{MQTT: "tcp://127.0.0.1:2"}), take(API).Announce(Addresses{HTTP: "http://127.0.0.1:1"})); err != nil {
		t.Fatal(err)
	}
	want := Addresses{HTTP: "http://127.0.0.1:1", MQTT: "tcp://127.0.0.1:2"}
	if got, err := ReadAddresses(path); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	if err := errors.Join(gateway.Close(), collector.Close()); err != nil {
		t.Fatal(err)
	}
	if got, err := ReadAddresses(path); err != nil || got != (Addresses{HTTP: want.HTTP}) {
		t.Errorf("once the gateway has gone: %+v, %v", got, err)
	}
}

func TestTheDeadAreForgotten(t *testing.T) {
	path := t.TempDir()
	d := open(t, path)
	if err := d.Announce(Addresses{HTTP: "http://127.0.0.1:1"}); err != nil {
		t.Fatal(err)
	}
	if err := d.release(); err != nil { // as a kill does
		t.Fatal(err)
	}
	gateway, err := Open(path, Gateway)
	if err != nil {
		t.Fatal(err)
	}
	defer gateway.Close()
	if a, err := ReadAddresses(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%+v, %v", a, err)
	}
}
