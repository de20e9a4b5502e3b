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

// defaultTimeout bounds one request. A write of 10,000 rows takes 0.1 s, and up to 10 s on a machine that swaps.
const defaultTimeout = 30 * time.Second

// Options select an InfluxDB and a bucket.
type Options struct {
	URL        string                // http://host:port
	Token      string                // 2.x: an API token; 1.8: "user:password"
	Org        string                // 2.x: the organisation's name; unused with 1.8
	Bucket     string                // bucket, or database of 1.8; created without expiry if missing
	Timeout    time.Duration         // for one write, or for the next part of a query's result; default 30 s
	Logger     *slog.Logger          // default: slog.Default()
	Registerer prometheus.Registerer // nil: no metrics

	// OnStuck, if not nil, is called at most once a minute when InfluxDB rejects rows until it is restarted: after its
	// disk was full, the write-ahead log of 1.8 keeps its error.
	OnStuck func()

	precision time.Duration // of the times in written rows; default: a millisecond
}

func (o *Options) setDefaults() error {
	u, err := url.Parse(o.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nhip.Errorf(nhip.CodeInvalid, "URL", "must be like http://host:8086, got %q", o.URL)
	}
	switch {
	case o.Bucket == "":
		return nhip.Errorf(nhip.CodeInvalid, "Bucket", "is required")
	case strings.Contains(o.Bucket, "/"): // with 1.8 it would name a retention policy, which may not exist
		return nhip.Errorf(nhip.CodeInvalid, "Bucket", "must be a name without a slash, got %q", o.Bucket)
	}
	if err := nhip.CheckText("Bucket", o.Bucket); err != nil {
		return err
	}
	o.URL = strings.TrimSuffix(o.URL, "/")
	o.Timeout = cmp.Or(o.Timeout, defaultTimeout)
	o.precision = cmp.Or(o.precision, time.Millisecond)
	o.Logger = cmp.Or(o.Logger, slog.Default())
	return nil
}

// DB is an open bucket. Its methods are safe for concurrent use.
type DB struct {
	History // of the bucket

	opts    Options
	http    *http.Client
	client  influxdb2.Client
	dialect dialect
	writer  api.WriteAPIBlocking
	metrics *metrics

	stuckAt atomic.Int64 // time of the last call of Options.OnStuck, Unix seconds
}

// Open connects to InfluxDB, detects its version and creates the bucket if it is missing. The error is an *nhip.Error
// with the code Unavailable if InfluxDB can't be reached or is busy, so that a retry can help, and Invalid if the
// options are wrong.
func Open(ctx context.Context, o Options) (*DB, error) {
	db, err := connect(ctx, o)
	if err != nil {
		return nil, err
	}
	if err := db.ensureBucket(ctx); err != nil {
		return nil, err
	}
	if db.metrics, err = newMetrics(o.Registerer); err != nil {
		return nil, err
	}
	return db, nil
}

// connect is Open that does not need the bucket to exist or the token to be valid.
func connect(ctx context.Context, o Options) (*DB, error) {
	if err := o.setDefaults(); err != nil {
		return nil, err
	}
	db := &DB{opts: o, http: newHTTPClient()}
	db.History = History{db}
	version, err := db.version(ctx)
	if err != nil {
		return nil, err
	}
	db.client = influxdb2.NewClientWithOptions(o.URL, o.Token, influxdb2.DefaultOptions().
		SetHTTPClient(db.http).SetPrecision(db.opts.precision).SetUseGZip(false).SetApplicationName("nhip"))
	if db.dialect, err = newDialect(db, version); err != nil {
		return nil, err
	}
	db.writer = db.client.WriteAPIBlocking(o.Org, db.dialect.bucket())
	return db, nil
}

// Close closes idle connections. It does not interrupt running requests.
func (db *DB) Close() {
	db.client.Close()
	db.http.CloseIdleConnections()
	db.metrics.close()
}

// Ping checks that InfluxDB answers, accepts the token and has the bucket, which Ping creates again if it was dropped.
// Errors are those of Open.
func (db *DB) Ping(ctx context.Context) error {
	if _, err := db.version(ctx); err != nil {
		return err
	}
	return db.ensureBucket(ctx)
}

// version returns InfluxDB's version, such as "1.8.10" or "v2.7.11".
func (db *DB) version(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, db.opts.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, db.opts.URL+"/ping", nil)
	if err != nil {
		return "", nhip.Errorf(nhip.CodeInvalid, "URL", "%v", err)
	}
	if db.opts.Token != "" { // InfluxDB 3 requires it here, too
		req.Header.Set("Authorization", "Token "+db.opts.Token)
	}
	resp, err := db.http.Do(req)
	if err != nil {
		return "", db.unreachable(err)
	}
	defer resp.Body.Close()
	version := resp.Header.Get("X-Influxdb-Version")
	switch {
	case resp.StatusCode == http.StatusUnauthorized:
		return "", db.explain(&statusError{status: resp.StatusCode})
	case resp.StatusCode >= http.StatusInternalServerError:
		return "", nhip.Errorf(nhip.CodeUnavailable, "", "InfluxDB at %s is not ready (status %d)", db.opts.URL,
			resp.StatusCode)
	case version == "":
		return "", nhip.Errorf(nhip.CodeUnavailable, "", "the server at %s is not InfluxDB; check the address", db.opts.URL)
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
		db.opts.Logger.Info("InfluxDB bucket created", "bucket", db.opts.Bucket, "url", db.opts.URL)
	}
	return nil
}

// explain turns the error of a request into an error that names InfluxDB's address and the likely cause; nil stays
// nil.
func (db *DB) explain(err error) error {
	if err == nil {
		return nil
	}
	known := new(nhip.Error)
	status, message := statusOf(err)
	switch {
	case errors.As(err, &known):
		return err
	case status == 0:
		return db.unreachable(err)
	case status == http.StatusUnauthorized:
		return nhip.Errorf(nhip.CodeInvalid, "", "InfluxDB at %s does not accept the token; check it", db.opts.URL)
	case status == http.StatusForbidden:
		return nhip.Errorf(nhip.CodeInvalid, "", "InfluxDB at %s denies the token access to bucket %q: %s",
			db.opts.URL, db.opts.Bucket, message)
	case status == http.StatusTooManyRequests || status >= http.StatusInternalServerError:
		return nhip.Errorf(nhip.CodeUnavailable, "", "InfluxDB at %s is unavailable: %s (status %d)",
			db.opts.URL, message, status)
	}
	return fmt.Errorf("InfluxDB at %s rejects the request: %w", db.opts.URL, err)
}

func (db *DB) unreachable(err error) error {
	return nhip.Errorf(nhip.CodeUnavailable, "", "InfluxDB does not answer at %s (%v): start it, or check the address",
		db.opts.URL, reason(err))
}

// reason strips the request's method and address, because the message around it contains the address.
func reason(err error) error {
	var e *url.Error
	if errors.As(err, &e) {
		return e.Err
	}
	return err
}
