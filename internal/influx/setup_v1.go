package influx

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"net/http"
	"strings"
	"time"
)

// setUp makes the database and two users in InfluxDB 1.8. A user's token is "user:password".
func (d *v1) setUp(ctx context.Context, o *SetupOptions, r *SetupResult) error {
	if err := d.ensureAdmin(ctx, o, r); err != nil {
		return err
	}
	created, err := d.ensureBucket(ctx)
	if err != nil {
		return err
	}
	if created {
		r.stepf("database %s created", d.database)
	}
	if err := d.setKeep(ctx, o, r); err != nil {
		return err
	}
	users, err := d.ql.query(ctx, "SHOW USERS")
	if err != nil {
		return err
	}
	known := make(map[string]bool, len(users))
	for _, u := range users {
		known[u] = true
	}
	// DELETE needs the right to write; the marker, the recomputation and the reviews of a start need the right to read.
	r.Collector, err = d.ensureUser(ctx, known, userName(d.database, "collector"), "ALL", o.Renew, r)
	if err != nil {
		return err
	}
	r.API, err = d.ensureUser(ctx, known, userName(d.database, "api"), "READ", o.Renew, r)
	return err
}

// ensureAdmin makes the first administrator of a new InfluxDB, and notices an InfluxDB that asks for no password.
func (d *v1) ensureAdmin(ctx context.Context, o *SetupOptions, r *SetupResult) error {
	_, err := d.ql.query(ctx, "SHOW USERS")
	if isStatus(err, http.StatusForbidden) && strings.Contains(err.Error(), "create admin user") {
		if err := CreateAdmin(ctx, o.URL, o.Token); err != nil {
			return errors.Join(errNoAdmin, err)
		}
		r.stepf("administrator %s created", userOf(o.Token))
		_, err = d.ql.query(ctx, "SHOW USERS")
	}
	if err != nil {
		return err
	}
	stranger := d.ql
	stranger.token = "stranger:" + accountSecret()
	if _, err := stranger.query(ctx, "SHOW DATABASES"); err == nil {
		r.Warnings = append(r.Warnings, "this InfluxDB asks for no password, so that every client may read, write and "+
			"delete: set auth-enabled = true in the section [http] of its configuration")
	}
	return nil
}

func (d *v1) setKeep(ctx context.Context, o *SetupOptions, r *SetupResult) error {
	keep, ok := o.Keep.Get()
	if !ok {
		return nil
	}
	now, err := d.expiry(ctx)
	if err != nil || now == keep {
		return err
	}
	duration := "INF"
	if keep > 0 {
		duration = fmt.Sprintf("%ds", int64(keep/time.Second))
	}
	r.stepf("database %s keeps rows %s", d.database, keepText(keep))
	return d.ql.exec(ctx, d.database, fmt.Sprintf("ALTER RETENTION POLICY %s ON %s DURATION %s",
		quoteInfluxQL(autogen), quoteInfluxQL(d.database), duration))
}

// ensureUser makes a user with a right on the database. The token is empty if the user exists and is not renewed.
func (d *v1) ensureUser(
	ctx context.Context, known map[string]bool, user, right string, renew bool, r *SetupResult,
) (token string, err error) {
	secret, what := accountSecret(), "created"
	var statement string
	switch {
	case !known[user]:
		statement = fmt.Sprintf("CREATE USER %s WITH PASSWORD '%s'", quoteInfluxQL(user), secret)
	case renew:
		what = "has a new password"
		statement = fmt.Sprintf("SET PASSWORD FOR %s = '%s'", quoteInfluxQL(user), secret)
	}
	if statement != "" {
		if err := d.ql.exec(ctx, "", statement); err != nil {
			return "", err
		}
		r.stepf("user %s %s", user, what)
		token = user + ":" + secret
	}
	// Also for a user that exists: an earlier run may have ended here.
	return token, d.ql.exec(ctx, "", fmt.Sprintf("GRANT %s ON %s TO %s", right, quoteInfluxQL(d.database),
		quoteInfluxQL(user)))
}

// userName returns the name of a role's user. A token is "user:password" in a header of words, so a name with other
// characters than those of plain names gets a number in place of them.
func userName(database, role string) string {
	plain := strings.Map(func(r rune) rune {
		if r == '-' || r == '_' || r == '.' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' {
			return r
		}
		return -1
	}, database)
	if plain != database {
		plain = fmt.Sprintf("%s-%08x", plain, crc32.ChecksumIEEE([]byte(database)))
	}
	return plain + "-" + role
}

func userOf(token string) string {
	user, _, _ := strings.Cut(token, ":")
	return user
}

// keepText says how long rows are kept.
func keepText(keep time.Duration) string {
	if keep == 0 {
		return "for ever"
	}
	return "for " + keep.String()
}
