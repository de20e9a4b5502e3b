package influx

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"nhip"
)

// CreateAdmin creates the administrator that token, "user:password", names, in the InfluxDB 1.8 at url. InfluxDB lets
// the first client that asks create the first administrator; creating the same one with the same password again changes
// nothing. The error is an *nhip.Error with the code Unauthorized when the account has another password.
func CreateAdmin(ctx context.Context, url, token string) error {
	user, password, _ := strings.Cut(token, ":")
	ql := influxQL{client: newHTTPClient(), url: url, token: token}
	_, err := ql.query(ctx, fmt.Sprintf(`CREATE USER %q WITH PASSWORD '%s' WITH ALL PRIVILEGES`, user, password))
	var statusErr *statusError
	if errors.As(err, &statusErr) && statusErr.status == http.StatusUnauthorized {
		return nhip.Errorf(nhip.CodeUnauthorized, "", "InfluxDB at %s rejects the token", url)
	}
	return err
}
