// Package datadir manages the data folder, in which the roles keep their state: its locks, the operator's token, the
// addresses of the running roles, the mark of simulated data, and the version and identity of the folder.
package datadir

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"nhip/internal/damage"
	"nhip/internal/durable"

	"golang.org/x/sys/unix"
)

// Names of files in the folder.
const (
	lockFile      = "lock"
	tokenFile     = "operator.token"
	addressFile   = "run-%s.json" // one for each role
	simulatedFile = "simulated"
)

// Role is the user of a data folder.
type Role string

// Roles. All stands for all roles in one process, which needs the folder for itself. One process of each other role may
// use the folder at the same time.
const (
	All       Role = "up"
	Gateway   Role = "gateway"
	Collector Role = "collector"
	API       Role = "api"
	Database  Role = "influx"
)

// Default is the data folder of every command without --data-dir.
const Default = "./nhip-data"

// Dir is an open data folder. No other process can open the folder for the same role until the Dir is closed or the
// process ends.
type Dir struct {
	path  string
	role  Role
	locks []*os.File

	findings []string // see Claim
	opened   time.Time
}

// Open creates the folder if it does not exist and locks it for a role. It refuses a folder that a newer program wrote.
func Open(path string, role Role) (*Dir, error) { return OpenDamaged(path, role, nil) }

// OpenDamaged is Open that reports damaged files, which it sets aside.
func OpenDamaged(path string, role Role, damaged *damage.Log) (*Dir, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("can't create the data folder (choose another with --data-dir): %w", err)
	}
	d := &Dir{path: path, role: role}
	damaged.Folder(path)
	if err := d.lockRole(); err != nil {
		return nil, errors.Join(err, d.unlock())
	}
	if err := d.checkVersion(); err != nil {
		return nil, errors.Join(err, d.unlock())
	}
	_ = d.removeStaleAddresses() // a folder that can't be written: Announce replaces what it can
	return d, nil
}

// lockRole locks the whole folder for All. For another role it takes a shared lock of the folder and the role's own
// lock.
func (d *Dir) lockRole() error {
	if d.role == All {
		return d.lock(lockFile, unix.LOCK_EX)
	}
	if err := d.lock(lockFile, unix.LOCK_SH); err != nil {
		return err
	}
	return d.lock(string(d.role)+"."+lockFile, unix.LOCK_EX)
}

func (d *Dir) lock(name string, mode int) error {
	f, err := d.openLock(name)
	if err != nil {
		return fmt.Errorf("can't write to the data folder (choose another with --data-dir): %w", err)
	}
	d.locks = append(d.locks, f)
	if err := unix.Flock(int(f.Fd()), mode|unix.LOCK_NB); err != nil {
		return fmt.Errorf("another nhip runs on the data folder %s; stop it or choose another with --data-dir", d.path)
	}
	return nil
}

// openLock opens a lock file. On a disk that is full or read-only a lock file that is missing can't be created; then it
// opens the folder itself, so that a role can start and wait for the disk.
func (d *Dir) openLock(name string) (*os.File, error) {
	f, err := os.OpenFile(d.Path(name), os.O_CREATE|os.O_RDWR, 0o600)
	if errors.Is(err, unix.EROFS) || errors.Is(err, unix.EACCES) {
		if f, readErr := os.Open(d.Path(name)); readErr == nil {
			return f, nil // a lock needs no right to write
		}
	}
	if errors.Is(err, unix.EROFS) || errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) {
		return os.Open(d.path)
	}
	return f, err
}

func (d *Dir) unlock() error {
	var errs []error
	for _, f := range d.locks {
		errs = append(errs, f.Close())
	}
	return errors.Join(errs...)
}

// removeStaleAddresses removes the addresses of roles that can't be running, according to the lock: those of every role
// for All, otherwise those of the own role and of All.
func (d *Dir) removeStaleAddresses() error {
	stale := []Role{All, d.role}
	if d.role == All {
		stale = roles()
	}
	var errs []error
	for _, r := range stale {
		errs = append(errs, d.removeAddresses(r))
	}
	return errors.Join(errs...)
}

func (d *Dir) removeAddresses(r Role) error {
	if err := os.Remove(d.Path(fmt.Sprintf(addressFile, r))); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func roles() []Role { return []Role{All, Gateway, Collector, API, Database} }

// Close removes the announced addresses and unlocks the folder.
func (d *Dir) Close() error { return errors.Join(d.removeAddresses(d.role), d.unlock()) }

// Path returns the path of a file in the folder.
func (d *Dir) Path(name ...string) string {
	return filepath.Join(append([]string{d.path}, name...)...)
}

// Simulate marks an empty folder as simulated, or accepts a marked one. It refuses a folder with real facts: real and
// simulated facts never share a folder.
func (d *Dir) Simulate() error {
	if d.isSimulated() {
		return nil
	}
	if d.hasFacts() {
		return fmt.Errorf("the data folder %s holds real facts; choose another for the simulation with --data-dir", d.path)
	}
	return durable.WriteFile(d.Path(simulatedFile), []byte("This folder holds simulated facts only.\n"))
}

// Real refuses a folder that holds simulated facts.
func (d *Dir) Real() error {
	if d.isSimulated() {
		return fmt.Errorf(
			"the data folder %s holds simulated facts; start it with --simulate or choose another with --data-dir", d.path)
	}
	return nil
}

func (d *Dir) isSimulated() bool {
	_, err := os.Stat(d.Path(simulatedFile))
	return err == nil
}

// hasFacts reports whether a collector has used the folder.
func (d *Dir) hasFacts() bool {
	_, err := os.Stat(d.Path("collector"))
	return err == nil
}

// maxToken bounds the length of the operator's token.
const maxToken = 1024

// errBadToken means that a file can't hold a token: a client sends it in a header and in an MQTT packet.
var errBadToken = errors.New("must hold one word of printable ASCII characters")

// Token returns the operator's token. At the first start, and if the file is damaged, it creates the token with fresh.
// A damaged file is set aside. The error means that the token, which is valid, is not on disk: see SaveToken.
func (d *Dir) Token(fresh func() string, damaged *damage.Log) (string, error) {
	token, err := ReadToken(d.path)
	if err == nil {
		return token, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		damaged.SetAside(d.Path(tokenFile), err)
	}
	token = fresh()
	return token, d.SaveToken(token)
}

// SaveToken writes the operator's token.
func (d *Dir) SaveToken(token string) error {
	return durable.WriteFile(d.Path(tokenFile), []byte(token+"\n"))
}

// ReadToken reads the operator's token of the folder at path. The error is fs.ErrNotExist if the folder has not been
// used yet.
func ReadToken(path string) (string, error) {
	name := filepath.Join(path, tokenFile)
	raw, err := os.ReadFile(name)
	if err != nil {
		return "", fmt.Errorf("can't read the operator's token: %w", err)
	}
	token := strings.TrimSpace(string(raw))
	switch {
	case token == "":
		return "", fmt.Errorf("the operator's token in %s is empty; restart nhip, which makes a new one", name)
	case len(token) > maxToken || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }):
		return "", fmt.Errorf("the operator's token in %s is damaged: %w; restart nhip, which makes a new one",
			name, errBadToken)
	}
	return token, nil
}

// Addresses are the addresses of running roles. An address that a role does not have is empty.
type Addresses struct {
	HTTP   string `json:"http,omitempty"`
	MQTT   string `json:"mqtt,omitempty"`
	Influx string `json:"influx,omitempty"`
}

// Announce writes the role's addresses to the folder for local tools.
func (d *Dir) Announce(a Addresses) error {
	raw, err := json.Marshal(a)
	if err != nil {
		return fmt.Errorf("can't encode the addresses: %w", err)
	}
	return durable.WriteFile(d.Path(fmt.Sprintf(addressFile, d.role)), append(raw, '\n'))
}

// ReadAddresses returns the addresses of all roles that run on the folder at path. The error is fs.ErrNotExist if none
// runs. The file of a role that can't be read counts only if there is no other.
func ReadAddresses(path string) (Addresses, error) {
	var all Addresses
	var faults []error
	found := false
	for _, r := range roles() {
		name := filepath.Join(path, fmt.Sprintf(addressFile, r))
		raw, err := os.ReadFile(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		one := all
		if err == nil {
			err = json.Unmarshal(raw, &one) // keeps the addresses that are not in raw
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("can't read the addresses of nhip: %s: %w", name, err))
			continue
		}
		all, found = one, true
	}
	switch {
	case found:
		return all, nil
	case len(faults) > 0:
		return all, errors.Join(faults...)
	}
	return all, fmt.Errorf("no nhip runs on %s: %w", path, fs.ErrNotExist)
}
