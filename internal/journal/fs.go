package journal

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Facts that a device sent are nobody else's business on a shared machine.
const (
	dirMode  = 0o750
	fileMode = 0o640
)

// errNotDir is what makeDir says of a file in the journal's place.
var errNotDir = errors.New("is not a folder")

// file is what the journal needs of an open file.
type file interface {
	io.ReaderAt
	io.WriterAt
	Truncate(size int64) error
	Sync() error // the bytes and the size, not the times
	Close() error
}

// fileSystem is every operation that changes the disk, so that tests can make each one fail.
type fileSystem interface {
	open(path string, flag int) (file, error)
	rename(from, to string) error
	remove(path string) error
	link(from, to string) error
	syncDir(dir string) error
	free(dir string) (int64, error) // bytes of the disk that we may still take
}

type osFS struct{}

func (osFS) open(path string, flag int) (file, error) {
	f, err := os.OpenFile(path, flag, fileMode)
	if err != nil {
		return nil, err
	}
	return osFile{f}, nil
}

func (osFS) rename(from, to string) error { return os.Rename(from, to) }

func (osFS) remove(path string) error { return os.Remove(path) }

func (osFS) link(from, to string) error { return os.Link(from, to) }

func (osFS) syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	if cerr := d.Close(); err == nil {
		err = cerr
	}
	return err
}

type osFile struct{ *os.File }

func (f osFile) Sync() error { return syncData(f.File) }

// makeDir creates dir with its parents and makes each new name durable: a journal whose folder is
// lost in a crash has lost its records.
func makeDir(files fileSystem, dir string) error {
	info, err := os.Stat(dir)
	if err == nil {
		if !info.IsDir() {
			return &fs.PathError{Op: "open", Path: dir, Err: errNotDir}
		}
		return nil
	}
	if !os.IsNotExist(err) {
		return err
	}
	parent := filepath.Dir(dir)
	if err := makeDir(files, parent); err != nil {
		return err
	}
	if err := os.Mkdir(dir, dirMode); err != nil && !os.IsExist(err) {
		return err
	}
	return files.syncDir(parent)
}
