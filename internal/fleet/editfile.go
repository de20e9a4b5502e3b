package fleet

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"nhip/internal/durable"
	"nhip/internal/settings"

	"golang.org/x/sys/unix"
)

// EditFile replaces the fleet file at path by what change makes of its text, which is empty if there is no file yet. It
// waits for other programs that edit the file in this way. If change returns an error, EditFile returns it and the file
// stays as it is.
func EditFile(path string, change func(raw []byte) ([]byte, error)) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	unlock, err := lockFile(path + ".lock")
	if err != nil {
		return err
	}
	defer unlock()
	raw, err := settings.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("can't read the fleet: %w", err)
	}
	changed, err := change(raw)
	if err != nil {
		return err
	}
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target // durable.WriteFile would replace a symbolic link
	}
	return durable.WriteFile(path, changed)
}

// lockFile waits for an exclusive lock on the file at path.
func lockFile(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() { _ = f.Close() }, nil // which unlocks
}
