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

func TestOpenLocksFolder(t *testing.T) {
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

func TestOpenFailsBelowFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(filepath.Join(file, "data"), All); err == nil || !strings.Contains(err.Error(), "--data-dir") {
		t.Errorf("a folder below a file: %v", err)
	}
}

func TestTokenIsCreatedOnce(t *testing.T) {
	d := open(t, t.TempDir())
	first, err := d.Token(func() string { return "secret" }, nil)
	if err != nil {
		t.Fatal(err)
	}
	again, err := d.Token(func() string { return "other" }, nil)
	if err != nil || first != "secret" || again != first {
		t.Errorf("tokens %q and %q, %v", first, again, err)
	}
	info, err := os.Stat(d.Path(tokenFile))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the token's file: %v, %v", info.Mode(), err)
	}
	if _, err := ReadToken(t.TempDir()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without a token: %v, want ErrNotExist", err)
	}
}

func TestSimulatedAndRealDataStayApart(t *testing.T) {
	d := open(t, t.TempDir())
	if err := d.Real(); err != nil {
		t.Errorf("Real of a new folder: %v", err)
	}
	if err := d.Simulate(); err != nil {
		t.Fatal(err)
	}
	if err := d.Simulate(); err != nil {
		t.Errorf("Simulate of a simulated folder: %v", err)
	}
	if d.Real() == nil {
		t.Error("Real of a simulated folder: no error")
	}
	used := open(t, t.TempDir())
	if err := os.Mkdir(used.Path("collector"), 0o700); err != nil {
		t.Fatal(err)
	}
	if used.Simulate() == nil {
		t.Error("Simulate of a folder with facts: no error")
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
		t.Errorf("after Close: %v, want ErrNotExist", err)
	}
}

func TestRolesShareFolder(t *testing.T) {
	path := t.TempDir()
	open := func(r Role) *Dir {
		t.Helper()
		d, err := Open(path, r)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = d.Close() })
		return d
	}
	gateway, collector := open(Gateway), open(Collector)
	for _, r := range []Role{All, Gateway} {
		if _, err := Open(path, r); err == nil || !strings.Contains(err.Error(), "another nhip runs") {
			t.Errorf("open as %s: %v", r, err)
		}
	}
	if err := errors.Join(gateway.Announce(Addresses{MQTT: "tcp://127.0.0.1:2"}), open(API).Announce(Addresses{
		HTTP: "http://127.0.0.1:1",
	})); err != nil {
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
		t.Errorf("after the gateway was closed: %+v, %v", got, err)
	}
}

func TestOpenRemovesStaleAddresses(t *testing.T) {
	path := t.TempDir()
	d := open(t, path)
	if err := d.Announce(Addresses{HTTP: "http://127.0.0.1:1"}); err != nil {
		t.Fatal(err)
	}
	if err := d.unlock(); err != nil { // as the kernel does after a kill
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
