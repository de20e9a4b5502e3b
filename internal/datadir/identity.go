package datadir

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"nhip/internal/durable"

	"golang.org/x/sys/unix"
)

// version is the version of the folder's format. It rises when an older program could lose or spoil what a newer one
// wrote.
const version = 1

// identityFile holds the version and the identity of the folder, and a copy is in each part that was claimed. Parts of
// different folders must not be mixed, because they number their records independently.
const identityFile = "folder.json"

// The time for which findings degrade the readiness, unless the process ends before.
const findingsShownFor = 24 * time.Hour

// identity is the content of an identityFile.
type identity struct {
	Version int      `json:"version"`
	ID      string   `json:"id"`
	Parts   []string `json:"parts,omitempty"` // those that were claimed; only in the folder itself
}

var errDamagedIdentity = errors.New("damaged")

// readIdentity reads the identity in dir. The error is fs.ErrNotExist if there is none and errDamagedIdentity if it is
// damaged; any other error says why the folder can't be used.
func readIdentity(dir string) (identity, error) {
	var i identity
	raw, err := os.ReadFile(filepath.Join(dir, identityFile))
	if errors.Is(err, fs.ErrNotExist) {
		return i, err
	}
	if err != nil {
		return i, fmt.Errorf("%w: %w", errDamagedIdentity, err)
	}
	if err := json.Unmarshal(raw, &i); err != nil || i.Version < 1 || i.ID == "" {
		return identity{}, fmt.Errorf("%s: %w", filepath.Join(dir, identityFile), errDamagedIdentity)
	}
	if i.Version > version {
		return i, fmt.Errorf("the data folder %s was written by a newer version of nhip (format %d, this program reads %d); "+
			"start that version, or choose another folder with --data-dir", dir, i.Version, version)
	}
	return i, nil
}

func (i *identity) write(dir string) error {
	raw, err := json.Marshal(i)
	if err != nil {
		return fmt.Errorf("can't encode the identity of the folder: %w", err)
	}
	return durable.WriteFile(filepath.Join(dir, identityFile), append(raw, '\n'))
}

func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// checkVersion refuses a folder that a newer program wrote.
func (d *Dir) checkVersion() error {
	_, err := readIdentity(d.path)
	if err == nil || errors.Is(err, fs.ErrNotExist) || errors.Is(err, errDamagedIdentity) {
		return nil
	}
	return err
}

// Claim gives parts of the folder (paths relative to it) the folder's identity. It returns what it found out of order,
// for the log: a part that is missing although it was claimed before, and a part of another folder, which it sets aside
// under another name. Folders of versions without an identity are adopted. The only errors are those of parts that a
// newer program wrote.
func (d *Dir) Claim(parts ...string) (findings []string, err error) {
	unlock, err := d.lockIdentity()
	if err != nil { // a full disk: the next start claims the parts
		d.findings, d.opened = []string{err.Error()}, time.Now()
		return d.findings, nil
	}
	defer unlock()
	c := claim{dir: d, parts: parts, found: map[string]identity{}}
	if err := c.read(); err != nil {
		return nil, err
	}
	c.choose()
	for _, part := range parts {
		c.claim(part)
	}
	if err := c.save(); err != nil {
		c.note("the identity of the data folder can't be saved: %v", err)
	}
	d.findings, d.opened = c.findings, time.Now()
	return c.findings, nil
}

// Intact reports whether Claim found nothing out of order, or found it more than 24 hours ago.
func (d *Dir) Intact() bool { return len(d.findings) == 0 || time.Since(d.opened) > findingsShownFor }

// lockIdentity excludes other roles on the same folder while the identity is read and written.
func (d *Dir) lockIdentity() (unlock func(), err error) {
	f, err := os.OpenFile(d.Path(identityFile+"."+lockFile), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("can't write to the data folder (choose another with --data-dir): %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
		return nil, errors.Join(fmt.Errorf("can't lock the data folder: %w", err), f.Close())
	}
	return func() { _ = f.Close() }, nil
}

// claim is a call of Claim.
type claim struct {
	dir      *Dir
	parts    []string
	own      identity // of the folder
	changed  bool
	found    map[string]identity // by part
	findings []string
}

func (c *claim) note(format string, args ...any) {
	c.findings = append(c.findings, fmt.Sprintf(format, args...))
}

func (c *claim) read() error {
	var err error
	if c.own, err = readIdentity(c.dir.path); errors.Is(err, errDamagedIdentity) {
		path := c.dir.Path(identityFile)
		c.note("the identity of the data folder is damaged and replaced; kept as %s.bad", path)
		_ = os.Rename(path, path+".bad") // otherwise it is overwritten
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, part := range c.parts {
		i, err := readIdentity(c.dir.Path(part))
		switch {
		case err == nil:
			c.found[part] = i
		case !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, errDamagedIdentity):
			return err
		}
	}
	return nil
}

// choose determines the folder's identity: its own, unless it has none or at least two parts agree on another.
func (c *claim) choose() {
	common := ""
	for _, i := range c.found {
		if common == "" {
			common = i.ID
		}
		if i.ID != common {
			common = ""
			break
		}
	}
	switch {
	case c.own.ID == "" && common != "":
		c.note("the data folder had no identity and gets that of its parts")
		c.own.ID = common
	case c.own.ID == "":
		c.own.ID = newID()
	case common != "" && common != c.own.ID && len(c.found) > 1:
		c.note("the identity of the data folder differs from that of its parts and is replaced")
		c.own.ID = common
	default:
		return
	}
	c.own.Version, c.changed = version, true
}

// claim gives one part the folder's identity.
func (c *claim) claim(part string) {
	path := c.dir.Path(part)
	known := slices.Contains(c.own.Parts, part)
	exists := !isEmpty(path)
	i, identified := c.found[part]
	if identified && i.ID == c.own.ID {
		c.remember(part)
		return
	}
	switch {
	case identified:
		aside, err := setAside(path)
		if err != nil {
			c.note("%s belongs to another data folder and can't be set aside: %v", path, err)
			return
		}
		c.note("%s belongs to another data folder and is set aside as %s", path, aside)
	case exists && known:
		c.note("%s has no identity or a damaged one; it is taken as a part of this data folder", path)
	case known:
		c.note("%s is missing or empty; it was removed, or its volume is not mounted", path)
	}
	if err := c.identify(path); err != nil {
		c.note("%s can't get the identity of the data folder: %v", path, err)
		return
	}
	c.remember(part)
}

func (c *claim) identify(path string) error {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return err
	}
	copied := identity{Version: version, ID: c.own.ID}
	return copied.write(path)
}

func (c *claim) remember(part string) {
	if !slices.Contains(c.own.Parts, part) {
		c.own.Parts, c.changed = append(c.own.Parts, part), true
	}
}

func (c *claim) save() error {
	if !c.changed {
		return nil
	}
	return c.own.write(c.dir.path)
}

// isEmpty reports whether a folder is missing or has no files.
func isEmpty(path string) bool {
	entries, err := os.ReadDir(path)
	return errors.Is(err, fs.ErrNotExist) || err == nil && len(entries) == 0
}

// setAside renames a folder to a free name beside it.
func setAside(path string) (string, error) {
	for n := 1; ; n++ {
		aside := fmt.Sprintf("%s.foreign-%d", path, n)
		if _, err := os.Lstat(aside); !errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err := os.Rename(path, aside); err != nil {
			return "", err
		}
		return aside, durable.SyncDir(filepath.Dir(path))
	}
}
