package main

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"nhip/app/apptest"
	"nhip/internal/awaittest"
	"nhip/internal/influx"
	"nhip/internal/influx/influxtest"
)

// startInfluxDB2 starts bin/influxd2, which make influx2 builds, on a folder. It skips the test if that is not built.
func startInfluxDB2(t *testing.T, dir, address string) *exec.Cmd {
	t.Helper()
	program := filepath.Join("..", "..", "bin", "influxd2")
	if _, err := os.Stat(program); err != nil {
		t.Skip("bin/influxd2 is not built: make influx2 builds it where Rust is to be had")
	}
	cmd := exec.Command(program, "--bolt-path", filepath.Join(dir, "bolt"), "--sqlite-path", filepath.Join(dir, "sqlite"),
		"--engine-path", filepath.Join(dir, "engine"), "--reporting-disabled", "--log-level", "error",
		"--http-bind-address", address)
	cmd.Stderr, cmd.Stdout = t.Output(), t.Output()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	awaittest.True(t, "InfluxDB 2 answers", func() bool {
		resp, err := http.Get("http://" + address + "/ping")
		if err == nil {
			resp.Body.Close()
		}
		return err == nil
	})
	return cmd
}

// TestInfluxDB2IsKilled sets a new InfluxDB 2.7 up, runs a city on it with the collector's token, and kills it with
// SIGKILL. Nothing that was acknowledged before, meanwhile or after is missing.
func TestInfluxDB2IsKilled(t *testing.T) {
	t.Parallel()
	dir, address := t.TempDir(), fixedAddress(t)
	server := startInfluxDB2(t, dir, address)
	o := influx.Options{
		URL: "http://" + address, Token: "an-admin-token", Org: "city", Bucket: "nhip", Logger: influxtest.Logger(t),
	}
	o.Token, _ = setUpTokens(t, o)
	data := t.TempDir()
	p := launchEmbedded(t, data, "--config", apptest.WriteFile(t, "nhip.yaml", influxtest.YAML(o, "")))
	now := time.Now().UTC().Truncate(time.Hour)
	p.Publish(t, apptest.Reading("hn-01", now, 65), apptest.Position("1", now, 21, 105.8))
	review(t, p, now, "r1")
	awaitStored(t, p, 4)
	succeed(t, data, "ledger", "--verify")
	_ = server.Process.Kill()
	_ = server.Wait()
	p.Publish(t, apptest.Position("2", now, 21, 105.8), apptest.Reading("hn-02", now, 5))
	startInfluxDB2(t, dir, address)
	p.Publish(t, apptest.Position("3", now, 21, 105.8))
	awaitStored(t, p, 8)
	succeed(t, data, "ledger", "--verify")
}
