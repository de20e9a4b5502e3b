package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/influxdata/influxdb/services/meta"
)

// resetAccount gives the administrator in a file ("user:password") the password of the file. Whoever can read and write
// the data folder needs no other right.
func resetAccount(accounts *meta.Client, path string) error {
	if path == "" {
		return nil
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	user, password, ok := strings.Cut(strings.TrimSpace(string(raw)), ":")
	if !ok || user == "" || password == "" {
		return fmt.Errorf("%s does not contain user:password", path)
	}
	err = accounts.UpdateUser(user, password)
	if errors.Is(err, meta.ErrUserNotFound) {
		_, err = accounts.CreateUser(user, password, true)
		return err
	}
	if err == nil {
		err = accounts.SetAdminPrivilege(user, true)
	}
	return err
}
