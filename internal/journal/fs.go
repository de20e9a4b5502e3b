package journal

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Other users of the machine must not read the devices' data.
const (
	dirMode  = 0o750
	fileMode = 0o640
)

// errNotDir is makeDir's error for a path that is a file.
var errNotDir = errors.New("not a folder")

// file has the operations on an open file that the journal needs.
type file interface {
	io.ReaderAt
	io.WriterAt
	Truncate(size int64) error
	Sync() error // syncs the bytes and the size; the times need not be synced
	Close() error
}

// fileSystem has all operations that change the disk, so that tests can make each one fail.
type fileSystem interface {
	open(path string, flag int) (file, error)
	rename(from, to string) error
	remove(path string) error
	link(from, to string) error
	syncDir(dir string) error
	free(dir string) (int64, error) // free bytes of dir's file system
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

// makeDir creates dir with its parents and makes each new name durable. Otherwise a crash could lose the folder with
// all records.
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
