package influx

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"nhip"
	"nhip/internal/durable"
)

// adminUser is the one account of the embedded InfluxDB.
const adminUser = "nhip"

// adminTimeout is long for a server that has just said it is ready.
const adminTimeout = 10 * time.Second

// passwordBytes of randomness: as much as a key.
const passwordBytes = 32

var tokenForm = regexp.MustCompile(`^` + adminUser + `:[0-9a-f]{64}$`)

// loadToken reads the token, "user:password", and makes one at the first start. The file comes
// before the account: a crash between the two leaves a password that the next start still gives
// to InfluxDB, never an account whose password nobody knows.
func loadToken(path string) (string, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return makeToken(path)
	}
	if err != nil {
		return "", fmt.Errorf("can't read the embedded InfluxDB's password: %w", err)
	}
	token := strings.TrimSpace(string(raw))
	if !tokenForm.MatchString(token) {
		return "", fmt.Errorf("%s does not hold the embedded InfluxDB's password as nhip wrote it; restore it from a backup", path)
	}
	return token, nil
}

func makeToken(path string) (string, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", fmt.Errorf("can't keep the embedded InfluxDB's password: %w", err)
	}
	password := make([]byte, passwordBytes)
	_, _ = rand.Read(password) // never fails
	token := adminUser + ":" + hex.EncodeToString(password)
	if err := durable.WriteFile(path, []byte(token+"\n")); err != nil {
		return "", fmt.Errorf("can't keep the embedded InfluxDB's password: %w", err)
	}
	return token, nil
}

// createAdmin makes sure that the token opens the InfluxDB at url. InfluxDB lets whoever comes first
// create the first administrator; creating the same with the same password again changes nothing.
func createAdmin(ctx context.Context, url, token, path string) error {
	ctx, cancel := context.WithTimeout(ctx, adminTimeout)
	defer cancel()
	_, password, _ := strings.Cut(token, ":")
	ql := influxQL{client: http.DefaultClient, url: url, token: token}
	_, err := ql.query(ctx, fmt.Sprintf(`CREATE USER %q WITH PASSWORD '%s' WITH ALL PRIVILEGES`, adminUser, password))
	var refused *statusError
	if errors.As(err, &refused) && refused.status == http.StatusUnauthorized {
		return nhip.Errorf(nhip.Invalid, "", "the password in %s does not open the embedded InfluxDB; restore the file that belongs to its data", path)
	}
	if err != nil {
		return fmt.Errorf("can't create the embedded InfluxDB's account: %w", err)
	}
	return nil
}
