// Package datadir is the folder that a running Nhịp keeps its state in: who may use it at a time,
// the operator's token, where it can be reached, and whether what it holds is simulated.
package datadir

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"nhip/internal/durable"

	"golang.org/x/sys/unix"
)

// Names in the folder.
const (
	lockFile      = "lock"
	tokenFile     = "operator.token"
	addressFile   = "run-%s.json" // one for each role
	simulatedFile = "simulated"
)

// Role is who uses a folder.
type Role string

// The roles. All is every role in one process; it shares its folder with nobody, while the others
// may stand side by side, one of each.
const (
	All       Role = "up"
	Gateway   Role = "gateway"
	Collector Role = "collector"
	API       Role = "api"
)

// Default is the folder that every command uses where none is named.
const Default = "./nhip-data"

// Dir is an open data folder. No other process can open it for the same role until it is closed or
// this one dies.
type Dir struct {
	path  string
	role  Role
	locks []*os.File
}

// Open makes the folder if need be, checks that it can be written to, and takes it for a role.
func Open(path string, role Role) (*Dir, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("can't make the data folder (choose another with --data-dir): %w", err)
	}
	d := &Dir{path: path, role: role}
	if err := d.take(); err != nil {
		return nil, errors.Join(err, d.release())
	}
	return d, d.forgetDead()
}

// take locks the folder: whole for all roles at once, else shared, and the role's own lock.
func (d *Dir) take() error {
	if d.role == All {
		return d.lock(lockFile, unix.LOCK_EX)
	}
	if err := d.lock(lockFile, unix.LOCK_SH); err != nil {
		return err
	}
	return d.lock(string(d.role)+"."+lockFile, unix.LOCK_EX)
}

func (d *Dir) lock(name string, how int) error {
	f, err := os.OpenFile(d.Path(name), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("can't write to the data folder (choose another with --data-dir): %w", err)
	}
	d.locks = append(d.locks, f)
	if err := unix.Flock(int(f.Fd()), how|unix.LOCK_NB); err != nil {
		return fmt.Errorf("another nhip runs on the data folder %s; stop it or choose another with --data-dir", d.path)
	}
	return nil
}

func (d *Dir) release() error {
	var errs []error
	for _, f := range d.locks {
		errs = append(errs, f.Close())
	}
	return errors.Join(errs...)
}

// forgetDead removes the addresses of those who can't be running any more: of everybody where the
// folder is ours alone, else our own and those of all roles in one process.
func (d *Dir) forgetDead() error {
	dead := []Role{All, d.role}
	if d.role == All {
		dead = roles()
	}
	var errs []error
	for _, r := range dead {
		errs = append(errs, d.forget(r))
	}
	return errors.Join(errs...)
}

func (d *Dir) forget(r Role) error {
	if err := os.Remove(d.Path(fmt.Sprintf(addressFile, r))); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func roles() []Role { return []Role{All, Gateway, Collector, API} }

// Close gives the folder back and removes the addresses that were announced.
func (d *Dir) Close() error { return errors.Join(d.forget(d.role), d.release()) }

// Path returns the path of something in the folder.
func (d *Dir) Path(name ...string) string {
	return filepath.Join(append([]string{d.path}, name...)...)
}

// Simulate marks an empty folder as one of a simulation, or accepts one that is marked. Real and
// simulated facts never share a folder.
func (d *Dir) Simulate() error {
	if d.isSimulated() {
		return nil
	}
	if d.used() {
		return fmt.Errorf("the data folder %s holds real facts; simulate in another one (--data-dir)", d.path)
	}
	return durable.WriteFile(d.Path(simulatedFile), []byte("This folder holds simulated facts only.\n"))
}

// Real refuses a folder that holds simulated facts.
func (d *Dir) Real() error {
	if d.isSimulated() {
		return fmt.Errorf("the data folder %s holds simulated facts; start it with --simulate or choose another with --data-dir", d.path)
	}
	return nil
}

func (d *Dir) isSimulated() bool {
	_, err := os.Stat(d.Path(simulatedFile))
	return err == nil
}

// used reports whether facts were taken in.
func (d *Dir) used() bool {
	_, err := os.Stat(d.Path("collector"))
	return err == nil
}

// Token returns the operator's token, and makes one at the first start.
func (d *Dir) Token(fresh func() string) (string, error) {
	token, err := ReadToken(d.path)
	if !errors.Is(err, fs.ErrNotExist) {
		return token, err
	}
	token = fresh()
	return token, durable.WriteFile(d.Path(tokenFile), []byte(token+"\n"))
}

// ReadToken reads the operator's token of the folder at path. The error is fs.ErrNotExist where no
// Nhịp has run yet.
func ReadToken(path string) (string, error) {
	raw, err := os.ReadFile(filepath.Join(path, tokenFile))
	if err != nil {
		return "", fmt.Errorf("can't read the operator's token: %w", err)
	}
	token := strings.TrimSpace(string(raw))
	if token == "" {
		return "", fmt.Errorf("the operator's token in %s is empty; remove the file and start again", path)
	}
	return token, nil
}

// Addresses say where a running Nhịp is reached; what a role does not have is empty.
type Addresses struct {
	HTTP   string `json:"http,omitempty"`
	MQTT   string `json:"mqtt,omitempty"`
	Influx string `json:"influx,omitempty"`
}

// Announce leaves the role's addresses for local tools.
func (d *Dir) Announce(a Addresses) error {
	raw, err := json.Marshal(a)
	if err != nil {
		return fmt.Errorf("can't encode the addresses: %w", err)
	}
	return durable.WriteFile(d.Path(fmt.Sprintf(addressFile, d.role)), append(raw, '\n'))
}

// ReadAddresses reads where the roles on the folder at path are reached. The error is fs.ErrNotExist
// where none runs.
func ReadAddresses(path string) (Addresses, error) {
	var all Addresses
	found := false
	for _, r := range roles() {
		name := filepath.Join(path, fmt.Sprintf(addressFile, r))
		raw, err := os.ReadFile(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return all, fmt.Errorf("can't read where nhip runs: %w", err)
		}
		if err := json.Unmarshal(raw, &all); err != nil { // sets what the role has, and leaves the others
			return all, fmt.Errorf("can't read where nhip runs: %s: %w", name, err)
		}
		found = true
	}
	if !found {
		return all, fmt.Errorf("no nhip runs on %s: %w", path, fs.ErrNotExist)
	}
	return all, nil
}
