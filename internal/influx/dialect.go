package influx

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"nhip"
)

// dialect has the requests that differ between the versions of InfluxDB. Writes and InfluxQL queries are the same.
type dialect interface {
	// bucket returns the bucket's name in writes and Flux queries.
	bucket() string
	// ensureBucket creates the bucket, without expiry, unless it exists.
	ensureBucket(ctx context.Context) (created bool, err error)
	// influxQL returns the parameters of an InfluxQL query that select the bucket.
	influxQL() url.Values
	// accept returns the type of the response to an InfluxQL query, for its header.
	accept() string
	// expiry returns how long the bucket keeps rows, or 0 for ever.
	expiry(ctx context.Context) (time.Duration, error)
	// delete removes a measurement's rows between from and to, both inclusive.
	delete(ctx context.Context, measurement string, from, to time.Time) error
}

// newDialect returns the dialect for a version as /ping reports it.
func newDialect(db *DB, version string) (dialect, error) {
	major, minor := parseVersion(version)
	switch {
	case major == 2 && db.opts.Org == "":
		return nil, nhip.Errorf(nhip.CodeInvalid, "Org", "is required by the InfluxDB %s at %s", version, db.opts.URL)
	case major == 2:
		return &v2{db.client.HTTPService(), db.opts.Org, db.opts.Bucket, db.opts.URL}, nil
	case major == 1 && minor >= 8:
		return &v1{influxQL{db.http, db.opts.URL, db.opts.Token}, db.opts.Bucket}, nil
	case major == 3:
		return &v3{influxQL{db.http, db.opts.URL, db.opts.Token}, db.opts.Bucket}, nil
	case major == 0 || major == 1:
		return nil, nhip.Errorf(nhip.CodeInvalid, "", "InfluxDB at %s is too old (%s): 1.8, 2.x or 3 is required",
			db.opts.URL, version)
	}
	return nil, nhip.Errorf(nhip.CodeInvalid, "",
		"InfluxDB at %s has an unsupported version (%s): 1.8, 2.x or 3 is required",
		db.opts.URL, version)
}

// parseVersion parses versions such as "1.8.10" and "v2.7.11". It returns major -1 if version is malformed.
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

// v1 is InfluxDB 1.8, which has databases and retention policies. A new database has one policy, autogen, without
// expiry.
type v1 struct {
	ql       influxQL
	database string
}

// Types of responses. MessagePack costs InfluxDB a third less than JSON, and unlike CSV it contains errors.
const (
	jsonType     = "application/json"
	msgpackFirst = msgpackType + ", " + jsonType + ";q=0.5"
)

// autogen is the retention policy that the rows are in, because a new database has it.
const autogen = "autogen"

func (d *v1) bucket() string { return d.database + "/" + autogen }

func (d *v1) ensureBucket(ctx context.Context) (bool, error) {
	// Any reader may list databases, but only an administrator may create one.
	names, err := d.ql.query(ctx, "SHOW DATABASES")
	if err != nil || slices.Contains(names, d.database) {
		return false, err
	}
	_, err = d.ql.query(ctx, "CREATE DATABASE "+quoteInfluxQL(d.database))
	return err == nil, err
}

func (d *v1) accept() string { return msgpackFirst }

func (d *v1) influxQL() url.Values { return url.Values{"db": {d.database}, "rp": {autogen}} }

func (d *v1) expiry(ctx context.Context) (time.Duration, error) {
	policies, err := d.ql.rows(ctx, url.Values{"q": {"SHOW RETENTION POLICIES ON " + quoteInfluxQL(d.database)}})
	if err != nil {
		return 0, err
	}
	for _, p := range policies {
		if len(p) > 1 && p[0] == autogen {
			text, _ := p[1].(string)
			return time.ParseDuration(text)
		}
	}
	return 0, nil
}

func (d *v1) delete(ctx context.Context, measurement string, from, to time.Time) error {
	return d.ql.exec(ctx, d.database, fmt.Sprintf("DELETE FROM %s WHERE time >= %d AND time <= %d",
		quoteInfluxQL(measurement), from.UnixNano(), to.UnixNano()))
}
