package ledger

import (
	"errors"
	"math/rand/v2"
	"os"
	"sync"
)

var (
	errFault   = errors.New("no space left on device")
	errCrashed = errors.New("simulated crash")
)

// faultFS is a file system on real files in which one operation fails, or at which the machine crashes. Changes that
// were not synced before the crash, to bytes of files and names in folders, are lost at random.
type faultFS struct {
	osFS
	chance *rand.Rand

	mu       sync.Mutex
	ops      int // counted so far
	failAt   int // number of the operation that fails and does only a part of its work
	crashAt  int // number of the operation from which on all fail
	unsynced []func()
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

func (d *faultFS) onCrash(undo func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.unsynced = append(d.unsynced, undo)
}

// crash leaves the state of a power failure: each change that was not synced is undone with a chance of one half, the
// later ones first, because each restores the state before it.
func (d *faultFS) crash() {
	for i := len(d.unsynced) - 1; i >= 0; i-- {
		if d.chance.IntN(2) == 0 {
			d.unsynced[i]()
		}
	}
	d.unsynced = nil
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

// Sync makes bytes durable. If it fails, half of the bytes are lost.
func (f *faultFile) Sync() error {
	if err := f.disk.step(); err != nil {
		if info, e := os.Stat(f.path); e == nil {
			_ = os.Truncate(f.path, info.Size()/2)
		}
		return err
	}
	return nil // crashes are only simulated, and a real sync takes a millisecond
}

func (d *faultFS) rename(from, to string) error {
	if err := d.step(); err != nil {
		return err
	}
	before, missing := os.ReadFile(to)
	content, _ := os.ReadFile(from)
	d.onCrash(func() {
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
		d.onCrash(func() { _ = os.WriteFile(path, content, fileMode) })
	}
	return d.osFS.remove(path)
}

// syncDir makes names durable.
func (d *faultFS) syncDir(dir string) error {
	if err := d.step(); err != nil {
		return err
	}
	d.mu.Lock()
	d.unsynced = nil
	d.mu.Unlock()
	return nil
}
