// Package influxtest gives tests a real InfluxDB: the embedded one, in a process of the test's own, or the one that
// INFLUX_URL, INFLUX_TOKEN and INFLUX_ORG name.
package influxtest

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"nhip/internal/influx"
	"nhip/internal/influxd"
)

// A server stops within 0.1 s and needs 3 s of CPU to start, which takes long on a machine that runs many tests at
// once.
const (
	startTimeout = 2 * time.Minute
	stopTimeout  = 30 * time.Second
)

// Start starts a server and returns its bucket "nhip". Because a start takes 3 s, related tests should share one
// server, as subtests. The test is skipped if bin/influxd is not built.
func Start(t testing.TB) *influx.DB {
	t.Helper()
	return Open(t, Server(t), "nhip")
}

// Database is an InfluxDB: an *Instance or the embedded *influxd.Server.
type Database interface {
	URL() string
	Token() string
}

// Open returns a bucket of a database, and creates it if it is missing.
func Open(t testing.TB, d Database, bucket string) *influx.DB {
	t.Helper()
	o := influx.Options{URL: d.URL(), Token: d.Token(), Bucket: bucket, Logger: Logger(t)}
	if instance, ok := d.(*Instance); ok {
		o = instance.Options(t, bucket)
	}
	db, err := influx.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	return db
}

// Embedded starts the embedded InfluxDB in a temporary folder and stops it when the test ends. It is for tests of what
// only the embedded one does; others use Server.
func Embedded(t testing.TB) *influxd.Server {
	t.Helper()
	return ServerIn(t, filepath.Join(t.TempDir(), "influx"))
}

// ServerIn is Embedded on the data in dir, with the password file beside dir.
func ServerIn(t testing.TB, dir string) *influxd.Server {
	t.Helper()
	server, err := influxd.Start(influxd.Options{Binary: Binary(t), Dir: dir, Logger: Logger(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
		defer cancel()
		if err := server.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), startTimeout)
	defer cancel()
	if err := server.Await(ctx); err != nil {
		t.Fatal(err)
	}
	return server
}

// Binary returns the path of the embedded InfluxDB's program: $NHIP_INFLUXD, or bin/influxd of the checkout. It skips
// the test if the program is not built.
func Binary(t testing.TB) string {
	t.Helper()
	if path := os.Getenv("NHIP_INFLUXD"); path != "" {
		return path
	}
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for dir != filepath.Dir(dir) && !exists(filepath.Join(dir, "go.mod")) {
		dir = filepath.Dir(dir)
	}
	path := filepath.Join(dir, "bin", "influxd")
	if !exists(path) {
		t.Skip("bin/influxd is not built: run make build")
	}
	return path
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// Logger returns a logger that writes to the test's output.
func Logger(t testing.TB) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), nil))
}
