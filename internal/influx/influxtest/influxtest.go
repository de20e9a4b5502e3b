// Package influxtest gives tests a real InfluxDB: the embedded one, a private process each.
package influxtest

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"nhip/internal/influx"
)

// A child stops in a tenth of a second and starts in 3 s of CPU, of which a machine that runs many
// tests at once may give it little.
const (
	startWithin = 2 * time.Minute
	stopWithin  = 30 * time.Second
)

// Start returns the bucket "nhip" of an InfluxDB of the test's own. A start takes 3 s, so related
// tests had better share one, as subtests. The test is skipped where bin/influxd is not built.
func Start(t testing.TB) *influx.DB {
	t.Helper()
	return Open(t, Child(t), "nhip")
}

// Open returns a bucket of a child, which is made when missing.
func Open(t testing.TB, child *influx.Child, bucket string) *influx.DB {
	t.Helper()
	db, err := influx.Open(t.Context(), influx.Options{
		URL: child.URL(), Token: child.Token(), Bucket: bucket, Logger: Logger(t),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	return db
}

// Child starts an InfluxDB in a folder of the test's own and stops it at the test's end.
func Child(t testing.TB) *influx.Child {
	t.Helper()
	return ChildIn(t, filepath.Join(t.TempDir(), "influx"))
}

// ChildIn starts an InfluxDB on the data in dir, with its password beside dir.
func ChildIn(t testing.TB, dir string) *influx.Child {
	t.Helper()
	child, err := influx.StartChild(t.Context(), influx.ChildOptions{
		Binary: Binary(t), Dir: dir, StartTimeout: startWithin, Logger: Logger(t),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), stopWithin)
		defer cancel()
		if err := child.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	return child
}

// Binary finds the embedded InfluxDB's program, in NHIP_INFLUXD or in bin/ of the checkout, or skips
// the test.
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

// Logger writes to the test's own log.
func Logger(t testing.TB) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), nil))
}
