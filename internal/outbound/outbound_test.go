package outbound

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"
)

func client(t *testing.T, p Policy) *http.Client {
	t.Helper()
	c, err := New(Options{Policy: p, Timeout: 5 * time.Second, MaxBytes: 1000})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

// get returns the body, or the redacted error.
func get(c *http.Client, url string) (string, error) {
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return "", Redact(err)
	}
	req.Header.Set("X-Api-Key", "s3cret")
	resp, err := c.Do(req)
	if err != nil {
		return "", Redact(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return string(body), err
}

func TestInternalAddressesAreRefused(t *testing.T) {
	g := &guard{}
	for _, s := range []string{
		"127.0.0.1", "127.9.9.9", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254", "0.0.0.0",
		"0.1.2.3", "100.64.0.1", "224.0.0.1", "239.1.1.1", "255.255.255.255", "240.0.0.1", "198.18.0.1", "192.0.0.1", "::1",
		"::",
		"::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "fe80::1", "fc00::1", "fd12::1", "ff02::1", "fec0::1",
		"64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2002:c0a8:101::1", "64:ff9b:1::1", "2001:db8::1",
		"2001::1",
	} {
		if g.check(netip.MustParseAddr(s)) == nil {
			t.Errorf("%s is allowed", s)
		}
	}
	for _, s := range []string{
		"1.1.1.1", "8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808",
		"2002:808:808::1",
	} {
		if err := g.check(netip.MustParseAddr(s)); err != nil {
			t.Errorf("%s: %v", s, err)
		}
	}
}

// TestSpellingsOfLoopbackAreRefused asks for a running server by each spelling.
func TestSpellingsOfLoopbackAreRefused(t *testing.T) {
	asked := 0
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked++ }))
	defer s.Close()
	_, port, _ := net.SplitHostPort(s.Listener.Addr().String())
	c := client(t, Policy{})
	for _, host := range []string{
		"127.0.0.1", "localhost", "LOCALHOST.", "127.1", "0x7f.1", "2130706433", "0177.0.0.1", "[::ffff:127.0.0.1]", "[::1]",
		"0.0.0.0",
		"[::]", "0", "127.0.0.1.", "①②⑦.0.0.1",
	} {
		if _, err := get(c, "http://"+host+":"+port+"/"); err == nil {
			t.Errorf("%s was asked", host)
		}
	}
	if asked > 0 {
		t.Errorf("the server was asked %d times", asked)
	}
	if _, err := get(client(t, Policy{Allow: []string{"127.0.0.0/8"}}), s.URL); err != nil || asked != 1 {
		t.Errorf("an allowed address: %v", err)
	}
}

// TestNamesAreCheckedWhenConnected: the check is made for the address of the connection, whatever the name resolved to
// before.
func TestNamesAreCheckedWhenConnected(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	defer s.Close()
	_, port, _ := net.SplitHostPort(s.Listener.Addr().String())
	d := net.Dialer{ControlContext: (&guard{}).control}
	_, err := d.DialContext(context.Background(), "tcp", "localhost:"+port) // resolved by the dialer
	if err == nil || !strings.Contains(err.Error(), "not a public address") {
		t.Errorf("%v", err)
	}
}

func TestRedirects(t *testing.T) {
	keys := make(chan string, 1)
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		keys <- r.Header.Get("X-Api-Key")
	}))
	defer other.Close()
	var target string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/end" {
			fmt.Fprint(w, "end")
			return
		}
		http.Redirect(w, r, target, http.StatusFound)
	}))
	defer s.Close()
	c := client(t, Policy{Allow: []string{"127.0.0.1"}})
	for _, to := range []string{
		other.URL, strings.Replace(other.URL, "127.0.0.1", "localhost", 1), "http://169.254.169.254/latest",
		"//evil.example/",
		"file:///etc/passwd", "gopher://127.0.0.1/", "/again",
	} {
		target = to
		if _, err := get(c, s.URL+"/start?key=s3cret"); err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("to %s: %v", to, err)
		}
	}
	target = "/end"
	if body, err := get(c, s.URL+"/start"); body != "end" || err != nil {
		t.Errorf("within the host: %q, %v", body, err)
	}
	if len(keys) > 0 {
		t.Errorf("the key %q was forwarded", <-keys)
	}
}

func TestAnswersAreBounded(t *testing.T) {
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	z.Write(make([]byte, 1<<20))
	z.Close()
	answers := map[string]http.HandlerFunc{
		"/small": func(w http.ResponseWriter, _ *http.Request) { w.Write(make([]byte, 1000)) },
		"/large": func(w http.ResponseWriter, _ *http.Request) { w.Write(make([]byte, 1001)) },
		"/zipped": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			w.Write(zipped.Bytes())
		},
		"/header": func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X", strings.Repeat("x", 2*maxHeader)) },
		"/slow": func(w http.ResponseWriter, r *http.Request) {
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		},
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { answers[r.URL.Path](w, r) }))
	defer s.Close()
	c := client(t, Policy{Allow: []string{"127.0.0.1"}})
	c.Timeout = 500 * time.Millisecond
	for path := range answers {
		if body, err := get(c, s.URL+path); (err == nil) != (path == "/small") || len(body) > 1000 {
			t.Errorf("%s: %d bytes, %v", path, len(body), err)
		}
	}
}

func TestProxiesOfTheEnvironmentAreNotUsed(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://proxy.invalid:1")
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Host) }))
	defer s.Close()
	base := client(t, Policy{}).Transport.(*transport).base
	if base.Proxy != nil {
		t.Error("a proxy is used without a setting")
	}
	// The operator's proxy may be internal; literal internal addresses behind it stay refused.
	c := client(t, Policy{Proxy: s.URL})
	if body, err := get(c, "http://feed.example/x"); body != "feed.example" || err != nil {
		t.Errorf("through the proxy: %q, %v", body, err)
	}
	if _, err := get(c, "http://10.0.0.1/"); err == nil {
		t.Error("an internal address was asked through the proxy")
	}
}

func TestErrorsContainNoSecrets(t *testing.T) {
	c := client(t, Policy{})
	for _, url := range []string{
		"http://user:s3cret@127.0.0.1:1/s3cret?key=s3cret#s3cret", "http://nowhere.invalid/s3cret?key=s3cret",
		"http://%zz/s3cret", "ftp://host/s3cret", "http://host:s3cret/",
	} {
		_, err := get(c, url)
		if err == nil || strings.Contains(err.Error(), "/s3cret") || strings.Contains(err.Error(), "key=") ||
			strings.Contains(err.Error(), "user") {
			t.Errorf("%v", err)
		}
	}
	if err := Redact(errors.New("plain")); err.Error() != "plain" {
		t.Error(err)
	}
	if got := Name("https://u:p@h.example:8443/path?k=1"); got != "https://h.example:8443" {
		t.Error(got)
	}
}

func TestPolicyIsChecked(t *testing.T) {
	for _, p := range []Policy{
		{Allow: []string{"example.org"}},
		{Allow: []string{"10.0.0.0/33"}},
		{Proxy: "proxy"},
		{Proxy: "socks5://p"},
	} {
		if _, err := New(Options{Policy: p}); err == nil {
			t.Errorf("%+v: no error", p)
		}
	}
}
