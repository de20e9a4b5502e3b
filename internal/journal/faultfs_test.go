package journal

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
)

var errCrashed = errors.New("the machine has crashed")

// faultFS is a disk of real files that fails on demand and records what it would contain after a power failure. It
// counts all operations that change the disk; faults are set for a count.
type faultFS struct {
	dir string

	mu      sync.Mutex
	ops     int
	faults  map[int]fault
	always  error // if not nil, every operation fails with it
	crashAt int   // count of the operation in which the machine crashes; 0 for none
	crashed bool
	durable map[string]*inode // names on disk
	live    map[string]*inode // names as seen by programs
	gate    chan struct{}     // if not nil, a sync waits for it
}

// fault is the result of an operation that fails. A write still writes its first part bytes.
type fault struct {
	err  error
	part int
}

// inode is a file on disk: its durable content and the changes since. A crash may lose any of those changes, completely
// or in part, and keep later ones.
type inode struct {
	base    []byte
	changes []change
}

// change is one write, or one truncation to off.
type change struct {
	off      int64
	data     []byte
	truncate bool
	fate     fate
}

// fate is the effect of syncs on a change. After a failed sync the kernel marks a change as clean without writing it:
// programs see it as long as the machine runs, and later syncs succeed without writing it.
type fate int

const (
	unsynced fate = iota
	synced
	syncFailed
)

func (n *inode) write(p []byte, off int64) {
	n.changes = append(n.changes, change{off: off, data: slices.Clone(p)})
}

func (n *inode) truncate(size int64) {
	n.changes = append(n.changes, change{off: size, truncate: true})
}

// sync sets the fate of all unsynced changes, and applies the leading synced changes to the base.
func (n *inode) sync(to fate) {
	for i := range n.changes {
		if n.changes[i].fate == unsynced {
			n.changes[i].fate = to
		}
	}
	for len(n.changes) > 0 && n.changes[0].fate == synced {
		n.base = n.changes[0].apply(n.base, all)
		n.changes = n.changes[1:]
	}
}

// all chooses the most of everything.
func all(n int) int { return n - 1 }

// afterCrash returns one of the possible contents after a crash, as pick chooses.
func (n *inode) afterCrash(pick func(n int) int) []byte {
	content := slices.Clone(n.base)
	for _, c := range n.changes {
		if c.fate == synced {
			content = c.apply(content, all)
		} else {
			content = c.apply(content, pick)
		}
	}
	return content
}

// apply applies the change, or the part of it that pick chooses.
func (c change) apply(content []byte, pick func(n int) int) []byte {
	if c.truncate {
		if pick(2) == 0 {
			return content
		}
		return resize(content, c.off)
	}
	whole := len(c.data)
	switch pick(4) {
	case 0:
		return content
	case 1:
		part := pick(whole + 1)
		content = resize(content, max(int64(len(content)), c.off+int64(part)))
		copy(content[c.off:], c.data[:part])
	case 2:
		content = resize(content, max(int64(len(content)), c.off+int64(whole)))
		c.scatter(content, pick(1<<16))
	default:
		content = resize(content, max(int64(len(content)), c.off+int64(whole)))
		copy(content[c.off:], c.data)
	}
	return content
}

// scatter writes each block whose bit is set in the pattern. Blocks are much smaller than those of a disk, so that the
// tests' frames have several. As on a disk, the first block contains the segment's header and part of the first frame.
func (c change) scatter(content []byte, pattern int) {
	const block = headerSize + 8
	for i := 0; i < len(c.data); i += block {
		if pattern>>(i/block%16)&1 == 1 {
			copy(content[c.off+int64(i):], c.data[i:min(i+block, len(c.data))])
		}
	}
}

func resize(content []byte, size int64) []byte {
	if size <= int64(len(content)) {
		return content[:size:size]
	}
	return append(content, make([]byte, size-int64(len(content)))...)
}

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
		node := &inode{base: content}
		d.durable[path], d.live[path] = node, node
	}
	return d
}

// failAfter makes the operation after the next n ones fail.
func (d *faultFS) failAfter(n int, f fault) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.faults[d.ops+n+1] = f
}

// crashAfter makes the machine crash in the operation after the next n ones.
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

func (d *faultFS) isCrashed() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.crashed
}

// armed reports whether faults are still set.
func (d *faultFS) armed() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.faults) > 0 || d.always != nil || d.crashAt > 0
}

// count returns the number of operations.
func (d *faultFS) count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.ops
}

// crashNow makes all later operations fail until revive.
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

// step counts an operation and returns its fault. The caller holds mu.
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
	if flag&os.O_WRONLY != 0 { // lets tests read the file
		flag = flag&^os.O_WRONLY | os.O_RDWR
	}
	f, err := os.OpenFile(path, flag, fileMode)
	if err != nil {
		return nil, err
	}
	node := d.live[path]
	switch {
	case node == nil:
		node = &inode{}
		d.live[path] = node
	case flag&os.O_TRUNC != 0:
		node.truncate(0)
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

func (d *faultFS) link(from, to string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if f, ok := d.step(); ok {
		return f.err
	}
	if err := os.Link(from, to); err != nil {
		return err
	}
	d.live[to] = d.live[from]
	return nil
}

func (d *faultFS) free(string) (int64, error) { return 1 << 40, nil }

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

// image returns a possible content of the folder after a power failure now, by file name. pick(n) chooses from 0 to
// n-1.
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

type faultFile struct {
	*os.File
	disk *faultFS
	node *inode
}

func (f *faultFile) ReadAt(p []byte, off int64) (int, error) {
	if f.disk.isCrashed() {
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
	f.node.write(p, off)
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
	f.node.truncate(size)
	return f.File.Truncate(size)
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
		f.node.sync(syncFailed)
		return fault.err
	}
	f.node.sync(synced)
	return nil
}
