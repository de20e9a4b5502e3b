package fleet_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"nhip/internal/fleet"
)

// TestEditsOfSeveralProgramsAreAllKept fails if an edit replaces what another one has written meanwhile.
func TestEditsOfSeveralProgramsAreAllKept(t *testing.T) {
	const edits = 40
	path := filepath.Join(t.TempDir(), "new", "fleet.yaml")
	var wg sync.WaitGroup
	faults := make(chan error, edits)
	for range edits {
		wg.Go(func() {
			faults <- fleet.EditFile(path, func(raw []byte) ([]byte, error) {
				n, _ := strconv.Atoi(string(raw)) // empty before the first edit
				return fmt.Append(nil, n+1), nil
			})
		})
	}
	wg.Wait()
	for range edits {
		if err := <-faults; err != nil {
			t.Fatal(err)
		}
	}
	if raw, err := os.ReadFile(path); err != nil || string(raw) != strconv.Itoa(edits) {
		t.Errorf("%d edits have left %q, %v", edits, raw, err)
	}
}

// TestRefusedEditChangesNothing edits through a symbolic link, which stays, and refuses an edit.
func TestRefusedEditChangesNothing(t *testing.T) {
	dir := t.TempDir()
	target, link := filepath.Join(dir, "target.yaml"), filepath.Join(dir, "fleet.yaml")
	if err := os.Symlink(target, link); err != nil {
		t.Fatal(err)
	}
	write := func([]byte) ([]byte, error) { return []byte("devices: []\n"), nil }
	if err := os.WriteFile(target, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := fleet.EditFile(link, write); err != nil {
		t.Fatal(err)
	}
	refused := errors.New("refused")
	err := fleet.EditFile(link, func([]byte) ([]byte, error) { return []byte("lost"), refused })
	if !errors.Is(err, refused) {
		t.Errorf("got %v", err)
	}
	if raw, err := os.ReadFile(target); err != nil || string(raw) != "devices: []\n" {
		t.Errorf("the target of the link has %q, %v", raw, err)
	}
	if at, err := os.Readlink(link); err != nil || at != target {
		t.Errorf("the link is replaced: %q, %v", at, err)
	}
}
