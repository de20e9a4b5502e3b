package influx_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/internal/influx"
	"nhip/internal/influx/influxtest"
)

// TestSetup sets a real InfluxDB up and uses the tokens of the roles: the collector's writes, reads and deletes in its
// bucket, the api's only reads, and neither reaches another bucket.
func TestSetup(t *testing.T) {
	t.Parallel()
	server := influxtest.Server(t)
	other := influxtest.Open(t, server, "other")
	if err := other.Write(t.Context(), []byte("reading,station=s value=1,received=1i 1772452800000\n")); err != nil {
		t.Fatal(err)
	}
	o := server.Options(t, `it's "set up"`)
	first := setUp(t, influx.SetupOptions{Options: o})
	if first.Collector == "" || first.API == "" || len(first.Steps) < 3 {
		t.Fatalf("the first run: %+v", first)
	}
	checkRights(t, server, o, first)

	if again := setUp(t, influx.SetupOptions{Options: o}); len(again.Steps) > 0 || again.Collector+again.API != "" {
		t.Errorf("the second run changes something: %+v", again)
	}
	checkRights(t, server, o, first)

	keep := setUp(t, influx.SetupOptions{Options: o, Keep: nhip.Some(20 * 366 * 24 * time.Hour)})
	if len(keep.Steps) != 1 || !strings.Contains(keep.Steps[0], "keeps rows for") {
		t.Errorf("another retention: %+v", keep)
	}
	if ever := setUp(t, influx.SetupOptions{Options: o, Keep: nhip.Some(time.Duration(0))}); len(ever.Steps) != 1 {
		t.Errorf("no retention: %+v", ever)
	}
	if ever := setUp(t, influx.SetupOptions{Options: o, Keep: nhip.Some(time.Duration(0))}); len(ever.Steps) != 0 {
		t.Errorf("no retention once more, which should be so already: %+v", ever)
	}

	renewed := setUp(t, influx.SetupOptions{Options: o, Renew: true})
	checkRights(t, server, o, renewed)
	for _, token := range []string{first.Collector, first.API} {
		old := o
		old.Token = token
		if _, err := influx.Open(t.Context(), old); err == nil ||
			!strings.Contains(err.Error(), "does not accept the token") {
			t.Errorf("with a token that was replaced: %v", err)
		}
	}
}

func setUp(t *testing.T, o influx.SetupOptions) *influx.SetupResult {
	t.Helper()
	made, err := influx.Setup(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if len(made.Warnings) > 0 {
		t.Errorf("warnings: %q", made.Warnings)
	}
	return made
}

func checkRights(t *testing.T, server *influxtest.Instance, o influx.Options, made *influx.SetupResult) {
	t.Helper()
	line := []byte("reading,period=1h,quantity=pm25,station=s value=1,received=1i 1772452800000\n")
	at := time.UnixMilli(1772452800000)
	open := func(token, bucket string) (*influx.DB, error) {
		as := o
		as.Token, as.Bucket = token, bucket
		db, err := influx.Open(t.Context(), as)
		if err == nil {
			t.Cleanup(db.Close)
		}
		return db, err
	}
	count := func(db *influx.DB) (int, error) {
		return db.Count(t.Context(), influx.ReadingMeasurement, at.Add(-time.Second), at)
	}
	collector, err := open(made.Collector, o.Bucket)
	if err != nil {
		t.Fatalf("the collector's token: %v", err)
	}
	reader, err := open(made.API, o.Bucket)
	if err != nil {
		t.Fatalf("the api's token: %v", err)
	}
	if err := collector.Write(t.Context(), line); err != nil {
		t.Errorf("the collector writes: %v", err)
	}
	for name, db := range map[string]*influx.DB{"collector": collector, "api": reader} {
		if n, err := count(db); n != 1 || err != nil {
			t.Errorf("the %s reads %d rows, %v", name, n, err)
		}
		counts, err := db.RowCounts(t.Context(), influx.RowCountQuery{
			From: at.Truncate(time.Hour), To: at.Add(time.Hour).Truncate(time.Hour), Now: at, Max: 10,
		})
		if err != nil || len(counts.Counts) != 1 {
			t.Errorf("the %s counts %+v, %v", name, counts, err)
		}
		if err := db.Ping(t.Context()); err != nil {
			t.Errorf("the %s pings: %v", name, err)
		}
	}
	if err := reader.Write(t.Context(), line); err == nil {
		t.Error("the api's token writes")
	}
	if err := reader.Delete(t.Context(), influx.ReadingMeasurement, at); err == nil {
		t.Error("the api's token deletes")
	}
	if n, err := count(reader); n != 1 || err != nil {
		t.Errorf("after the api's deletion: %d rows, %v", n, err)
	}
	if err := collector.Delete(t.Context(), influx.ReadingMeasurement, at); err != nil {
		t.Errorf("the collector deletes: %v", err)
	}
	if n, err := count(reader); n != 0 || err != nil {
		t.Errorf("after the collector's deletion: %d rows, %v", n, err)
	}
	for name, token := range map[string]string{"collector": made.Collector, "api": made.API} {
		db, err := open(token, server.Bucket(t, "other"))
		if err != nil {
			continue
		}
		if n, err := count(db); err == nil && n > 0 {
			t.Errorf("the %s's token reads another bucket", name)
		}
		if err := db.Write(t.Context(), line); err == nil {
			t.Errorf("the %s's token writes to another bucket", name)
		}
	}
}

func TestSetupRefusesWrongOptions(t *testing.T) {
	o := influx.Options{URL: fake(t, "1.8.10", nil), Bucket: "b"}
	for name, c := range map[string]struct {
		o    influx.SetupOptions
		want string
	}{
		"no token": {influx.SetupOptions{Options: o}, "Token: is required: an administrator's"},
		"short retention": {
			influx.SetupOptions{Options: withToken(o, "a:b"), Keep: nhip.Some(time.Minute)},
			"Keep: must be at least 1h, or 0 for ever, got 1m",
		},
		"negative": {
			influx.SetupOptions{Options: withToken(o, "a:b"), Keep: nhip.Some(-time.Hour)}, "Keep: must be at least",
		},
	} {
		_, err := influx.Setup(t.Context(), c.o)
		if nhip.ErrorCode(err) != nhip.CodeInvalid || !strings.Contains(fmt.Sprint(err), c.want) {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}

func withToken(o influx.Options, token string) influx.Options {
	o.Token = token
	return o
}
