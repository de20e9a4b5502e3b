package journal

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
)

var errCrashed = errors.New("the machine is down")

// faultFS is a disk of real files that fails on demand and remembers what it would still hold after
// a power cut. It counts every operation that changes the disk; faults are set by that count.
type faultFS struct {
	dir string

	mu      sync.Mutex
	ops     int
	faults  map[int]fault
	always  error // every operation fails, as on a disk without room
	crashAt int   // the count at which the machine goes down; 0 is never
	crashed bool
	durable map[string]*inode // names as they are on disk
	live    map[string]*inode // names as programs see them
	gate    chan struct{}     // when set, a sync waits for it
}

// fault is what one operation does instead of its work. A write still puts the first part of its
// bytes in the file.
type fault struct {
	err  error
	part int
}

// inode holds the contents that a file may have after a crash: the first is on disk for sure, the
// later ones were written since and may be, in whole or in part.
type inode struct{ images [][]byte }

// fataler is a *testing.T or a *rapid.T.
type fataler interface{ Fatal(args ...any) }

func newFaultFS(t fataler, dir string) *faultFS {
	d := &faultFS{dir: dir, faults: map[int]fault{}, durable: map[string]*inode{}, live: map[string]*inode{}}
	paths, err := filepath.Glob(filepath.Join(dir, "*.*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		node := &inode{images: [][]byte{content}}
		d.durable[path], d.live[path] = node, node
	}
	return d
}

// failAfter makes the operation fail that comes after n others.
func (d *faultFS) failAfter(n int, f fault) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.faults[d.ops+n+1] = f
}

// crashAfter takes the machine down in the operation that comes after n others.
func (d *faultFS) crashAfter(n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.crashAt = d.ops + n + 1
}

func (d *faultFS) setAlways(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.always = err
}

func (d *faultFS) isDown() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.crashed
}

// crashNow fails every later operation, until revive lets another process use the disk.
func (d *faultFS) crashNow() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.crashed = true
}

func (d *faultFS) revive() {
	d.heal()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.crashed = false
}

func (d *faultFS) heal() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.faults, d.always, d.crashAt = map[int]fault{}, nil, 0
}

// step counts an operation and returns its fault. It is called with mu held.
func (d *faultFS) step() (fault, bool) {
	d.ops++
	switch f, ok := d.faults[d.ops]; {
	case d.crashed:
		return fault{err: errCrashed}, true
	case d.ops == d.crashAt:
		d.crashed = true
		return fault{err: errCrashed, part: 1 << 30}, true
	case d.always != nil:
		return fault{err: d.always}, true
	default:
		return f, ok
	}
}

func (d *faultFS) open(path string, flag int) (file, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.crashed {
		return nil, errCrashed
	}
	if flag&os.O_CREATE != 0 {
		if f, ok := d.step(); ok {
			return nil, &os.PathError{Op: "open", Path: path, Err: f.err}
		}
	}
	if flag&os.O_WRONLY != 0 { // remember reads
		flag = flag&^os.O_WRONLY | os.O_RDWR
	}
	f, err := os.OpenFile(path, flag, fileMode)
	if err != nil {
		return nil, err
	}
	node := d.live[path]
	switch {
	case node == nil:
		node = &inode{images: [][]byte{nil}}
		d.live[path] = node
	case flag&os.O_TRUNC != 0:
		node.images = append(node.images, nil)
	}
	return &faultFile{File: f, disk: d, node: node}, nil
}

func (d *faultFS) rename(from, to string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if f, ok := d.step(); ok {
		return f.err
	}
	if err := os.Rename(from, to); err != nil {
		return err
	}
	d.live[to] = d.live[from]
	delete(d.live, from)
	return nil
}

func (d *faultFS) remove(path string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if f, ok := d.step(); ok {
		return f.err
	}
	delete(d.live, path)
	return os.Remove(path)
}

func (d *faultFS) syncDir(dir string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if f, ok := d.step(); ok {
		return f.err
	}
	if dir == d.dir {
		d.durable = maps.Clone(d.live)
	}
	return nil
}

// image returns what the folder may hold after a power cut at this moment, by file name. pick(n)
// chooses from 0 to n-1.
func (d *faultFS) image(pick func(n int) int) map[string][]byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	names := maps.Clone(d.durable)
	maps.Copy(names, d.live)
	kept := map[string][]byte{}
	for _, path := range slices.Sorted(maps.Keys(names)) {
		node := d.durable[path]
		if d.live[path] != node && pick(2) == 1 {
			node = d.live[path]
		}
		if node != nil {
			kept[filepath.Base(path)] = node.afterCrash(pick)
		}
	}
	return kept
}

// afterCrash picks one of the contents, and of what it adds to the one before it a part, perhaps
// with zeros where the rest should be.
func (n *inode) afterCrash(pick func(n int) int) []byte {
	i := pick(len(n.images))
	content := n.images[i]
	if i == 0 || !bytes.HasPrefix(content, n.images[i-1]) {
		return content
	}
	part := len(n.images[i-1]) + pick(len(content)-len(n.images[i-1])+1)
	if pick(2) == 0 {
		return content[:part]
	}
	return append(slices.Clone(content[:part]), make([]byte, len(content)-part)...)
}

type faultFile struct {
	*os.File
	disk *faultFS
	node *inode
}

func (f *faultFile) ReadAt(p []byte, off int64) (int, error) {
	if f.disk.isDown() {
		return 0, errCrashed
	}
	return f.File.ReadAt(p, off)
}

func (f *faultFile) WriteAt(p []byte, off int64) (int, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	fault, ok := f.disk.step()
	if ok {
		p = p[:min(len(p), fault.part)]
	}
	n, err := f.File.WriteAt(p, off)
	if err != nil {
		return n, err
	}
	if err := f.remember(); err != nil {
		return n, err
	}
	if ok {
		return n, fault.err
	}
	return n, nil
}

func (f *faultFile) Truncate(size int64) error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if fault, ok := f.disk.step(); ok {
		return fault.err
	}
	if err := f.File.Truncate(size); err != nil {
		return err
	}
	return f.remember()
}

func (f *faultFile) Sync() error {
	f.disk.mu.Lock()
	gate := f.disk.gate
	f.disk.mu.Unlock()
	if gate != nil {
		<-gate
	}
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if fault, ok := f.disk.step(); ok {
		return fault.err
	}
	f.node.images = f.node.images[len(f.node.images)-1:]
	return nil
}

// remember keeps the file's content as one that a crash may leave. It is called with mu held.
func (f *faultFile) remember() error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	content := make([]byte, info.Size())
	if _, err := f.File.ReadAt(content, 0); err != nil && err != io.EOF {
		return err
	}
	f.node.images = append(f.node.images, content)
	return nil
}
