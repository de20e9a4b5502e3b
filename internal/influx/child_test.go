package influx_test

import (
	"bufio"
	"context"
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
	"nhip/internal/influx"
	"nhip/internal/influx/influxtest"

	"github.com/prometheus/client_golang/prometheus"
)

// options returns those of a child that is the test binary in the given mode.
func options(t *testing.T, mode string) influx.ChildOptions {
	t.Setenv(asInfluxd, mode)
	return influx.ChildOptions{
		Binary: os.Args[0], Dir: filepath.Join(t.TempDir(), "influx"), Logger: influxtest.Logger(t),
	}
}

func startFake(t *testing.T, o influx.ChildOptions) *influx.Child {
	t.Helper()
	child, err := influx.StartChild(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = stop(child, 0) })
	return child
}

func stop(child *influx.Child, within time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	return child.Stop(ctx)
}

func TestStartChildFails(t *testing.T) {
	tests := []struct {
		name   string
		mode   string
		change func(*influx.ChildOptions)
		want   string
	}{
		{"without a program", "serves", func(o *influx.ChildOptions) { o.Binary = "" }, `^Binary: is required$`},
		{"without a folder", "serves", func(o *influx.ChildOptions) { o.Dir = "" }, `^Dir: is required$`},
		{
			"with a program that is missing", "serves", func(o *influx.ChildOptions) { o.Binary = "/missing/influxd" },
			`^can't start the embedded InfluxDB: .*no such file or directory$`,
		},
		{"when it fails", "fails", nil, `^the embedded InfluxDB did not start: exit status 1; it said last: influxd: the disk is full$`},
		{
			"when it hangs", "silent", func(o *influx.ChildOptions) { o.StartTimeout = 50 * time.Millisecond },
			`^the embedded InfluxDB did not get ready within 50ms$`,
		},
		{
			"when its password is another", "unauthorized", nil,
			`^the password in .*/influx\.auth does not open the embedded InfluxDB; restore the file that belongs to its data$`,
		},
		{
			"when the password file is not ours", "serves", func(o *influx.ChildOptions) { o.AuthFile = "/dev/null" },
			`^/dev/null does not hold the embedded InfluxDB's password as nhip wrote it; restore it from a backup$`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := options(t, tt.mode)
			if tt.change != nil {
				tt.change(&o)
			}
			child, err := influx.StartChild(t.Context(), o)
			if err == nil {
				t.Fatal(stop(child, 0))
			}
			if !regexp.MustCompile(tt.want).MatchString(err.Error()) {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
		})
	}
}

func TestStartChildGivesUpWithItsContext(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := influx.StartChild(ctx, options(t, "silent")); err == nil || !strings.Contains(err.Error(), "not ready yet") {
		t.Errorf("got %v", err)
	}
}

func TestChildIsStartedAgain(t *testing.T) {
	o := options(t, "serves")
	registry := prometheus.NewRegistry()
	o.Registerer = registry
	child := startFake(t, o)
	url := child.URL()
	for i := range 2 {
		before := child.PID()
		if err := syscall.Kill(before, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		eventually(t, "another process answers at "+url, func() bool {
			resp, err := http.Get(url)
			if err == nil {
				resp.Body.Close()
			}
			return err == nil && child.PID() != before
		})
		if got := counter(t, registry, "nhip_influxd_restarts_total"); got != float64(i+1) {
			t.Errorf("%v restarts counted, want %d", got, i+1)
		}
	}
	if err := stop(child, patience); err != nil {
		t.Error(err)
	}
	if _, err := http.Get(url); err == nil {
		t.Error("a stopped child answers")
	}
	if err := stop(child, patience); err != nil {
		t.Errorf("the second stop: %v", err)
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

func TestStopWhileItIsDown(t *testing.T) {
	o := options(t, "serves")
	registry := prometheus.NewRegistry()
	o.Registerer = registry
	child := startFake(t, o)
	t.Setenv(asInfluxd, "fails") // from now on
	_ = syscall.Kill(child.PID(), syscall.SIGKILL)
	// A port that is closed would not do: the process may not have been waited for yet, and its end
	// would be taken for a bad answer to the stop.
	eventually(t, "it is being started again", func() bool {
		return counter(t, registry, "nhip_influxd_restarts_total") > 0
	})
	if err := stop(child, patience); err != nil {
		t.Error(err)
	}
}

func TestStopKillsOneThatHangs(t *testing.T) {
	child := startFake(t, options(t, "stubborn"))
	err := stop(child, 50*time.Millisecond)
	if err == nil || err.Error() != "the embedded InfluxDB did not close in time and was killed" {
		t.Errorf("got %v", err)
	}
	if err := syscall.Kill(child.PID(), 0); err != syscall.ESRCH {
		t.Errorf("the process is still there: %v", err)
	}
}

func TestCtrlCDoesNotReachTheChild(t *testing.T) {
	child := startFake(t, options(t, "serves"))
	group, err := syscall.Getpgid(child.PID())
	if err != nil || group == syscall.Getpgrp() {
		t.Errorf("the child is in our process group (%d, %v)", group, err)
	}
}

func TestPasswordIsKept(t *testing.T) {
	o := options(t, "serves")
	first := startFake(t, o)
	if !regexp.MustCompile(`^nhip:[0-9a-f]{64}$`).MatchString(first.Token()) {
		t.Errorf("token %q", first.Token())
	}
	info, err := os.Stat(filepath.Join(filepath.Dir(o.Dir), "influx.auth"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the password's file: %v, %v", info.Mode(), err)
	}
	if err := stop(first, patience); err != nil {
		t.Error(err)
	}
	if second := startFake(t, o); second.Token() != first.Token() {
		t.Error("the token changed between starts")
	}
	o.AuthFile = filepath.Join(t.TempDir(), "new", "auth")
	if other := startFake(t, o); other.Token() == first.Token() {
		t.Error("two databases have one password")
	}
}

// From here on the child is the real one, whose start takes 3 s of CPU.

func TestPasswordAndAccountAreMadeOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	auth := filepath.Join(dir, "influx.auth")
	// As a crash between writing the file and creating the account leaves it.
	token := "nhip:" + strings.Repeat("0a", 32)
	if err := os.WriteFile(auth, []byte(token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	child := influxtest.ChildIn(t, filepath.Join(dir, "influx"))
	influxtest.Open(t, child, "nhip")
	if child.Token() != token {
		t.Errorf("token %q, want %q", child.Token(), token)
	}
	_, err := influx.Open(t.Context(), influx.Options{URL: child.URL(), Token: "nhip:wrong", Bucket: "nhip"})
	want := "InfluxDB at " + child.URL() + " does not know the token; check it"
	if nhip.ErrorCode(err) != nhip.Invalid || err.Error() != want {
		t.Errorf("with a wrong token: %v, want %s", err, want)
	}
	if err := stop(child, patience); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(auth, []byte("nhip:"+strings.Repeat("0b", 32)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = influx.StartChild(t.Context(), influx.ChildOptions{Binary: influxtest.Binary(t), Dir: filepath.Join(dir, "influx"), Logger: influxtest.Logger(t)})
	if nhip.ErrorCode(err) != nhip.Invalid {
		t.Errorf("with another password in the file: %v", err)
	}
}

func TestKilledChildComesBackWithItsData(t *testing.T) {
	t.Parallel()
	child := influxtest.Child(t)
	db := influxtest.Open(t, child, "nhip")
	const rows = 2000
	var lines []byte
	for i := range rows {
		r := fullReading()
		r.Time = noon.Add(time.Duration(i) * time.Second)
		lines = influx.AppendReading(lines, &r, received)
	}
	if err := db.Write(t.Context(), lines); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(child.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the database is down", func() bool { return db.Ping(t.Context()) != nil })
	if err := db.Ping(t.Context()); nhip.ErrorCode(err) != nhip.Unavailable {
		t.Errorf("while it is down: %v", err)
	}
	eventually(t, "the database is up again", func() bool { return db.Ping(t.Context()) == nil })
	if err := db.Write(t.Context(), lines); err != nil {
		t.Errorf("the same rows again: %v", err)
	}
	n, err := db.Count(t.Context(), influx.ReadingMeasurement, noon.Add(-time.Second), noon.Add(rows*time.Second))
	if err != nil || n != rows {
		t.Errorf("%d rows, %v; want %d", n, err, rows)
	}
}

func TestARenewedChildIsANewProcessOnTheSameAddress(t *testing.T) {
	t.Parallel()
	child := influxtest.Child(t)
	db := influxtest.Open(t, child, "nhip")
	r := fullReading()
	if err := db.Write(t.Context(), influx.AppendReading(nil, &r, received)); err != nil {
		t.Fatal(err)
	}
	before := child.PID()
	child.Renew()
	eventually(t, "another process runs", func() bool { return child.PID() != before })
	eventually(t, "it answers", func() bool { return db.Ping(t.Context()) == nil })
	n, err := db.Count(t.Context(), influx.ReadingMeasurement, r.Time.Add(-time.Second), r.Time)
	if err != nil || n != 1 {
		t.Errorf("%d rows, %v; want 1", n, err)
	}
}

func TestChildDiesWithItsParent(t *testing.T) {
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
		t.Fatalf("the child does not answer at %q: %v", address, err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	eventually(t, "the orphan has gone", func() bool {
		lock, err := os.Open(filepath.Join(dir, "influx", "lock"))
		if err != nil {
			t.Fatal(err)
		}
		defer lock.Close()
		return syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil // its kernel lock is free
	})
	if _, err := net.Dial("tcp", address); err == nil {
		t.Error("somebody still answers")
	}
}
