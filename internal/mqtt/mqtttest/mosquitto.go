package mqtttest

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"nhip/internal/await"
	"nhip/internal/mqtt"
)

// The accounts of a Broker, as deploy/mosquitto/acl names them.
const (
	Collector = "nhip-collector"
	API       = "nhip-api"
	Gateway   = "nhip-gateway"
)

// Ports are taken below those that Linux gives to outgoing connections: a client that dials such a
// port of its own machine while the broker is down may be connected to itself.
const (
	firstPort = 20000
	lastPort  = 32000
	portTries = 20
)

// Broker is a Mosquitto with the configuration that we ship, in a folder and on a port of the test's
// own.
type Broker struct {
	URL string

	program string
	config  string
	running *exec.Cmd
	ended   chan struct{} // closed when running has ended
}

// Mosquitto starts Debian's Mosquitto until the test ends, with the accounts of deploy/mosquitto/acl
// and one for each device. The test is skipped where it is not installed.
func Mosquitto(t testing.TB, devices ...string) *Broker {
	t.Helper()
	return MosquittoWith(t, nil, devices...)
}

// MosquittoWith is Mosquitto with other values for some keys that the shipped configuration has.
func MosquittoWith(t testing.TB, values map[string]string, devices ...string) *Broker {
	t.Helper()
	b := &Broker{program: find(t, "mosquitto")}
	dir := t.TempDir()
	passwords := writePasswords(t, dir, append([]string{Collector, API, Gateway}, devices...))
	shipped := filepath.Join(checkout(t), "deploy", "mosquitto")
	for range portTries {
		port := FreePort(t)
		b.URL = fmt.Sprintf("tcp://127.0.0.1:%d", port)
		b.config = filepath.Join(dir, "mosquitto.conf")
		own := map[string]string{
			"listener":             fmt.Sprintf("%d 127.0.0.1", port),
			"password_file":        passwords,
			"acl_file":             filepath.Join(shipped, "acl"),
			"persistence_location": dir + "/",
			"log_dest":             "stderr",
		}
		maps.Copy(own, values)
		writeConfig(t, filepath.Join(shipped, "mosquitto.conf"), b.config, own)
		if b.start(t) {
			t.Cleanup(func() { b.end(syscall.SIGKILL) })
			return b
		}
	}
	t.Fatal("Mosquitto does not start")
	return nil
}

// Options returns what a client needs to log in with an account.
func (b *Broker) Options(user string) mqtt.Options {
	return mqtt.Options{URL: b.URL, ClientID: user, Username: user, Password: password(user)}
}

// Set gives keys of the configuration other values, which hold from the next start.
func (b *Broker) Set(t testing.TB, values map[string]string) {
	t.Helper()
	writeConfig(t, b.config, b.config, values)
}

// Start starts a broker that was stopped, on its port and folder.
func (b *Broker) Start(t testing.TB) {
	t.Helper()
	if !b.start(t) {
		t.Fatal("Mosquitto does not start again")
	}
}

// Stop ends the broker as systemd does: it saves its sessions, queues and retained messages.
func (b *Broker) Stop(testing.TB) { b.end(syscall.SIGTERM) }

// Kill ends the broker as a power failure would.
func (b *Broker) Kill(testing.TB) { b.end(syscall.SIGKILL) }

// start reports whether the broker answers; it does not where its port is taken.
func (b *Broker) start(t testing.TB) bool {
	t.Helper()
	cmd := exec.Command(b.program, "-c", b.config)
	cmd.Stderr = t.Output()
	cmd.SysProcAttr = withParent()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }() // how it ended is in its log
	b.running, b.ended = cmd, ended
	up, gone := false, false
	await.True(t, "Mosquitto answers or ends", func() bool {
		select {
		case <-ended:
			gone = true
		default:
			conn, err := net.Dial("tcp", strings.TrimPrefix(b.URL, "tcp://"))
			if up = err == nil; up {
				_ = conn.Close()
			}
		}
		return up || gone
	})
	return up && !gone
}

// FreePort returns a port of loopback that nobody listens on, for a server that will be back on it after
// its end.
func FreePort(t testing.TB) int {
	t.Helper()
	for range portTries {
		if port := firstPort + rand.IntN(lastPort-firstPort); free(port) {
			return port
		}
	}
	t.Fatal("no port is free")
	return 0
}

// free reports whether nobody listens on a port, who would answer in the server's place.
func free(port int) bool {
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err == nil {
		_ = l.Close()
	}
	return err == nil
}

// end signals until it has an effect: Mosquitto listens a moment before it heeds signals, and forgets one that
// comes in between.
func (b *Broker) end(s syscall.Signal) {
	for {
		_ = b.running.Process.Signal(s) // it may have ended
		select {
		case <-b.ended:
			return
		case <-time.After(signalAgain):
		}
	}
}

const signalAgain = time.Second

func password(user string) string { return "secret of " + user }

func writePasswords(t testing.TB, dir string, users []string) string {
	t.Helper()
	var b strings.Builder
	for _, u := range users {
		fmt.Fprintf(&b, "%s:%s\n", u, password(u))
	}
	path := filepath.Join(dir, "passwd")
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(find(t, "mosquitto_passwd"), "-U", path).CombinedOutput(); err != nil {
		t.Fatalf("mosquitto_passwd: %v: %s", err, out)
	}
	return path
}

// writeConfig copies a configuration with other values for some keys, each of which it must have.
// Started by root, Mosquitto would turn into another user, who can't read the test's folder.
func writeConfig(t testing.TB, from, to string, values map[string]string) {
	t.Helper()
	raw, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(raw), "\n")
	replaced := make(map[string]bool)
	for i, line := range lines {
		key, _, _ := strings.Cut(line, " ")
		if value, ok := values[key]; ok {
			lines[i], replaced[key] = key+" "+value, true
		}
	}
	if len(replaced) != len(values) {
		t.Fatalf("%s has only %v of %v", from, replaced, values)
	}
	if !slices.Contains(lines, "user root") {
		lines = append(lines, "user root", "")
	}
	if err := os.WriteFile(to, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
}

// find returns the path of a program, which Debian may have put where only root looks.
func find(t testing.TB, name string) string {
	t.Helper()
	for _, candidate := range []string{name, filepath.Join("/usr/sbin", name)} {
		if path, err := exec.LookPath(candidate); err == nil {
			return path
		}
	}
	t.Skipf("%s is not installed: apt-get install mosquitto", name)
	return ""
}

// checkout returns the folder of go.mod.
func checkout(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for dir != filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		dir = filepath.Dir(dir)
	}
	t.Fatal("no go.mod above the test")
	return ""
}
