package ledger

import (
	"errors"
	"math/rand/v2"
	"os"
	"sync"
)

var (
	errFault   = errors.New("no space left on device")
	errCrashed = errors.New("the machine is down")
)

// faultFS is a disk of real files on which one operation fails, or at which the machine goes down. What
// was not synced by then is lost, or not, by chance: bytes of files, and names in folders.
type faultFS struct {
	osFS
	chance *rand.Rand

	mu      sync.Mutex
	ops     int
	failAt  int // the count of the operation that fails, and leaves a part of its work
	crashAt int // the count from which nothing works any more
	lost    []func()
}

// step counts an operation that changes the disk.
func (d *faultFS) step() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ops++
	switch {
	case d.crashAt > 0 && d.ops >= d.crashAt:
		return errCrashed
	case d.ops == d.failAt:
		return errFault
	}
	return nil
}

func (d *faultFS) loses(undo func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lost = append(d.lost, undo)
}

// crash leaves what a power cut may: each change that was not made to last is undone, or is not. The
// later ones go first, because each undoes what it met.
func (d *faultFS) crash() {
	for i := len(d.lost) - 1; i >= 0; i-- {
		if d.chance.IntN(2) == 0 {
			d.lost[i]()
		}
	}
	d.lost = nil
}

type faultFile struct {
	file
	path string
	disk *faultFS
}

func (d *faultFS) create(path string) (file, error) {
	if err := d.step(); err != nil {
		return nil, err
	}
	f, err := d.osFS.create(path)
	if err != nil {
		return nil, err
	}
	return &faultFile{f, path, d}, nil
}

func (f *faultFile) Write(p []byte) (int, error) {
	if err := f.disk.step(); err != nil {
		n, _ := f.file.Write(p[:len(p)/2])
		return n, err
	}
	return f.file.Write(p)
}

// Sync makes bytes last. A file whose sync fails has half of them.
func (f *faultFile) Sync() error {
	if err := f.disk.step(); err != nil {
		if info, e := os.Stat(f.path); e == nil {
			_ = os.Truncate(f.path, info.Size()/2)
		}
		return err
	}
	return nil // the test's disk goes down only by pretence, and a real sync takes a millisecond
}

func (d *faultFS) rename(from, to string) error {
	if err := d.step(); err != nil {
		return err
	}
	before, missing := os.ReadFile(to)
	content, _ := os.ReadFile(from)
	d.loses(func() {
		_ = os.WriteFile(from, content, fileMode)
		if missing != nil {
			_ = os.Remove(to)
			return
		}
		_ = os.WriteFile(to, before, fileMode)
	})
	return d.osFS.rename(from, to)
}

func (d *faultFS) remove(path string) error {
	if err := d.step(); err != nil {
		return err
	}
	if content, err := os.ReadFile(path); err == nil {
		d.loses(func() { _ = os.WriteFile(path, content, fileMode) })
	}
	return d.osFS.remove(path)
}

// syncDir makes names last.
func (d *faultFS) syncDir(dir string) error {
	if err := d.step(); err != nil {
		return err
	}
	d.mu.Lock()
	d.lost = nil
	d.mu.Unlock()
	return nil
}
