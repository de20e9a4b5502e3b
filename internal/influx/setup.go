package influx

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"nhip"
)

// SetupOptions say what Setup makes in an InfluxDB.
type SetupOptions struct {
	Options // Token is an administrator's

	Keep  nhip.Opt[time.Duration] // how long the bucket keeps rows, 0 for ever; none: a bucket that exists stays as it is
	Renew bool                    // makes new tokens in place of those that exist
}

// SetupResult is what Setup has made.
type SetupResult struct {
	Version string
	Steps   []string // what was made or changed, as lines of text

	// Collector and API are the tokens of the roles. A token that existed before is empty: InfluxDB keeps no copy that
	// could be shown again.
	Collector, API string

	Warnings []string // what an operator should know
}

// stepf adds a step.
func (r *SetupResult) stepf(format string, args ...any) {
	r.Steps = append(r.Steps, fmt.Sprintf(format, args...))
}

// setUp is a dialect that can make the bucket and the tokens of the roles.
type setUp interface {
	setUp(ctx context.Context, o *SetupOptions, r *SetupResult) error
}

// Setup makes what the roles need in an InfluxDB: the bucket, its retention, its mapping for InfluxQL, and a token with
// the least rights for the collector and for the api. It changes nothing that is there already. An InfluxDB that has no
// administrator yet gets one, with the given token. Errors are those of Open.
func Setup(ctx context.Context, o SetupOptions) (*SetupResult, error) {
	if o.Token == "" {
		return nil, nhip.Errorf(nhip.CodeInvalid, "Token", "is required: an administrator's")
	}
	if keep, ok := o.Keep.Get(); ok && keep != 0 && keep < minKeep {
		return nil, nhip.Errorf(nhip.CodeInvalid, "Keep", "must be at least %s, or 0 for ever, got %s",
			nhip.FormatDuration(minKeep), nhip.FormatDuration(keep))
	}
	db, err := connect(ctx, o.Options)
	if err != nil {
		return nil, err
	}
	defer db.client.Close()
	o.Options = db.opts // with defaults
	result := &SetupResult{}
	if result.Version, err = db.version(ctx); err != nil {
		return nil, err
	}
	maker, ok := db.dialect.(setUp)
	if !ok {
		return nil, errNoSetup(result.Version)
	}
	if err := maker.setUp(ctx, &o, result); err != nil {
		return result, db.explain(err)
	}
	return result, nil
}

// minKeep is the shortest retention that InfluxDB accepts.
const minKeep = time.Hour

func errNoSetup(version string) error {
	return nhip.Errorf(nhip.CodeInvalid, "",
		"InfluxDB %s has no tokens with fewer rights than an administrator's: create "+
			"the database and a token with its own tools", version)
}

// accountSecret returns a random secret of 256 bits.
func accountSecret() string {
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails
	return hex.EncodeToString(secret)
}

// isStatus reports whether err is a response with a status.
func isStatus(err error, want int) bool {
	status, _ := statusOf(err)
	return err != nil && status == want
}

var errNoAdmin = errors.New("InfluxDB has no administrator")
