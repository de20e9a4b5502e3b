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

	"nhip/internal/awaittest"
	"nhip/internal/mqtt"
)

// Accounts of a Broker, named as in deploy/mosquitto/acl.
const (
	Collector = "nhip-collector"
	API       = "nhip-api"
	Gateway   = "nhip-gateway"
)

// Ports are chosen below the range that Linux uses for outgoing connections. A client that dials a port in that range
// on its own machine, where nobody listens, may be connected to itself.
const (
	firstPort = 20000
	lastPort  = 32000
	portTries = 20
)

// Broker is a Mosquitto process with the configuration that we ship, on a port and in a folder of the test's own.
type Broker struct {
	URL string

	program string
	config  string
	running *exec.Cmd
	ended   chan struct{} // closed when running has ended
}

// Mosquitto runs a Mosquitto until the test ends, with the accounts of deploy/mosquitto/acl and one for each device. It
// skips the test if Mosquitto is not installed.
func Mosquitto(t testing.TB, devices ...string) *Broker {
	t.Helper()
	return MosquittoWith(t, nil, devices...)
}

// MosquittoWith is Mosquitto with other values for some keys of the shipped configuration.
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

// Options returns the options of a client that logs in with an account. The client id is the name of the account.
func (b *Broker) Options(user string) mqtt.Options {
	return mqtt.Options{URL: b.URL, ClientID: user, Username: user, Password: password(user)}
}

// Set changes values of the configuration. They take effect at the next start.
func (b *Broker) Set(t testing.TB, values map[string]string) {
	t.Helper()
	writeConfig(t, b.config, b.config, values)
}

// Start starts a stopped broker again, on the same port and with the same folder.
func (b *Broker) Start(t testing.TB) {
	t.Helper()
	if !b.start(t) {
		t.Fatal("Mosquitto does not start again")
	}
}

// Stop ends the broker as systemd does, so that it saves its sessions, queues and retained messages.
func (b *Broker) Stop(testing.TB) { b.end(syscall.SIGTERM) }

// Kill ends the broker without warning, as a power failure would.
func (b *Broker) Kill(testing.TB) { b.end(syscall.SIGKILL) }

// Wipe deletes the database of a stopped broker: its sessions, queues and retained messages.
func (b *Broker) Wipe(t testing.TB) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(filepath.Dir(b.config), "mosquitto.db*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if err := os.Remove(f); err != nil {
			t.Fatal(err)
		}
	}
}

// start reports whether the broker answers. It does not if another process uses the port.
func (b *Broker) start(t testing.TB) bool {
	t.Helper()
	cmd := exec.Command(b.program, "-c", b.config)
	cmd.Stderr = t.Output()
	cmd.SysProcAttr = withParent()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }() // its log gives the reason
	b.running, b.ended = cmd, ended
	up, gone := false, false
	awaittest.True(t, "Mosquitto answers or ends", func() bool {
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

// FreePort returns a port on the loopback interface where nobody listens, for a server that is stopped and started
// again on the same port.
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

// free reports whether nobody listens on a port.
func free(port int) bool {
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err == nil {
		_ = l.Close()
	}
	return err == nil
}

// end sends a signal every signalInterval until the process has ended: Mosquitto accepts connections shortly before it
// handles signals, and ignores a signal that arrives in between.
func (b *Broker) end(s syscall.Signal) {
	for {
		_ = b.running.Process.Signal(s) // the process may have ended
		select {
		case <-b.ended:
			return
		case <-time.After(signalInterval):
		}
	}
}

const signalInterval = time.Second

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

// writeConfig copies a configuration with other values for some keys, all of which must occur in it. It also sets the
// user to root: started by root, Mosquitto switches to another user otherwise, who can't read the test's folder.
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
		t.Fatalf("%s contains the keys %v of %v", from, replaced, values)
	}
	if !slices.Contains(lines, "user root") {
		lines = append(lines, "user root", "")
	}
	if err := os.WriteFile(to, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
}

// find returns the path of a program. Debian installs Mosquitto in /usr/sbin, which is in the path of root only.
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

// checkout returns the folder that contains go.mod.
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
