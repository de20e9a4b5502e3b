package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nhip/api/apitest"
	"nhip/internal/await"
	"nhip/internal/datadir"
	"nhip/internal/mqtt"
	"nhip/internal/mqtt/mqtttest"

	"golang.org/x/sys/unix"
)

// waitFor bounds how long a test waits for what must come.
const waitFor = 30 * time.Second

// TestMain lets the test binary be nhip itself, so that tests can run and kill it as a process.
func TestMain(m *testing.M) {
	mqtttest.BeCrowd()
	if os.Getenv("NHIP_TEST_MAIN") != "" {
		os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// running is a nhip that runs.
type running struct {
	datadir.Addresses
	cmd    *exec.Cmd
	dir    string
	stderr *bytes.Buffer
	exited chan error
}

// influxd finds the built database, without which there is no nhip up.
func influxd(t testing.TB) string {
	t.Helper()
	if p := os.Getenv("NHIP_INFLUXD"); p != "" {
		return p
	}
	p, err := filepath.Abs("../../bin/influxd")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(p); err != nil {
		t.Skip("bin/influxd is not built: run make build")
	}
	return p
}

func command(args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), "NHIP_TEST_MAIN=1")
	return cmd
}

// launch starts nhip as a process and waits for what its ready line says.
func launch(t testing.TB, dir string, args ...string) (*running, map[string]string) {
	t.Helper()
	p := &running{cmd: command(args...), dir: dir, stderr: new(bytes.Buffer), exited: make(chan error, 1)}
	p.cmd.Stderr = p.stderr
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.kill() })
	first := make(chan string, 1)
	go func() {
		r := bufio.NewReader(stdout)
		line, _ := r.ReadString('\n')
		first <- strings.TrimSpace(line)
		_, _ = io.Copy(io.Discard, r)
		p.exited <- p.cmd.Wait()
	}()
	select {
	case line := <-first:
		return p, parseReady(t, p, line)
	case <-time.After(waitFor):
		t.Fatalf("not ready in %s\n%s", waitFor, p.stderr)
	}
	return nil, nil
}

// parseReady reads "ready a=b c=d".
func parseReady(t testing.TB, p *running, line string) map[string]string {
	t.Helper()
	said, ready := strings.CutPrefix(line, "ready ")
	if !ready {
		t.Fatalf("the first line is %q\n%s", line, p.stderr)
	}
	at := make(map[string]string)
	for _, pair := range strings.Fields(said) {
		key, address, _ := strings.Cut(pair, "=")
		at[key] = address
	}
	return at
}

// up starts nhip on a folder and waits for its ready line.
func up(t testing.TB, dir string, args ...string) *running {
	t.Helper()
	args = append([]string{
		"up", "--data-dir", dir, "--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0", "--influxd", influxd(t),
	}, args...)
	p, at := launch(t, dir, args...)
	p.Addresses = datadir.Addresses{HTTP: at["http"], MQTT: at["mqtt"], Influx: at["influx"]}
	for _, address := range []string{p.HTTP, p.MQTT, p.Influx} {
		if !strings.Contains(address, "://127.0.0.1:") {
			t.Fatalf("the ready line tells %v", at)
		}
	}
	return p
}

// kill ends nhip with SIGKILL and waits until its database has noticed and let go of its folder.
func (p *running) kill() {
	_ = p.cmd.Process.Kill()
	<-p.exited
	p.exited <- nil // whoever asks again
	lock, err := os.Open(filepath.Join(p.dir, "influx", "lock"))
	if err != nil {
		return // it never had a database
	}
	defer lock.Close()
	_ = unix.Flock(int(lock.Fd()), unix.LOCK_EX)
}

// stop interrupts and returns how nhip ended.
func (p *running) stop(t testing.TB) error {
	t.Helper()
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-p.exited:
		p.exited <- err
		return err
	case <-time.After(waitFor):
		t.Fatalf("still running %s after an interrupt\n%s", waitFor, p.stderr)
		return nil
	}
}

func (p *running) operator(t testing.TB, id string) mqtt.Options {
	t.Helper()
	token, err := datadir.ReadToken(p.dir)
	if err != nil {
		t.Fatal(err)
	}
	return mqtt.Options{URL: p.MQTT, ClientID: id, Username: "operator", Password: token}
}

// publish sends messages and returns when all are acknowledged.
func (p *running) publish(t testing.TB, messages ...[2]string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), waitFor)
	defer cancel()
	fan, err := mqtt.DialFan(ctx, mqtt.FanOptions{Options: p.operator(t, "test-publisher"), Lanes: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range messages {
		if err := fan.Publish(ctx, m[0], []byte(m[1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := fan.Close(ctx); err != nil {
		t.Fatalf("not acknowledged: %v", err)
	}
}

type collection struct {
	Features []struct {
		Geometry   struct{ Coordinates []float64 }
		Properties map[string]any
	}
}

func answerInto(t testing.TB, a apitest.Answer, into any) {
	t.Helper()
	if a.Status != http.StatusOK {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	if err := json.Unmarshal(a.Body, into); err != nil {
		t.Fatalf("%v in %s", err, a.Body)
	}
}

func position(id string, at time.Time, lat, lon float64) [2]string {
	return [2]string{"nhip/in/position/" + id, fmt.Sprintf(`{"time":%q,"lat":%v,"lon":%v,"speed":4.57,"bearing":265,"route":"32"}`,
		at.UTC().Format(time.RFC3339), lat, lon)}
}

func reading(id string, at time.Time, pm25 float64) [2]string {
	return [2]string{"nhip/in/reading/" + id, fmt.Sprintf(`{"time":%q,"period":"1h","lat":21.02,"lon":105.81,"values":{"pm25":%v,"humidity":80}}`,
		at.UTC().Format(time.RFC3339), pm25)}
}

// TestTheWholePath follows messages from the broker to every answer, over a stop and a start, with
// all roles in one process and with each in its own.
func TestTheWholePath(t *testing.T) {
	for _, shape := range shapes() {
		t.Run(shape.name, func(t *testing.T) {
			start := shape.prepare(t)
			c := start(t)
			dead := mqtttest.Listen(t, c.reader(t, "test-dead"), "nhip/dead/#")
			live := mqtttest.Listen(t, c.reader(t, "test-live"), mqtt.Live)
			hour := time.Now().Truncate(time.Hour)
			c.publish(t,
				position("near", time.Now(), 21.031, 105.85),
				position("far", time.Now(), 21.1, 105.85),
				position("far", time.Now().Add(-time.Minute), 0.5, 100), // late: stored, not shown
				reading("embassy", hour.Add(-time.Hour), 69.2),
				reading("embassy", hour, 70.5),
				position("bad", time.Now(), 91, 105.8),
				[2]string{"nhip/in/position/garbage/too/deep", `hello`},
			)
			checkDead(t, dead, shape.everyTopic)
			live.Wait(t, "the census", func(m mqtttest.Message) bool {
				return m.Topic == mqtt.CensusTopic("main") && m.Payload == `{"buses":2,"stations":1}`
			})
			checkAnswers(t, apitest.New(t, c.HTTP), hour)
			c.stop(t)
			checkAnswers(t, apitest.New(t, start(t).HTTP), hour)
		})
	}
}

func checkDead(t *testing.T, dead *mqtttest.Listener, everyTopic bool) {
	t.Helper()
	m := dead.Wait(t, "the position out of range", func(m mqtttest.Message) bool {
		return m.Topic == "nhip/dead/main/out_of_range"
	})
	if !strings.Contains(m.Payload, `"field":"lat"`) || !strings.Contains(m.Payload, `"topic":"nhip/in/position/bad"`) {
		t.Errorf("the dead letter %s", m.Payload)
	}
	if !everyTopic {
		return
	}
	dead.Wait(t, "the topic without a feed", func(m mqtttest.Message) bool { return m.Topic == "nhip/dead/main/no_feed" })
}

func checkAnswers(t *testing.T, c *apitest.Client, hour time.Time) {
	t.Helper()
	var buses collection
	await.True(t, "two buses are live", func() bool {
		answerInto(t, c.Get(t, "/v1/buses?near=21.03,105.85"), &buses)
		return len(buses.Features) == 2
	})
	first := buses.Features[0]
	if first.Properties["id"] != "near" || first.Properties["route"] != "32" || first.Geometry.Coordinates[1] != 21.031 {
		t.Errorf("the nearest bus is %+v", first)
	}
	if last := buses.Features[1]; last.Geometry.Coordinates[1] != 21.1 {
		t.Errorf("a late position moved the bus: %+v", last)
	}
	var stations collection
	answerInto(t, c.Get(t, "/v1/stations"), &stations)
	if len(stations.Features) != 1 || stations.Features[0].Properties["id"] != "embassy" {
		t.Errorf("stations %+v", stations)
	}
	checkReadings(t, c, hour)
	for _, path := range []string{
		"/v1/stations/embassy", "/v1/map", "/livez", "/readyz", "/metrics", "/openapi.yaml",
		"/tiles/air.json", "/tiles/transit.json", "/tiles/air/10/812/450.mvt",
	} {
		if a := c.Get(t, path); a.Status != http.StatusOK {
			t.Errorf("%s: %d %s", path, a.Status, a.Body)
		}
	}
}

func checkReadings(t *testing.T, c *apitest.Client, hour time.Time) {
	t.Helper()
	var body struct {
		Readings []struct {
			Time  time.Time
			Value float64
		}
	}
	path := apitest.Query("/v1/stations/embassy/readings", "quantity", "pm25",
		"from", hour.Add(-2*time.Hour).Format(time.RFC3339), "to", hour.Format(time.RFC3339))
	await.True(t, "the readings are in the database", func() bool {
		answerInto(t, c.Get(t, path), &body)
		return len(body.Readings) == 2
	})
	if body.Readings[0].Value != 69.2 || !body.Readings[1].Time.Equal(hour) {
		t.Errorf("readings %+v", body.Readings)
	}
	csv := c.Get(t, path, "Accept", "text/csv")
	if lines := strings.Split(strings.TrimSpace(string(csv.Body)), "\n"); len(lines) != 3 || !strings.Contains(lines[2], ",pm25,70.5,µg/m³,1h,,,") || !strings.Contains(lines[2], ",+07:00,embassy,") {
		t.Errorf("CSV:\n%s", csv.Body)
	}
}

// checkOnce waits for the readings that were acknowledged and counts each.
func checkOnce(t *testing.T, c *apitest.Client, hour time.Time, acked int) {
	t.Helper()
	path := apitest.Query("/v1/stations/s/readings", "quantity", "pm25",
		"from", hour.AddDate(0, 0, -30).Format(time.RFC3339), "to", hour.Format(time.RFC3339))
	var body struct{ Readings []struct{ Value float64 } }
	await.True(t, fmt.Sprintf("%d readings are in the database", acked), func() bool {
		answerInto(t, c.Get(t, path), &body)
		return len(body.Readings) >= acked
	})
	seen := make(map[float64]int)
	for _, r := range body.Readings {
		seen[r.Value]++
	}
	for v := range acked { // acknowledgements come in the order of one device's messages
		if seen[float64(v)] != 1 {
			t.Errorf("the acknowledged reading %d is there %d times", v, seen[float64(v)])
		}
	}
}

// checkNoOrphan fails when something still listens where the killed nhip had its database.
func checkNoOrphan(t *testing.T, url string) {
	t.Helper()
	await.True(t, "the database of the killed nhip ends", func() bool {
		resp, err := http.Get(url + "/ping")
		if err == nil {
			_ = resp.Body.Close()
		}
		return err != nil
	})
}

// TestStartsThatCantBe gives one clear line and exit code 1.
func TestStartsThatCantBe(t *testing.T) {
	p := up(t, t.TempDir())
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("nonsense: 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	marked := t.TempDir()
	if err := os.WriteFile(filepath.Join(marked, "simulated"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	free := []string{"--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0", "--influxd", influxd(t)}
	for _, c := range []struct {
		name string
		args []string
		want string
	}{
		{"http port in use", []string{"up", "--data-dir", t.TempDir(), "--http", strings.TrimPrefix(p.HTTP, "http://"), "--mqtt", "127.0.0.1:0"}, "choose another with --http"},
		{"mqtt port in use", []string{"up", "--data-dir", t.TempDir(), "--http", "127.0.0.1:0", "--mqtt", strings.TrimPrefix(p.MQTT, "tcp://")}, "choose another with --mqtt"},
		{"data folder in use", append([]string{"up", "--data-dir", p.dir}, free...), "another nhip runs on the data folder"},
		{"data folder is a file", append([]string{"up", "--data-dir", filepath.Join(file, "x")}, free...), "can't make the data folder"},
		{"simulated folder", append([]string{"up", "--data-dir", marked}, free...), "holds simulated facts"},
		{"database unreachable", append([]string{"up", "--data-dir", t.TempDir(), "--influx-url", "http://127.0.0.1:1"}, free...), "http://127.0.0.1:1"},
		{"influxd missing", []string{"up", "--data-dir", t.TempDir(), "--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0", "--influxd", "/nowhere/influxd"}, "/nowhere/influxd"},
		{"unknown key", append([]string{"up", "--data-dir", t.TempDir(), "--config", file}, free...), "nonsense"},
		{"bad address", []string{"up", "--data-dir", t.TempDir(), "--http", "nonsense"}, "http.listen"},
		{"bad clock", append([]string{"up", "--data-dir", t.TempDir(), "--clock", "noon"}, free...), "--clock"},
		{"bad rate", append([]string{"up", "--data-dir", t.TempDir(), "--clock", "2026-02-16T15:58:00Z*-1"}, free...), "--clock"},
		{"missing timetable", append([]string{"up", "--data-dir", t.TempDir(), "--gtfs", file + ".zip"}, free...), "timetable"},
		{"two brokers", []string{"up", "--data-dir", t.TempDir(), "--config", brokerConfig(t)}, "broker.url"},
		{"collector without a broker", []string{"collector", "--data-dir", t.TempDir(), "--influx-url", "http://127.0.0.1:1"}, "broker.url: is required"},
		{"collector without a database", []string{"collector", "--data-dir", t.TempDir(), "--broker", "tcp://127.0.0.1:1"}, "influx.url: is required"},
		{"api without a broker", []string{"api", "--data-dir", t.TempDir()}, "broker.url: is required"},
		{"gateway without an upstream", []string{"gateway", "--data-dir", t.TempDir()}, "broker.url: is required"},
		{"gateway on a folder in use", []string{"gateway", "--data-dir", p.dir, "--upstream", "tcp://127.0.0.1:1", "--mqtt", "127.0.0.1:0"}, "another nhip runs on the data folder"},
		{"collector that the broker refuses", []string{"collector", "--data-dir", t.TempDir(), "--broker", p.MQTT, "--influx-url", "http://127.0.0.1:1"}, p.MQTT},
		{"collector that the database refuses", []string{"collector", "--data-dir", t.TempDir(), "--broker", p.MQTT, "--influx-url", p.Influx}, "does not know the token"},
		{"unknown flag", []string{"up", "--nonsense"}, "--nonsense"},
		{"missing recording", []string{"replay", "--data-dir", p.dir, file + ".rec"}, "can't open the recording"},
		{"broken recording", []string{"replay", "--data-dir", p.dir, file}, file + ":1"},
		{"nothing runs there", []string{"replay", "--data-dir", t.TempDir(), testRecording(t)}, "no nhip runs on"},
		{"broker unreachable", []string{"replay", "--data-dir", p.dir, "--mqtt", "tcp://127.0.0.1:1", testRecording(t)}, "tcp://127.0.0.1:1"},
		{"negative speed", []string{"replay", "--data-dir", p.dir, "--speed=-1", testRecording(t)}, "--speed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), waitFor)
			defer cancel()
			cmd := command(c.args...)
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			began := time.Now()
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			stopKill := context.AfterFunc(ctx, func() { _ = cmd.Process.Kill() })
			defer stopKill()
			_ = cmd.Wait()
			lines := strings.Split(strings.TrimSpace(stderr.String()), "\n")
			last := lines[len(lines)-1]
			if cmd.ProcessState.ExitCode() != 1 || !strings.HasPrefix(last, "nhip: ") || !strings.Contains(last, c.want) {
				t.Errorf("exit %d after %s: %s\nwant a line with %q", cmd.ProcessState.ExitCode(), time.Since(began), &stderr, c.want)
			}
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("took %s", took)
			}
		})
	}
}

func brokerConfig(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "nhip.yaml")
	if err := os.WriteFile(path, []byte("broker: {url: tcp://127.0.0.1:1}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func testRecording(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a.rec")
	text := "2026-02-16T15:58:02Z nhip/in/position/1 {\"time\":\"2026-02-16T15:58:02Z\",\"lat\":38.9,\"lon\":-77.0}\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
