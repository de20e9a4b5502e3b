package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/app/apptest"
	"nhip/internal/awaittest"
	"nhip/internal/influx"
	"nhip/internal/influx/influxtest"
	"nhip/internal/mqtt/mqtttest"
)

// launchDatabase starts the embedded database alone on a data folder.
func launchDatabase(t *testing.T, dir, listen string) *process {
	t.Helper()
	return launch(t, dir, "influx", "serve", "--data-dir", dir, "--listen", listen, "--influxd", influxtest.Binary(t))
}

// TestDatabaseAlone runs a collector on a database of its own process, and kills the database: its child dies with it,
// and a new one on the same port has the rows.
func TestDatabaseAlone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	server := launchDatabase(t, dir, "127.0.0.1:0")
	token := readToken(t, filepath.Join(dir, "influx.auth"))
	broker := mqtttest.Mosquitto(t).Options(mqtttest.Collector)
	config := apptest.WriteFile(t, "nhip.yaml", "broker: {url: '"+broker.URL+"', username: '"+broker.Username+
		"', password: '"+broker.Password+"'}\ninflux: {url: '"+server.Influx+"', token: '"+token+"'}\n")
	launch(t, dir, "collector", "--data-dir", dir, "--config", config) // one folder serves both
	db, err := influx.Open(t.Context(), influx.Options{
		URL: server.Influx, Token: token, Bucket: "nhip", Logger: influxtest.Logger(t),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	at := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	r := nhip.Reading{Station: "s", Quantity: nhip.PM25, Time: at, Period: time.Hour, Value: 35}
	if err := db.Write(t.Context(), influx.AppendReading(nil, &r, at)); err != nil {
		t.Fatal(err)
	}
	server.kill()
	if err := db.Ping(t.Context()); nhip.ErrorCode(err) != nhip.CodeUnavailable {
		t.Errorf("the database after its parent was killed: %v", err)
	}
	again := launchDatabase(t, dir, strings.TrimPrefix(server.Influx, "http://"))
	awaittest.True(t, "the row is there", func() bool {
		n, err := db.Count(t.Context(), influx.ReadingMeasurement, at.Add(-time.Second), at)
		return err == nil && n == 1
	})
	if err := again.stop(t); err != nil {
		t.Errorf("%v: %s", err, again.stderr)
	}
}

// readToken reads a file that contains a token.
func readToken(t *testing.T, path string) string {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(raw))
}
