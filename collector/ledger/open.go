package ledger

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"nhip"
)

// Open opens the book in dir, which it creates. What a crash left of a checkpoint or a merge is
// removed; what is damaged is set aside, counted and logged. Only one process may have it open.
func Open(dir string, o Options) (*Book, error) { return open(dir, o, osFS{}) }

func open(dir string, o Options, files fileSystem) (*Book, error) {
	b := &Book{
		dir: dir, files: files, late: cmp.Or(o.Late, nhip.LateWindow), log: o.Logger,
		devices: map[string]*device{}, hands: newHands(files), tally: tally{}, marks: marks{},
	}
	if b.log == nil {
		b.log = slog.New(slog.DiscardHandler)
	}
	if err := b.load(); err != nil {
		return nil, fmt.Errorf("can't open the ledger in %s: %w", dir, err)
	}
	return b, nil
}

// load reads what is on disk.
func (b *Book) load() error {
	if err := os.MkdirAll(b.dir, dirMode); err != nil {
		return err
	}
	if err := b.files.syncDir(filepath.Dir(b.dir)); err != nil {
		return err
	}
	found, err := b.list()
	if err != nil {
		return err
	}
	at, err := b.readCheckpoint()
	if err != nil && !isDamage(err) {
		return err
	}
	if errors.Is(err, errDamaged) || err != nil && len(found) > 0 {
		b.damaged.Add(1)
		b.log.Error("the ledger's checkpoint is damaged; the last one that is whole is found from its runs", "dir", b.dir, "error", err)
	}
	if at != nil {
		if found, err = b.removeUncommitted(found, at.number); err != nil {
			return err
		}
	}
	heads, err := b.readHeads(found)
	if err != nil {
		return err
	}
	if at == nil {
		at = b.lastComplete(heads)
		if err := b.save(at); err != nil {
			return err
		}
	}
	return b.fill(at, heads)
}

// fill puts the runs that count on the shelf and removes the others.
func (b *Book) fill(at *checkpoint, heads []headed) error {
	var found []*run
	for _, h := range heads {
		found = append(found, h.run)
	}
	found, err := b.removeUncommitted(found, at.number)
	if err != nil {
		return err
	}
	var merged []*run
	b.shelf = b.shelf.change(nil, found)
	for _, p := range b.shelf {
		for _, r := range p.runs {
			if heldByAnother(r, p.runs) {
				merged = append(merged, r)
				err = errors.Join(err, b.files.remove(r.path))
			}
		}
	}
	b.shelf = b.shelf.change(merged, nil)
	b.saved = checkpoint{at.number, maps.Clone(at.marks)}
	b.marks = at.marks
	return errors.Join(err, b.files.syncDir(b.dir))
}

// heldByAnother reports whether a merge has put all that r holds into another run.
func heldByAnother(r *run, runs []*run) bool {
	return slices.ContainsFunc(runs, func(o *run) bool { return o != r && o.holds(r.span) })
}

// list returns the runs in the folder. It removes what was never finished, and counts what was set
// aside.
func (b *Book) list() ([]*run, error) {
	files, err := os.ReadDir(b.dir)
	if err != nil {
		return nil, err
	}
	var found []*run
	for _, f := range files {
		path := filepath.Join(b.dir, f.Name())
		switch {
		case strings.HasSuffix(path, tmpSuffix):
			err = errors.Join(err, b.files.remove(path))
		case strings.HasSuffix(path, badSuffix):
			b.damaged.Add(1)
		case strings.HasSuffix(path, runSuffix):
			if s, ok := parseRunName(f.Name()); ok {
				found = append(found, &run{span: s, path: path})
			} else {
				b.refuse(path, damaged("name"))
			}
		}
	}
	return found, err
}

// refuse sets a run aside that Open can't use.
func (b *Book) refuse(path string, err error) {
	b.damaged.Add(1)
	b.log.Error("a run of the ledger is damaged and left out; counts and duplicates of its hour may be wrong",
		"run", path, "error", err)
	b.setAside(path)
}

// readCheckpoint returns what the file says; its error says when that is missing or damaged.
func (b *Book) readCheckpoint() (*checkpoint, error) {
	content, err := readAll(b.files, filepath.Join(b.dir, checkpointName))
	if err != nil {
		return nil, err
	}
	at, ok := parseCheckpoint(content)
	if !ok {
		return nil, damaged("content")
	}
	return at, nil
}

func readAll(files fileSystem, path string) ([]byte, error) {
	f, err := files.open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	size, err := files.size(f)
	if err != nil {
		return nil, err
	}
	return readAt(f, 0, int(size), nil)
}

// removeUncommitted removes the runs of a checkpoint that was not finished, and returns the others.
func (b *Book) removeUncommitted(found []*run, number uint64) ([]*run, error) {
	var err error
	found = slices.DeleteFunc(found, func(r *run) bool {
		if r.last <= number {
			return false
		}
		err = errors.Join(err, b.files.remove(r.path))
		return true
	})
	return found, err
}

// headed is a run with its header.
type headed struct {
	*run
	head *header
}

// readHeads reads the headers of the runs and sets those aside that are damaged.
func (b *Book) readHeads(found []*run) ([]headed, error) {
	var heads []headed
	for _, r := range found {
		h, err := b.readHead(r)
		switch {
		case err == nil:
			heads = append(heads, headed{r, h})
		case isDamage(err):
			b.refuse(r.path, err)
		default:
			return nil, err
		}
	}
	return heads, nil
}

func (b *Book) readHead(r *run) (*header, error) {
	f, err := b.files.open(r.path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	size, err := b.files.size(f)
	if err != nil {
		return nil, err
	}
	h, foot, err := readEnds(f, size)
	if err != nil {
		return nil, err
	}
	if h.span != r.span {
		return nil, damaged("name")
	}
	r.size, r.facts = foot.size, foot.facts
	return h, nil
}
