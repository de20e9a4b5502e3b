package influxd

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"nhip"
	"nhip/internal/damage"
	"nhip/internal/durable"
	"nhip/internal/influx"
)

// adminUser is the only account of the embedded InfluxDB.
const adminUser = "nhip"

// adminTimeout bounds the creation of the account. It is generous, because the server has just reported that it is
// ready.
const adminTimeout = 10 * time.Second

// passwordBytes is the length of the random password: 256 bits, as much as a key.
const passwordBytes = 32

var (
	tokenPattern = regexp.MustCompile(`^` + adminUser + `:[0-9a-f]{64}$`)

	errNoPassword = errors.New("does not contain a password of the embedded InfluxDB")
)

// account is the account with which the platform logs in to its database. Whoever has the data folder has the
// database, too: a password file that is lost or damaged is made anew, and the account gets its password.
type account struct {
	path  string // of the password file
	token string // user:password
	saved bool   // the file has the token
	reset bool   // the next process sets the account's password
	log   *slog.Logger
}

// loadAccount reads the password file. If there is none that can be used, it makes up a password.
func loadAccount(path string, damaged *damage.Log, log *slog.Logger) account {
	raw, err := os.ReadFile(path)
	token := strings.TrimSpace(string(raw))
	if err == nil && tokenPattern.MatchString(token) {
		return account{path: path, token: token, saved: true, log: log}
	}
	if err == nil {
		err = errNoPassword
	}
	if !errors.Is(err, fs.ErrNotExist) {
		damaged.SetAside(path, err)
	}
	password := make([]byte, passwordBytes)
	_, _ = rand.Read(password) // never fails
	return account{path: path, token: adminUser + ":" + hex.EncodeToString(password), log: log}
}

// save writes the password file, unless it is written. It precedes the creation of the account: after a crash between
// the two, the next start creates the account with the same password.
func (a *account) save() error {
	if a.saved {
		return nil
	}
	err := os.MkdirAll(filepath.Dir(a.path), 0o700)
	if err == nil {
		err = durable.WriteFile(a.path, []byte(a.token+"\n"))
	}
	if err != nil {
		return fmt.Errorf("can't save the embedded InfluxDB's password: %w", err)
	}
	a.saved = true
	return nil
}

// args returns the arguments of the program that make it set the account's password, if that is needed.
func (a *account) args() []string {
	if !a.reset {
		return nil
	}
	return []string{"--reset-account", a.path}
}

// ensure creates the account unless it exists, and checks its password. If the account has another password, ensure
// returns an error and the next process sets it.
func (a *account) ensure(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, adminTimeout)
	defer cancel()
	err := influx.CreateAdmin(ctx, url, a.token)
	switch {
	case err == nil:
		if a.reset {
			a.log.Warn("the account of the embedded InfluxDB has a new password", "file", a.path)
		}
		a.reset = false
		return nil
	case nhip.ErrorCode(err) == nhip.CodeUnauthorized:
		a.reset = true
		return nhip.Errorf(nhip.CodeInvalid, "",
			"the password in %s does not match the embedded InfluxDB's data; the account gets this password", a.path)
	}
	return fmt.Errorf("can't create the embedded InfluxDB's account: %w", err)
}
