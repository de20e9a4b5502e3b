// Package running finds what runs on a data folder of this machine (the broker, the API, the database) and connects
// tools to it as the operator. Its errors say how to start what is missing, or which flag of the tools names another.
package running

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"nhip/client"
	"nhip/internal/datadir"
)

// API returns a client of the API at a URL or, without one, of the nhip that runs on the data folder, with the
// operator's token of that folder.
func API(at, dataDir string) (*client.Client, error) {
	if at == "" {
		running, err := datadir.ReadAddresses(dataDir)
		if errors.Is(err, fs.ErrNotExist) || err == nil && running.HTTP == "" {
			return nil, fmt.Errorf("no nhip with an api runs on %s; start one with `nhip up`, or name an api with --url "+
				"or another folder with --data-dir", dataDir)
		}
		if err != nil {
			return nil, err
		}
		at = running.HTTP
	}
	token, err := datadir.ReadToken(dataDir)
	if err != nil {
		return nil, err
	}
	c, err := client.New(at, token)
	if err != nil {
		return nil, fmt.Errorf("--url: %w", err)
	}
	return c, nil
}

// Database returns the address and the token of the embedded InfluxDB that runs on a data folder.
func Database(dir string) (url, token string, err error) {
	running, err := datadir.ReadAddresses(dir)
	if errors.Is(err, fs.ErrNotExist) || err == nil && running.Influx == "" {
		return "", "", fmt.Errorf("no database runs on %s; start one with `nhip influx serve` or `nhip up`, or name one "+
			"with --url", dir)
	}
	if err != nil {
		return "", "", err
	}
	token, err = readSecret(filepath.Join(dir, "influx.auth"))
	return running.Influx, token, err
}

// readSecret reads a file that contains a token.
func readSecret(path string) (string, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("can't read the token: %w", err)
	}
	return strings.TrimSpace(string(raw)), nil
}
