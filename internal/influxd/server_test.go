package influxd_test

import (
	"bufio"
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"nhip"
	"nhip/internal/awaittest"
	"nhip/internal/influx"
	"nhip/internal/influx/influxtest"
	"nhip/internal/influxd"

	"github.com/prometheus/client_golang/prometheus"
)

// options returns options that start the test binary as a fake influxd in the given mode.
func options(t *testing.T, mode string) influxd.Options {
	t.Setenv(asInfluxd, mode)
	return influxd.Options{
		Binary: os.Args[0], Dir: filepath.Join(t.TempDir(), "influx"), Logger: influxtest.Logger(t),
	}
}

var (
	noon    = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	reading = nhip.Reading{
		Station: "s", Quantity: nhip.PM25, Time: noon, Period: time.Hour, Value: 35, Flag: nhip.FlagGood,
	}
)

func startFake(t *testing.T, o influxd.Options) *influxd.Server {
	t.Helper()
	server := begin(t, o)
	await(t, server)
	return server
}

// begin starts a server and does not wait for it.
func begin(t *testing.T, o influxd.Options) *influxd.Server {
	t.Helper()
	server, err := influxd.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = stop(server, 0) })
	return server
}

func await(t *testing.T, server *influxd.Server) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), awaittest.Timeout)
	defer cancel()
	if err := server.Await(ctx); err != nil {
		t.Fatal(err)
	}
}

func stop(server *influxd.Server, within time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	return server.Stop(ctx)
}

func TestStartRejectsWrongOptions(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*influxd.Options)
		want   string
	}{
		"without a program": {func(o *influxd.Options) { o.Binary = "" }, `^Binary: is required$`},
		"without a folder":  {func(o *influxd.Options) { o.Dir = "" }, `^Dir: is required$`},
		"on an address that others reach": {
			func(o *influxd.Options) { o.Listen = "0.0.0.0:8086" },
			`^Listen: must be an address of this machine only, as in 127\.0\.0\.1:8086, got "0\.0\.0\.0:8086"$`,
		},
		"on a name":         {func(o *influxd.Options) { o.Listen = "localhost:8086" }, `^Listen: must be an address`},
		"on a link's scope": {func(o *influxd.Options) { o.Listen = "[::1%lo]:8086" }, `^Listen: must be an address`},
		"with a program that is missing": {
			func(o *influxd.Options) { o.Binary = "/missing/influxd" },
			`^can't start the embedded InfluxDB: .*no such file or directory$`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := options(t, "serves")
			c.change(&o)
			server, err := influxd.Start(o)
			if err == nil {
				t.Fatal(stop(server, 0))
			}
			if !regexp.MustCompile(c.want).MatchString(err.Error()) {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
}

// TestStartWaitsAsLongAsItTakes starts processes that fail or hang at first: the server has its address at once, says
// why it does not answer, and answers when a process does.
func TestStartWaitsAsLongAsItTakes(t *testing.T) {
	for mode, want := range map[string]string{
		"fails":  `did not start: exit status 1; last output: influxd: the disk is full$`,
		"silent": `^the embedded InfluxDB has not started yet: context deadline exceeded$`,
	} {
		t.Run(mode, func(t *testing.T) {
			server := begin(t, options(t, mode))
			if !regexp.MustCompile(`^http://127\.0\.0\.1:[1-9]\d*$`).MatchString(server.URL()) {
				t.Errorf("address %s", server.URL())
			}
			pattern := regexp.MustCompile(want)
			awaittest.True(t, "the server says why it does not answer", func() bool {
				ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
				defer cancel()
				err := server.Await(ctx)
				return err != nil && pattern.MatchString(err.Error())
			})
			if mode == "silent" {
				return // a process that loads its data is not disturbed
			}
			t.Setenv(asInfluxd, "serves")
			await(t, server)
		})
	}
}

func TestStopWhileProcessLoadsData(t *testing.T) {
	if err := stop(begin(t, options(t, "silent")), awaittest.Timeout); err != nil {
		t.Error(err)
	}
}

// TestAddressIsReserved checks that nobody else gets the port of a server that does not listen yet.
func TestAddressIsReserved(t *testing.T) {
	server := begin(t, options(t, "silent"))
	for range 200 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		if "http://"+l.Addr().String() == server.URL() {
			t.Fatal("the port was given to another listener")
		}
	}
	if c, err := net.Dial("tcp", strings.TrimPrefix(server.URL(), "http://")); err == nil {
		c.Close()
		t.Error("something answers on the reserved port")
	}
}

// TestListensOnGivenAddress checks that a server has the given port, that no second server gets it, and that a process
// that replaces a dead one has it, too.
func TestListensOnGivenAddress(t *testing.T) {
	for _, host := range []string{"127.0.0.1", "[::1]"} {
		t.Run(host, func(t *testing.T) {
			l, err := net.Listen("tcp", host+":0")
			if err != nil {
				t.Skip("this machine does not have ", host)
			}
			o := options(t, "serves")
			o.Listen = l.Addr().String()
			_, err = influxd.Start(o)
			if !errors.Is(err, syscall.EADDRINUSE) || !strings.Contains(err.Error(), o.Listen) {
				t.Errorf("on a port in use: %v", err)
			}
			l.Close()
			server := startFake(t, o)
			if server.URL() != "http://"+o.Listen {
				t.Errorf("listens on %s, want %s", server.URL(), o.Listen)
			}
			before := server.PID()
			if err := syscall.Kill(before, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			awaittest.True(t, "a new process answers on the same port", func() bool {
				resp, err := http.Get(server.URL())
				if err == nil {
					resp.Body.Close()
				}
				return err == nil && server.PID() != before
			})
		})
	}
}

func TestDamagedPasswordFileIsReplaced(t *testing.T) {
	for name, damage := range map[string]func(path string) error{
		"empty":   func(path string) error { return os.Truncate(path, 0) },
		"garbage": func(path string) error { return os.WriteFile(path, []byte("\x00\xffgarbage"), 0o600) },
		"folder":  func(path string) error { return errors.Join(os.Remove(path), os.Mkdir(path, 0o700)) },
	} {
		t.Run(name, func(t *testing.T) {
			o := options(t, "serves")
			first := startFake(t, o)
			if err := stop(first, awaittest.Timeout); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(filepath.Dir(o.Dir), "influx.auth")
			if err := damage(path); err != nil {
				t.Fatal(err)
			}
			t.Setenv(asInfluxd, "unauthorized") // the account has the first password
			second := startFake(t, o)
			raw, err := os.ReadFile(path)
			if err != nil || strings.TrimSpace(string(raw)) != second.Token() || second.Token() == first.Token() {
				t.Errorf("file %q, %v; token %s", raw, err, second.Token())
			}
			if kept, _ := filepath.Glob(path + ".damaged-*"); len(kept) != 1 {
				t.Errorf("kept: %v", kept)
			}
		})
	}
}

func TestServerRestartsDeadProcess(t *testing.T) {
	o := options(t, "serves")
	registry := prometheus.NewRegistry()
	o.Registerer = registry
	server := startFake(t, o)
	url := server.URL()
	for i := range 2 {
		before := server.PID()
		if err := syscall.Kill(before, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		awaittest.True(t, "a new process answers at "+url, func() bool {
			resp, err := http.Get(url)
			if err == nil {
				resp.Body.Close()
			}
			return err == nil && server.PID() != before
		})
		if got := counter(t, registry, "nhip_influxd_restarts_total"); got != float64(i+1) {
			t.Errorf("%v restarts counted, want %d", got, i+1)
		}
	}
	if err := stop(server, awaittest.Timeout); err != nil {
		t.Error(err)
	}
	if _, err := http.Get(url); err == nil {
		t.Error("the server still answers after Stop")
	}
	if err := stop(server, awaittest.Timeout); err != nil {
		t.Errorf("second Stop: %v", err)
	}
}

func counter(t *testing.T, g prometheus.Gatherer, name string) float64 {
	t.Helper()
	families, err := g.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			return f.GetMetric()[0].GetCounter().GetValue()
		}
	}
	t.Fatalf("no metric %s", name)
	return 0
}

func TestStopDuringRestart(t *testing.T) {
	o := options(t, "serves")
	registry := prometheus.NewRegistry()
	o.Registerer = registry
	server := startFake(t, o)
	t.Setenv(asInfluxd, "fails") // for the restarts
	_ = syscall.Kill(server.PID(), syscall.SIGKILL)
	// Waiting for the port to close would not be enough: supervise might not have noticed the end of the process yet,
	// and Stop would report it as an unclean end.
	awaittest.True(t, "a restart began", func() bool {
		return counter(t, registry, "nhip_influxd_restarts_total") > 0
	})
	if err := stop(server, awaittest.Timeout); err != nil {
		t.Error(err)
	}
}

func TestStopKillsHungProcess(t *testing.T) {
	server := startFake(t, options(t, "stubborn"))
	err := stop(server, 50*time.Millisecond)
	if err == nil || err.Error() != "influxd: the embedded InfluxDB did not close in time and was killed" {
		t.Errorf("got %v", err)
	}
	if err := syscall.Kill(server.PID(), 0); err != syscall.ESRCH {
		t.Errorf("the process still exists: %v", err)
	}
}

func TestProcessHasOwnProcessGroup(t *testing.T) {
	server := startFake(t, options(t, "serves"))
	group, err := syscall.Getpgid(server.PID())
	if err != nil || group == syscall.Getpgrp() {
		t.Errorf("the process is in the process group of the test (%d, %v)", group, err)
	}
}

func TestPasswordSurvivesRestart(t *testing.T) {
	o := options(t, "serves")
	first := startFake(t, o)
	if !regexp.MustCompile(`^nhip:[0-9a-f]{64}$`).MatchString(first.Token()) {
		t.Errorf("token %q", first.Token())
	}
	info, err := os.Stat(filepath.Join(filepath.Dir(o.Dir), "influx.auth"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("password file: %v, %v", info.Mode(), err)
	}
	if err := stop(first, awaittest.Timeout); err != nil {
		t.Error(err)
	}
	if second := startFake(t, o); second.Token() != first.Token() {
		t.Error("the token changed with the second start")
	}
	o.AuthFile = filepath.Join(t.TempDir(), "new", "auth")
	if other := startFake(t, o); other.Token() == first.Token() {
		t.Error("two databases have the same password")
	}
}

// The tests below start the real influxd, which takes 3 s of CPU.

func TestAccountHasPasswordOfFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	auth := filepath.Join(dir, "influx.auth")
	// The state after a crash between writing the file and creating the account.
	token := "nhip:" + strings.Repeat("0a", 32)
	if err := os.WriteFile(auth, []byte(token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	server := influxtest.ServerIn(t, filepath.Join(dir, "influx"))
	if err := influxtest.Open(t, server, "nhip").Write(t.Context(),
		influx.AppendReading(nil, &reading, noon)); err != nil {
		t.Fatal(err)
	}
	if server.Token() != token {
		t.Errorf("token %q, want %q", server.Token(), token)
	}
	_, err := influx.Open(t.Context(), influx.Options{URL: server.URL(), Token: "nhip:wrong", Bucket: "nhip"})
	want := "InfluxDB at " + server.URL() + " does not accept the token; check it"
	if nhip.ErrorCode(err) != nhip.CodeInvalid || err.Error() != want {
		t.Errorf("with a wrong token: %v, want %s", err, want)
	}
	if err := stop(server, awaittest.Timeout); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(auth, []byte("nhip:"+strings.Repeat("0b", 32)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	again := influxtest.ServerIn(t, filepath.Join(dir, "influx"))
	db := influxtest.Open(t, again, "nhip")
	n, err := db.Count(t.Context(), influx.ReadingMeasurement, noon.Add(-time.Second), noon)
	if err != nil || n != 1 {
		t.Errorf("with another password in the file: %d rows, %v; want 1", n, err)
	}
}

func TestKilledServerRestartsWithData(t *testing.T) {
	t.Parallel()
	server := influxtest.Embedded(t)
	db := influxtest.Open(t, server, "nhip")
	const rows = 2000
	var lines []byte
	for i := range rows {
		r := reading
		r.Time = noon.Add(time.Duration(i) * time.Second)
		lines = influx.AppendReading(lines, &r, noon)
	}
	if err := db.Write(t.Context(), lines); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(server.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	awaittest.True(t, "the database is down", func() bool { return db.Ping(t.Context()) != nil })
	if err := db.Ping(t.Context()); nhip.ErrorCode(err) != nhip.CodeUnavailable {
		t.Errorf("Ping while the database is down: %v", err)
	}
	awaittest.True(t, "the database is up again", func() bool { return db.Ping(t.Context()) == nil })
	if err := db.Write(t.Context(), lines); err != nil {
		t.Errorf("writing the same rows again: %v", err)
	}
	n, err := db.Count(t.Context(), influx.ReadingMeasurement, noon.Add(-time.Second), noon.Add(rows*time.Second))
	if err != nil || n != rows {
		t.Errorf("%d rows, %v; want %d", n, err, rows)
	}
}

func TestRenewStartsNewProcessOnSameAddress(t *testing.T) {
	t.Parallel()
	server := influxtest.Embedded(t)
	db := influxtest.Open(t, server, "nhip")
	if err := db.Write(t.Context(), influx.AppendReading(nil, &reading, noon)); err != nil {
		t.Fatal(err)
	}
	before := server.PID()
	server.Renew()
	awaittest.True(t, "a new process runs", func() bool { return server.PID() != before })
	awaittest.True(t, "it answers", func() bool { return db.Ping(t.Context()) == nil })
	n, err := db.Count(t.Context(), influx.ReadingMeasurement, noon.Add(-time.Second), noon)
	if err != nil || n != 1 {
		t.Errorf("%d rows, %v; want 1", n, err)
	}
}

func TestServerEndsWithParent(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), asParent+"="+dir, "NHIP_INFLUXD="+influxtest.Binary(t))
	cmd.Stderr = t.Output()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	url, _ := bufio.NewReader(out).ReadString('\n')
	address := strings.TrimPrefix(strings.TrimSpace(url), "http://")
	if _, err := net.Dial("tcp", address); err != nil {
		t.Fatalf("the server does not answer at %q: %v", address, err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	awaittest.True(t, "the orphaned process has ended", func() bool {
		lock, err := os.Open(filepath.Join(dir, "influx", "lock"))
		if err != nil {
			t.Fatal(err)
		}
		defer lock.Close()
		// the kernel releases the lock when the process ends
		return syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
	})
	if _, err := net.Dial("tcp", address); err == nil {
		t.Error("the address still answers")
	}
}
