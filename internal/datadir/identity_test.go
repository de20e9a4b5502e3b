package datadir

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	partA = "collector/journal"
	partB = "collector/ledger"
)

// claimed opens a folder, claims two parts, writes a file into each and closes it.
func claimed(t *testing.T, path string) (findings []string) {
	t.Helper()
	d, err := Open(path, All)
	if err != nil {
		t.Fatal(err)
	}
	findings, err = d.Claim(partA, partB)
	if err != nil {
		t.Fatal(err)
	}
	if d.Intact() != (len(findings) == 0) {
		t.Errorf("intact %v with findings %q", d.Intact(), findings)
	}
	for _, part := range []string{partA, partB} {
		if err := os.WriteFile(filepath.Join(path, part, "data"), []byte(path), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	return findings
}

// wantFindings compares findings with parts of their texts.
func wantFindings(t *testing.T, got []string, want ...string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("findings %q, want %q", got, want)
	}
	for i := range want {
		if !strings.Contains(got[i], want[i]) {
			t.Errorf("finding %q, want %q in it", got[i], want[i])
		}
	}
}

func move(t *testing.T, from, to string) {
	t.Helper()
	if err := os.RemoveAll(to); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

func TestClaimKeepsIdentity(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data")
	wantFindings(t, claimed(t, path))
	first, err := readIdentity(path)
	if err != nil {
		t.Fatal(err)
	}
	moved := path + "-moved"
	move(t, path, moved)
	wantFindings(t, claimed(t, moved))
	if again, err := readIdentity(filepath.Join(moved, partA)); err != nil || again.ID != first.ID || first.Version != 1 {
		t.Errorf("identity %+v of the part, %+v of the folder, %v", again, first, err)
	}
}

func TestClaimAdoptsOldFolder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data")
	if err := os.MkdirAll(filepath.Join(path, partA), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(path, partA, "1.seg"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	wantFindings(t, claimed(t, path))
}

func TestClaimReportsMissingPart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data")
	claimed(t, path)
	if err := os.RemoveAll(filepath.Join(path, partB)); err != nil {
		t.Fatal(err)
	}
	wantFindings(t, claimed(t, path), "is missing or empty")
	wantFindings(t, claimed(t, path))
}

func TestClaimSetsForeignPartAside(t *testing.T) {
	dir := t.TempDir()
	path, other := filepath.Join(dir, "data"), filepath.Join(dir, "other")
	claimed(t, path)
	claimed(t, other)
	move(t, filepath.Join(other, partB), filepath.Join(path, partB))
	wantFindings(t, claimed(t, path), "belongs to another data folder")
	kept, err := os.ReadFile(filepath.Join(path, partB+".foreign-1", "data"))
	if err != nil || string(kept) != other {
		t.Errorf("kept %q, %v", kept, err)
	}
	wantFindings(t, claimed(t, path))
}

// TestClaimTrustsMajority restores only the folder's own file from elsewhere, and damages it.
func TestClaimTrustsMajority(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data")
	claimed(t, path)
	for content, want := range map[string]string{
		`{"version":1,"id":"other","parts":["` + partA + `","` + partB + `"]}`: "differs from that of its parts",
		`{"version":1,`: "is damaged",
	} {
		if err := os.WriteFile(filepath.Join(path, identityFile), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		got := claimed(t, path)
		if len(got) == 0 || !strings.Contains(got[0], want) {
			t.Errorf("findings %q, want %q", got, want)
		}
		wantFindings(t, claimed(t, path))
		if aside, err := filepath.Glob(filepath.Join(path, "collector", "*.foreign*")); err != nil || len(aside) > 0 {
			t.Errorf("set aside: %q, %v", aside, err)
		}
	}
}

func TestOpenRefusesNewerFolder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data")
	claimed(t, path)
	newer := []byte(`{"version":2,"id":"x","more":{}}`)
	if err := os.WriteFile(filepath.Join(path, partB, identityFile), newer, 0o600); err != nil {
		t.Fatal(err)
	}
	d := open(t, path)
	if _, err := d.Claim(partA, partB); err == nil || !strings.Contains(err.Error(), "newer version of nhip") {
		t.Errorf("a newer part: %v", err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(path, identityFile), newer, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, role := range []Role{All, Gateway, Collector, API} {
		if _, err := Open(path, role); err == nil || !strings.Contains(err.Error(), "newer version of nhip") {
			t.Errorf("a newer folder as %s: %v", role, err)
		}
	}
	if after, err := os.ReadFile(filepath.Join(path, identityFile)); err != nil || string(after) != string(newer) {
		t.Errorf("the identity is changed to %s, %v", after, err)
	}
}
