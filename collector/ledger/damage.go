package ledger

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
)

// isDamage reports whether an error is about what a file holds, which reading again does not mend.
func isDamage(err error) bool {
	return errors.Is(err, errDamaged) || errors.Is(err, fs.ErrNotExist)
}

// cantOpen deals with a run that can't be opened: one that is damaged as a whole is set aside.
func (b *Book) cantOpen(r *run, err error) {
	if !isDamage(err) {
		b.cantRead(r, err)
		return
	}
	b.mu.Lock()
	counts := slices.Contains(b.shelf.runs(r.hour), r)
	b.shelf = b.shelf.change([]*run{r}, nil)
	b.mu.Unlock()
	if counts {
		b.cantRead(r, err)
		b.setAside(r.path)
	}
}

// cantRead says once of a run that a part of it is damaged or can't be read.
func (b *Book) cantRead(r *run, err error) {
	if isDamage(err) {
		if !r.hurt.Swap(true) {
			b.damaged.Add(1)
			b.log.Error("a part of the ledger is damaged and left out; counts and duplicates of its hour may be wrong",
				"run", r.path, "error", err)
		}
		return
	}
	b.unread.Add(1)
	if !r.misread.Swap(true) {
		b.log.Error("can't read a part of the ledger; what it holds may be taken for new", "run", r.path, "error", err)
	}
}

// setAside renames a damaged run, for a human to look at.
func (b *Book) setAside(path string) {
	err := b.files.rename(path, strings.TrimSuffix(path, runSuffix)+badSuffix)
	if ignoreMissing(err) != nil {
		b.log.Error("can't set a damaged run of the ledger aside", "run", path, "error", err)
	}
}
