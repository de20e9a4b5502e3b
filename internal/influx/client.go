package influx

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"nhip"

	influxdb2 "github.com/influxdata/influxdb-client-go/v2"
	"github.com/influxdata/influxdb-client-go/v2/api"
	"github.com/prometheus/client_golang/prometheus"
)

// defaultTimeout is how long InfluxDB may take over one request. A write of 10,000 rows takes it a
// tenth of a second; on a machine that swaps it may take ten.
const defaultTimeout = 30 * time.Second

// Options say which InfluxDB to use.
type Options struct {
	URL        string                // http://host:port
	Token      string                // 2.x: an API token; 1.8: "user:password"
	Org        string                // 2.x: the organisation's name; unused on 1.8
	Bucket     string                // the bucket, or on 1.8 the database; created when missing, keeping for ever
	Timeout    time.Duration         // for one write, or for the next part of an answer; default 30 s
	Logger     *slog.Logger          // default: slog.Default()
	Registerer prometheus.Registerer // nil: no metrics

	// Stuck, if given, is called when InfluxDB refuses rows in a way that only its restart cures, at
	// most once a minute: after its disk was full, 1.8's write-ahead log keeps its error for good.
	Stuck func()
}

func (o *Options) setDefaults() error {
	u, err := url.Parse(o.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nhip.Errorf(nhip.Invalid, "URL", "must be like http://host:8086, got %q", o.URL)
	}
	switch {
	case o.Bucket == "":
		return nhip.Errorf(nhip.Invalid, "Bucket", "is required")
	case strings.Contains(o.Bucket, "/"): // on 1.8 it would name a retention policy that may not be there
		return nhip.Errorf(nhip.Invalid, "Bucket", "must be a name without a slash, got %q", o.Bucket)
	}
	if err := nhip.CheckText("Bucket", o.Bucket); err != nil {
		return err
	}
	o.URL = strings.TrimSuffix(o.URL, "/")
	o.Timeout = cmp.Or(o.Timeout, defaultTimeout)
	o.Logger = cmp.Or(o.Logger, slog.Default())
	return nil
}

// DB is an open bucket. Its methods may be called from any number of goroutines.
type DB struct {
	opts    Options
	http    *http.Client
	client  influxdb2.Client
	dialect dialect
	writer  api.WriteAPIBlocking
	reader  api.QueryAPI
	metrics *metrics

	stuckAt atomic.Int64 // when Options.Stuck was last called, Unix seconds
}

// Open finds out what InfluxDB answers, and makes sure that the bucket is there. The error is an
// *nhip.Error: Unavailable when InfluxDB can't be reached or is busy, so that trying again can
// help; Invalid when the options are wrong.
func Open(ctx context.Context, o Options) (*DB, error) {
	if err := o.setDefaults(); err != nil {
		return nil, err
	}
	db := &DB{opts: o, http: newHTTPClient()}
	version, err := db.version(ctx)
	if err != nil {
		return nil, err
	}
	db.client = influxdb2.NewClientWithOptions(o.URL, o.Token, influxdb2.DefaultOptions().
		SetHTTPClient(db.http).SetPrecision(time.Millisecond).SetUseGZip(false).SetApplicationName("nhip"))
	if db.dialect, err = newDialect(db, version); err != nil {
		return nil, err
	}
	if err := db.ensureBucket(ctx); err != nil {
		return nil, err
	}
	db.writer = db.client.WriteAPIBlocking(o.Org, db.dialect.bucket())
	db.reader = db.client.QueryAPI(o.Org)
	if db.metrics, err = newMetrics(o.Registerer); err != nil {
		return nil, err
	}
	return db, nil
}

// Close gives idle connections back. Requests under way go on.
func (db *DB) Close() {
	db.client.Close()
	db.http.CloseIdleConnections()
	db.metrics.close()
}

// Ping asks whether InfluxDB answers, lets us in and has the bucket, which it makes anew where it
// was dropped. The error is Open's.
func (db *DB) Ping(ctx context.Context) error {
	if _, err := db.version(ctx); err != nil {
		return err
	}
	return db.ensureBucket(ctx)
}

// version asks for InfluxDB's version, as in "1.8.10" or "v2.7.11".
func (db *DB) version(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, db.opts.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, db.opts.URL+"/ping", nil)
	if err != nil {
		return "", nhip.Errorf(nhip.Invalid, "URL", "%v", err)
	}
	resp, err := db.http.Do(req)
	if err != nil {
		return "", db.unreachable(err)
	}
	defer resp.Body.Close()
	version := resp.Header.Get("X-Influxdb-Version")
	switch {
	case resp.StatusCode >= http.StatusInternalServerError:
		return "", nhip.Errorf(nhip.Unavailable, "", "InfluxDB at %s is not ready (status %d)", db.opts.URL, resp.StatusCode)
	case version == "":
		return "", nhip.Errorf(nhip.Unavailable, "", "what answers at %s is not InfluxDB; check its address", db.opts.URL)
	}
	return version, nil
}

func (db *DB) ensureBucket(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, db.opts.Timeout)
	defer cancel()
	created, err := db.dialect.ensureBucket(ctx)
	if err != nil {
		return db.explain(err)
	}
	if created {
		db.opts.Logger.Info("created the bucket", "bucket", db.opts.Bucket, "url", db.opts.URL)
	}
	return nil
}

// explain turns an error of a request into one clear sentence.
func (db *DB) explain(err error) error {
	known := new(nhip.Error)
	status, message := statusOf(err)
	switch {
	case errors.As(err, &known):
		return err
	case status == 0:
		return db.unreachable(err)
	case status == http.StatusUnauthorized:
		return nhip.Errorf(nhip.Invalid, "", "InfluxDB at %s does not know the token; check it", db.opts.URL)
	case status == http.StatusForbidden:
		return nhip.Errorf(nhip.Invalid, "", "InfluxDB at %s forbids bucket %q to the token: %s", db.opts.URL, db.opts.Bucket, message)
	case status == http.StatusTooManyRequests || status >= http.StatusInternalServerError:
		return nhip.Errorf(nhip.Unavailable, "", "InfluxDB at %s can't answer now: %s (status %d)", db.opts.URL, message, status)
	}
	return fmt.Errorf("InfluxDB at %s refuses the request: %w", db.opts.URL, err)
}

func (db *DB) unreachable(err error) error {
	return nhip.Errorf(nhip.Unavailable, "", "InfluxDB does not answer at %s (%v): start it, or check its address", db.opts.URL, reason(err))
}

// reason strips the request's method and address, which the sentence around it names already.
func reason(err error) error {
	var e *url.Error
	if errors.As(err, &e) {
		return e.Err
	}
	return err
}
