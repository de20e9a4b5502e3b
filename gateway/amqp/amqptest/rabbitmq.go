// Package amqptest runs RabbitMQ for tests. Only tests may import it.
package amqptest

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"nhip/internal/awaittest"
	"nhip/internal/certs/certstest"
	"nhip/internal/mqtt/mqtttest"

	amqp091 "github.com/rabbitmq/amqp091-go"
)

// Account of the broker.
const (
	User     = "nhip"
	Password = "s3cret:of/the@broker"
)

// program is RabbitMQ's start script in Debian's package, without the wrapper that needs its own user.
const program = "/usr/lib/rabbitmq/bin/rabbitmq-server"

// startTries is how often a start is tried on other ports; startTime is how long one may take.
const (
	startTries = 5
	startTime  = 5 * time.Minute
)

// Broker is a RabbitMQ with a folder and ports of the test's own.
type Broker struct {
	Roots *x509.CertPool // of its certificate

	dir       string
	port, tls int
	env       []string
	running   *exec.Cmd
	ended     chan struct{} // closed when running has ended
}

// RabbitMQ runs a RabbitMQ until the test ends. It skips the test if RabbitMQ is not installed.
func RabbitMQ(t testing.TB) *Broker {
	t.Helper()
	epmd, err := exec.LookPath("epmd")
	if _, missing := os.Stat(program); missing != nil || err != nil {
		t.Skip("RabbitMQ is not installed: apt-get install rabbitmq-server")
	}
	b := &Broker{dir: t.TempDir()}
	b.issue(t)
	for range startTries {
		b.configure(t, epmd)
		if b.start(t) {
			return b
		}
	}
	t.Fatal("RabbitMQ does not start")
	return nil
}

// issue writes a certificate for the broker.
func (b *Broker) issue(t testing.TB) {
	authority := certstest.New(t, "amqp test authority")
	authority.Write(b.path("ca.pem"))
	certstest.WritePair(t, authority.Issue("127.0.0.1", time.Now().Add(time.Hour)), b.path("cert.pem"), b.path("key.pem"))
	b.Roots = authority.Pool()
}

func (b *Broker) path(name string) string { return filepath.Join(b.dir, name) }

// CA returns the path of the authority of the broker's certificate.
func (b *Broker) CA() string { return b.path("ca.pem") }

// configure picks ports, and starts the port mapper that Erlang needs: without it Erlang would start one that outlives
// the test.
func (b *Broker) configure(t testing.TB, epmd string) {
	t.Helper()
	b.port, b.tls = mqtttest.FreePort(t), mqtttest.FreePort(t)
	mapper, dist := mqtttest.FreePort(t), mqtttest.FreePort(t)
	conf := fmt.Sprintf(`listeners.tcp.local = 127.0.0.1:%d
listeners.ssl.local = 127.0.0.1:%d
ssl_options.cacertfile = %[3]s/ca.pem
ssl_options.certfile = %[3]s/cert.pem
ssl_options.keyfile = %[3]s/key.pem
default_user = %[4]s
default_pass = %[5]s
log.file = false
log.console = true
log.console.level = warning
disk_free_limit.absolute = 1MB
`, b.port, b.tls, b.dir, User, Password)
	if err := os.WriteFile(b.path("rabbitmq.conf"), []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(b.path("enabled_plugins"), []byte("[].\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	names := exec.Command(epmd, "-port", fmt.Sprint(mapper), "-address", "127.0.0.1")
	names.SysProcAttr = withParent()
	if err := names.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = names.Process.Kill(); _ = names.Wait() })
	awaittest.True(t, "epmd answers", func() bool { return answers(mapper) })
	b.env = append(os.Environ(),
		"HOME="+b.dir, "RABBITMQ_BASE="+b.dir, "RABBITMQ_MNESIA_BASE="+b.path("mnesia"), "RABBITMQ_LOG_BASE="+b.path("log"),
		"RABBITMQ_CONFIG_FILE="+b.path("rabbitmq"), "RABBITMQ_ENABLED_PLUGINS_FILE="+b.path("enabled_plugins"),
		"RABBITMQ_CONF_ENV_FILE="+b.path("none"), "RABBITMQ_ADVANCED_CONFIG_FILE="+b.path("none"),
		fmt.Sprintf("RABBITMQ_NODENAME=test%d@localhost", b.port), fmt.Sprintf("RABBITMQ_DIST_PORT=%d", dist),
		fmt.Sprintf("ERL_EPMD_PORT=%d", mapper), "ERL_EPMD_ADDRESS=127.0.0.1",
		"RUNNING_UNDER_SYSTEMD=true", // the script becomes the server, so that a signal reaches it
		"NOTIFY_SOCKET=",
		// One scheduler that sleeps while it has nothing to do: the default ones spin, at the cost of the tests.
		"RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=+S 1:1 +sbwt none +sbwtdcpu none +sbwtdio none",
	)
}

func answers(port int) bool {
	conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err == nil {
		_ = conn.Close()
	}
	return err == nil
}

// Start starts a stopped broker again, on the same ports and with the same folder.
func (b *Broker) Start(t testing.TB) {
	t.Helper()
	if !b.start(t) {
		t.Fatal("RabbitMQ does not start again")
	}
}

// start reports whether the broker accepts log-ins.
func (b *Broker) start(t testing.TB) bool {
	t.Helper()
	cmd := exec.Command(program)
	cmd.Env, cmd.Dir = b.env, b.dir
	log := new(strings.Builder)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = withParent()
	cmd.WaitDelay = time.Second // Erlang's helpers end a moment later and hold the log open
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }() // its log gives the reason
	b.running, b.ended = cmd, ended
	t.Cleanup(b.Kill)
	for deadline := time.Now().Add(startTime); time.Now().Before(deadline); {
		select {
		case <-ended:
			t.Logf("RabbitMQ ended: %s", log)
			return false
		case <-time.After(100 * time.Millisecond):
		}
		if c, err := amqp091.Dial(b.URL()); err == nil {
			_ = c.Close()
			return true
		}
	}
	b.Kill()
	t.Logf("RabbitMQ does not answer: %s", log)
	return false
}

// Kill ends the broker without warning, as a power failure would.
func (b *Broker) Kill() {
	_ = b.running.Process.Signal(syscall.SIGKILL) // it may have ended
	<-b.ended
}

// address returns an address of the broker.
func (b *Broker) address(scheme string, port int) string {
	uri := amqp091.URI{Scheme: scheme, Host: "127.0.0.1", Port: port, Username: User, Password: Password, Vhost: "/"}
	return uri.String()
}

// URL returns the address with the account.
func (b *Broker) URL() string { return b.address("amqp", b.port) }

// TLSURL returns the address with TLS and the account.
func (b *Broker) TLSURL() string { return b.address("amqps", b.tls) }

// WithoutPassword returns the address with the user name only.
func (b *Broker) WithoutPassword() string {
	return fmt.Sprintf("amqp://%s@127.0.0.1:%d", User, b.port)
}

// Channel opens a channel until the test ends, over TLS.
func (b *Broker) Channel(t testing.TB) *amqp091.Channel {
	t.Helper()
	conn, err := amqp091.DialTLS(b.TLSURL(), &tls.Config{RootCAs: b.Roots, MinVersion: tls.VersionTLS12})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	ch, err := conn.Channel()
	if err != nil {
		t.Fatal(err)
	}
	return ch
}

// Declare makes a durable queue.
func (b *Broker) Declare(t testing.TB, queue string) {
	t.Helper()
	if _, err := b.Channel(t).QueueDeclare(queue, true, false, false, false, nil); err != nil {
		t.Fatal(err)
	}
}

// Publish publishes persistent messages to a queue, and returns when the broker has confirmed all.
func (b *Broker) Publish(t testing.TB, queue string, payloads ...[]byte) {
	t.Helper()
	ch := b.Channel(t)
	if err := ch.Confirm(false); err != nil {
		t.Fatal(err)
	}
	for _, p := range payloads {
		confirmed, err := ch.PublishWithDeferredConfirm("", queue, true, false, amqp091.Publishing{
			DeliveryMode: amqp091.Persistent, Body: p,
		})
		if err != nil || !confirmed.Wait() {
			t.Fatalf("a message of %d bytes is not confirmed: %v", len(p), err)
		}
	}
}

// Ready returns how many messages of a queue are not delivered.
func (b *Broker) Ready(t testing.TB, queue string) int {
	t.Helper()
	q, err := b.Channel(t).QueueDeclarePassive(queue, true, false, false, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	return q.Messages
}
