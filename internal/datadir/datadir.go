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
	addressFile   = "run.json"
	simulatedFile = "simulated"
)

// Default is the folder that every command uses where none is named.
const Default = "./nhip-data"

// Dir is an open data folder. No other process can open it until it is closed or this one dies.
type Dir struct {
	path string
	lock *os.File
}

// Open makes the folder if need be, checks that it can be written to, and takes it.
func Open(path string) (*Dir, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("can't make the data folder (choose another with --data-dir): %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(path, lockFile), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("can't write to the data folder (choose another with --data-dir): %w", err)
	}
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return nil, errors.Join(
			fmt.Errorf("another nhip runs on the data folder %s; stop it or choose another with --data-dir", path),
			lock.Close())
	}
	return &Dir{path: path, lock: lock}, nil
}

// Close gives the folder back and removes the addresses that were announced.
func (d *Dir) Close() error {
	err := os.Remove(d.Path(addressFile))
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return errors.Join(err, d.lock.Close())
}

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

// Addresses say where a running Nhịp is reached.
type Addresses struct {
	HTTP   string `json:"http"`
	MQTT   string `json:"mqtt"`
	Influx string `json:"influx"`
}

// Announce leaves the addresses for local tools.
func (d *Dir) Announce(a Addresses) error {
	raw, err := json.Marshal(a)
	if err != nil {
		return fmt.Errorf("can't encode the addresses: %w", err)
	}
	return durable.WriteFile(d.Path(addressFile), append(raw, '\n'))
}

// ReadAddresses reads where the Nhịp on the folder at path is reached. The error is fs.ErrNotExist
// where none runs.
func ReadAddresses(path string) (a Addresses, err error) {
	raw, err := os.ReadFile(filepath.Join(path, addressFile))
	if err != nil {
		return a, fmt.Errorf("can't read where nhip runs: %w", err)
	}
	if err := json.Unmarshal(raw, &a); err != nil {
		return a, fmt.Errorf("can't read where nhip runs: %s: %w", filepath.Join(path, addressFile), err)
	}
	return a, nil
}
