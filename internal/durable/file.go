// Package durable replaces small files atomically: after a crash a file has either its old or its new content.
package durable

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// WriteFile replaces the content of the file at path. It writes and syncs a temporary file in the same folder, renames
// it and syncs the folder. Only the owner can read the file.
func WriteFile(path string, data []byte) error {
	return Write(path, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// Write is like WriteFile for content that is too large for memory: the function content writes it, through a buffer.
// If that fails, the old file stays.
func Write(path string, content func(io.Writer) error) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".tmp*")
	if err != nil {
		return fmt.Errorf("can't write %s: %w", path, err)
	}
	defer os.Remove(tmp.Name()) // fails after the rename, as it should
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

// SyncDir makes the creation, renaming and removal of files in a folder durable.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("can't sync the folder %s: %w", dir, err)
	}
	return errors.Join(d.Sync(), d.Close())
}
