package ledger

import (
	"errors"
	"io"
	"io/fs"
	"os"
)

// Other users of a shared machine must not read what devices sent.
const (
	dirMode  = 0o750
	fileMode = 0o640
)

// file is the part of *os.File that the ledger uses.
type file interface {
	io.Writer
	io.ReaderAt
	Sync() error
	Close() error
}

// fileSystem has every operation on the ledger's files except listing them, so that tests can make each one fail.
type fileSystem interface {
	open(path string) (file, error)   // to read
	create(path string) (file, error) // to write, empty
	size(f file) (int64, error)
	rename(from, to string) error
	remove(path string) error
	syncDir(dir string) error
}

type osFS struct{}

func (osFS) open(path string) (file, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	return f, nil
}

func (osFS) create(path string) (file, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_RDWR, fileMode)
	if err != nil {
		return nil, err
	}
	return f, nil
}

func (osFS) size(f file) (int64, error) {
	info, err := f.(fs.File).Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

func (osFS) rename(from, to string) error { return os.Rename(from, to) }

func (osFS) remove(path string) error { return os.Remove(path) }

func (osFS) syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// writeFile writes and syncs a file under a temporary name and then renames it. The new name is durable once the
// folder is synced too.
func writeFile(files fileSystem, path string, write func(io.Writer) error) error {
	tmp := path + tmpSuffix
	f, err := files.create(tmp)
	if err != nil {
		return err
	}
	err = write(f)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = files.rename(tmp, path)
	}
	if err != nil {
		return errors.Join(err, ignoreMissing(files.remove(tmp)))
	}
	return nil
}

// ignoreMissing returns err, or nil if err means that a file does not exist.
func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
