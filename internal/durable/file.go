// Package durable writes small files that are either wholly old or wholly new after a crash.
package durable

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// WriteFile replaces the file at path by data: written beside it, synced, renamed, and the folder
// synced. The file is readable by its owner only.
func WriteFile(path string, data []byte) error {
	return Write(path, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// Write is WriteFile for what had better not be in memory as a whole: content writes it, through a
// buffer. When that fails, the old file stays.
func Write(path string, content func(io.Writer) error) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".tmp*")
	if err != nil {
		return fmt.Errorf("can't write %s: %w", path, err)
	}
	defer os.Remove(tmp.Name()) // fails once it is renamed, and that is right
	w := bufio.NewWriter(tmp)
	if err = errors.Join(content(w), w.Flush()); err == nil {
		err = tmp.Sync()
	}
	if err = errors.Join(err, tmp.Close()); err != nil {
		return fmt.Errorf("can't write %s: %w", path, err)
	}
	if err := os.Rename(tmp.Name(), path); err != nil {
		return fmt.Errorf("can't write %s: %w", path, err)
	}
	return SyncDir(filepath.Dir(path))
}

// SyncDir makes what was created, renamed or removed in a folder last.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("can't sync the folder %s: %w", dir, err)
	}
	return errors.Join(d.Sync(), d.Close())
}
