package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nhip/app/apptest"
	"nhip/internal/awaittest"
	"nhip/internal/influx/influxtest"
)

// testRecording writes a recording of one position.
func testRecording(t *testing.T) string {
	t.Helper()
	return apptest.WriteFile(t, "a.rec",
		`2026-02-16T15:58:02Z nhip/in/position/1 {"time":"2026-02-16T15:58:02Z","lat":38.9,"lon":-77.0}`+"\n")
}

// TestFailedStartPrintsOneLine checks the last line and the exit code of commands that can't start.
func TestFailedStartPrintsOneLine(t *testing.T) {
	p := apptest.Up(t, t.TempDir(), "")
	file := apptest.WriteFile(t, "file", "nonsense: 1\n")
	marked := t.TempDir()
	if err := os.WriteFile(filepath.Join(marked, "simulated"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	on := func(dir string, args ...string) []string { return append(args, "--data-dir", dir) }
	// up is nhip up on free ports, unless args name others: the last value of a flag counts.
	up := func(dir string, args ...string) []string {
		return on(dir, append([]string{
			"up", "--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0", "--influxd", influxtest.Binary(t),
		}, args...)...)
	}
	brokerConfig := apptest.WriteFile(t, "nhip.yaml", "broker: {url: tcp://127.0.0.1:1}\n")
	const nowhere, noInflux = "tcp://127.0.0.1:1", "http://127.0.0.1:1"
	for _, c := range []struct {
		name string
		args []string
		want string
	}{
		{"HTTP port in use", up(t.TempDir(), "--http", strings.TrimPrefix(p.HTTP, "http://")), "choose another with --http"},
		{"MQTT port in use", up(t.TempDir(), "--mqtt", strings.TrimPrefix(p.MQTT, "tcp://")), "choose another with --mqtt"},
		{"data folder in use", up(p.Dir), "another nhip runs on the data folder"},
		{"data folder is a file", up(filepath.Join(file, "x")), "can't create the data folder"},
		{"simulated folder", up(marked), "holds simulated facts"},
		{"database that rejects the token", up(t.TempDir(), "--influx-url", p.Influx), "does not accept the token"},
		{"influxd missing", up(t.TempDir(), "--influxd", "/nowhere/influxd"), "/nowhere/influxd"},
		{
			"database port in use", on(t.TempDir(), "influx", "serve", "--influxd", influxtest.Binary(t), "--listen",
				strings.TrimPrefix(p.Influx, "http://")), "choose another with --listen",
		},
		{
			"database on a folder in use", on(p.Dir, "influx", "serve", "--influxd", influxtest.Binary(t)),
			"another nhip runs on the data folder",
		},
		{
			"database for other machines", on(t.TempDir(), "influx", "serve", "--listen", "0.0.0.0:8086"),
			"--listen: influx.listen: must be an address of this machine only",
		},
		{"unknown key", up(t.TempDir(), "--config", file), "nonsense"},
		{"bad address", up(t.TempDir(), "--http", "nonsense"), "http.listen"},
		{"bad clock", up(t.TempDir(), "--clock", "noon"), "--clock"},
		{"bad rate", up(t.TempDir(), "--clock", "2026-02-16T15:58:00Z*-1"), "--clock"},
		{"missing timetable", up(t.TempDir(), "--gtfs", file+".zip"), "timetable"},
		{"two brokers", up(t.TempDir(), "--config", brokerConfig), "broker.url"},
		{
			"collector without a broker", on(t.TempDir(), "collector", "--influx-url", noInflux),
			"broker.url: is required by a role that runs apart (--broker, NHIP_BROKER_URL or the configuration file)",
		},
		{"collector without a database", on(t.TempDir(), "collector", "--broker", nowhere), "influx.url: is required"},
		{"api without a broker", on(t.TempDir(), "api"), "broker.url: is required"},
		{
			"gateway without an upstream", on(t.TempDir(), "gateway"),
			"broker.url: is required by a role that runs apart (--upstream, NHIP_BROKER_URL or the configuration file)",
		},
		{
			"gateway on a folder in use", on(p.Dir, "gateway", "--upstream", nowhere, "--mqtt", "127.0.0.1:0"),
			"another nhip runs on the data folder",
		},
		{
			"collector that the broker rejects",
			on(t.TempDir(), "collector", "--broker", p.MQTT, "--influx-url", noInflux), p.MQTT,
		},
		{
			"collector that the database rejects",
			on(t.TempDir(), "collector", "--broker", p.MQTT, "--influx-url", p.Influx), "does not accept the token",
		},
		{"unknown flag", []string{"up", "--nonsense"}, "--nonsense"},
		{"missing recording", on(p.Dir, "replay", file+".rec"), "can't open the recording"},
		{"broken recording", on(p.Dir, "replay", file), file + ":1"},
		{"no running nhip", on(t.TempDir(), "replay", testRecording(t)), "no nhip runs on"},
		{"broker unreachable", on(p.Dir, "replay", "--mqtt", nowhere, testRecording(t)), nowhere},
		{"negative speed", on(p.Dir, "replay", "--speed=-1", testRecording(t)), "--speed"},
	} {
		t.Run(c.name, func(t *testing.T) { checkFailure(t, c.args, c.want) })
	}
}

// checkFailure runs a command that must fail, in this process: starting another one takes longer than most failures.
func checkFailure(t *testing.T, args []string, want string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), waitFor)
	defer cancel()
	var stderr bytes.Buffer
	began := time.Now()
	code := executeShared(ctx, args, io.Discard, &stderr)
	checkLastLine(t, code, stderr.String(), want)
	if took := time.Since(began); took > waitFor {
		t.Errorf("took %s", took)
	}
}

func checkLastLine(t *testing.T, code int, stderr, want string) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(stderr), "\n")
	last := lines[len(lines)-1]
	if code != 1 || !strings.HasPrefix(last, "nhip: ") || !strings.Contains(last, want) {
		t.Errorf("exit %d: %s\nwant a line with %q", code, stderr, want)
	}
}

// TestFailedProcessPrintsOneLine is TestFailedStartPrintsOneLine for a process of its own.
func TestFailedProcessPrintsOneLine(t *testing.T) {
	cmd := command("up", "--data-dir", t.TempDir(), "--clock", "noon")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	_ = cmd.Run() // the exit code tells
	checkLastLine(t, cmd.ProcessState.ExitCode(), stderr.String(), "--clock")
}

// TestUpSimulatesACity starts nhip up with a simulated city and stops it.
func TestUpSimulatesACity(t *testing.T) {
	p := launchUp(t, t.TempDir(), "--simulate", "--buses", "5", "--clock", "2026-02-16T15:58:00Z*10")
	c := p.API(t)
	awaittest.True(t, "the simulated buses are live", func() bool {
		var buses apptest.Features
		apptest.Decode(t, c.Get(t, "/v1/buses"), &buses)
		return len(buses.Features) == 5
	})
	if a := c.Get(t, "/v1/map"); a.Status != http.StatusOK || !strings.Contains(string(a.Body), "a simulated city") {
		t.Errorf("map: %d %s", a.Status, a.Body)
	}
	if err := p.stop(t); err != nil {
		t.Errorf("ended with %v\n%s", err, p.stderr)
	}
}
