package influx

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"nhip"
)

// dialect is what differs between the versions of InfluxDB beyond their address. Writing and Flux
// are the same.
type dialect interface {
	// bucket returns the name under which rows are written and read.
	bucket() string
	// ensureBucket creates the bucket, keeping for ever, unless it is there.
	ensureBucket(ctx context.Context) (created bool, err error)
	// delete removes a measurement's rows up to a time, inclusive.
	delete(ctx context.Context, measurement string, until time.Time) error
}

// newDialect picks the dialect for a version as /ping says it.
func newDialect(db *DB, version string) (dialect, error) {
	major, minor := parseVersion(version)
	switch {
	case major == 2 && db.opts.Org == "":
		return nil, nhip.Errorf(nhip.Invalid, "Org", "is required by the InfluxDB %s at %s", version, db.opts.URL)
	case major == 2:
		return &v2{db.client.HTTPService(), db.opts.Org, db.opts.Bucket, db.opts.URL}, nil
	case major == 1 && minor >= 8:
		return &v1{influxQL{db.http, db.opts.URL, db.opts.Token}, db.opts.Bucket}, nil
	case major == 0 || major == 1:
		return nil, nhip.Errorf(nhip.Invalid, "", "the InfluxDB at %s is too old (%s): 1.8 or 2.x is needed", db.opts.URL, version)
	}
	return nil, nhip.Errorf(nhip.Invalid, "", "the InfluxDB at %s has a version that nhip does not know (%s): 1.8 or 2.x is needed", db.opts.URL, version)
}

// parseVersion reads "1.8.10" and "v2.7.11". What is no version has the major number -1.
func parseVersion(version string) (major, minor int) {
	parts := strings.SplitN(strings.TrimPrefix(version, "v"), ".", 3)
	major, err := strconv.Atoi(parts[0])
	if err != nil || len(parts) < 2 {
		return -1, 0
	}
	minor, err = strconv.Atoi(parts[1])
	if err != nil {
		return -1, 0
	}
	return major, minor
}

// v1 is InfluxDB 1.8, with databases and retention policies. A new database has one policy,
// autogen, which keeps for ever.
type v1 struct {
	ql       influxQL
	database string
}

func (d *v1) bucket() string { return d.database + "/autogen" }

func (d *v1) ensureBucket(ctx context.Context) (bool, error) {
	// Asked first, because only an administrator may create one and any reader may look.
	names, err := d.ql.query(ctx, "SHOW DATABASES")
	if err != nil || slices.Contains(names, d.database) {
		return false, err
	}
	_, err = d.ql.query(ctx, "CREATE DATABASE "+quoteInfluxQL(d.database))
	return err == nil, err
}

func (d *v1) delete(ctx context.Context, measurement string, until time.Time) error {
	return d.ql.exec(ctx, d.database, fmt.Sprintf("DELETE FROM %s WHERE time <= %d", quoteInfluxQL(measurement), until.UnixNano()))
}
