package wsconn

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// echo starts a server that sends back what it receives over each WebSocket. Errors of reading go to ended.
func echo(t *testing.T) (url string, ended chan error) {
	t.Helper()
	ended = make(chan error, 16)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := Accept(w, r)
		if err != nil {
			return
		}
		_ = c.SetDeadline(time.Now().Add(10 * time.Second))
		go func() {
			defer c.Close()
			_, err := io.Copy(struct{ io.Writer }{c}, struct{ io.Reader }{c})
			ended <- err
		}()
	}))
	t.Cleanup(s.Close)
	return s.URL, ended
}

func TestLibraryClientTalks(t *testing.T) {
	url, ended := echo(t)
	ws, _, err := websocket.Dial(t.Context(), url, &websocket.DialOptions{Subprotocols: []string{"mqtt"}})
	if err != nil {
		t.Fatal(err)
	}
	if ws.Subprotocol() != Subprotocol {
		t.Errorf("sub-protocol %q", ws.Subprotocol())
	}
	conn := websocket.NetConn(t.Context(), ws, websocket.MessageBinary)
	ws.SetReadLimit(-1)
	for _, size := range []int{1, 63, 64, 125, 126, 127, 4096, 65_535, 65_536, 200_000} {
		sent := bytes.Repeat([]byte("0123456789"), size/10+1)[:size]
		go func() { _, _ = conn.Write(sent) }()
		got := make([]byte, size)
		if _, err := io.ReadFull(conn, got); err != nil || !bytes.Equal(got, sent) {
			t.Fatalf("%d bytes came back wrong: %v", size, err)
		}
	}
	if err := ws.Close(websocket.StatusNormalClosure, ""); err != nil {
		t.Error(err)
	}
	if err := <-ended; err != nil {
		t.Errorf("the server ended with %v", err)
	}
}

// masked returns a client's frame with a mask.
func masked(first byte, payload string) []byte {
	mask := []byte{1, 2, 3, 4}
	b := append([]byte{first, 0x80 | byte(len(payload))}, mask...)
	for i := range len(payload) {
		b = append(b, payload[i]^mask[i&3])
	}
	return b
}

// open sends a handshake, with bytes behind it, and returns the connection after the answer.
func open(t *testing.T, url string, behind []byte) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	_, _ = conn.Write(append([]byte("GET / HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, Upgrade\r\nUpgrade: "+
		"WebSocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"), behind...))
	var head []byte
	for one := make([]byte, 1); !bytes.HasSuffix(head, []byte("\r\n\r\n")); head = append(head, one[0]) {
		if _, err := conn.Read(one); err != nil {
			t.Fatalf("answer %q: %v", head, err)
		}
	}
	if !bytes.Contains(head, []byte("Sec-WebSocket-Accept: ICX+Yqv66kxgM0FcWaLWlFLwTAI=")) {
		t.Errorf("answer %q", head)
	}
	return conn
}

func TestFragmentsPingsAndEarlyBytes(t *testing.T) {
	url, _ := echo(t)
	conn := open(t, url, masked(0x02, "ab")) // with the request
	_, _ = conn.Write(masked(0x89, strings.Repeat("p", 125)))
	_, _ = conn.Write(masked(0x80, "cd"))
	var got []byte
	b := make([]byte, 512)
	for len(got) < 4+4+127 {
		n, err := conn.Read(b)
		if err != nil {
			t.Fatalf("received %q: %v", got, err)
		}
		got = append(got, b[:n]...)
	}
	for _, want := range []string{"\x82\x02ab", "\x8a\x7d" + strings.Repeat("p", 125), "\x82\x02cd"} {
		if !bytes.Contains(got, []byte(want)) {
			t.Errorf("received %q, want %q in it", got, want)
		}
	}
}

func TestBadFramesEndTheConnection(t *testing.T) {
	url, ended := echo(t)
	for name, c := range map[string]struct {
		send []byte
		code uint16
	}{
		"not masked":                     {[]byte{0x82, 1, 'a'}, closeProtocol},
		"an extension":                   {masked(0xc2, "a"), closeProtocol},
		"text":                           {masked(0x81, "a"), closeDataType},
		"an unknown opcode":              {masked(0x83, "a"), closeDataType},
		"an unknown control frame":       {masked(0x8b, "a"), closeProtocol},
		"a continuation of nothing":      {masked(0x80, "a"), closeProtocol},
		"a message within a message":     {append(masked(0x02, "a"), masked(0x82, "b")...), closeProtocol},
		"a fragment of a control frame":  {masked(0x09, "a"), closeProtocol},
		"a long control frame":           {[]byte{0x89, 0xfe, 0, 126, 0, 0, 0, 0}, closeProtocol},
		"a negative size":                {[]byte{0x82, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, closeProtocol},
		"a flood of pongs":               {bytes.Repeat(masked(0x8a, ""), maxControl+1), closePolicy},
		"a flood of empty frames":        {bytes.Repeat(masked(0x82, ""), maxControl+1), closePolicy},
		"a close frame with half a code": {masked(0x88, "a"), closeProtocol},
	} {
		t.Run(name, func(t *testing.T) {
			conn := open(t, url, nil)
			_, _ = conn.Write(c.send)
			got, err := io.ReadAll(conn)
			want := []byte{0x88, 2, byte(c.code >> 8), byte(c.code)}
			if !bytes.HasSuffix(got, want) {
				t.Errorf("received % x and %v, want % x", got, err, want)
			}
			if err := <-ended; err != nil && !errors.Is(err, ErrProtocol) {
				t.Errorf("the server ended with %v", err)
			}
		})
	}
}

func TestBadHandshakes(t *testing.T) {
	url, _ := echo(t)
	for name, change := range map[string]func(r *http.Request){
		"a plain request": func(r *http.Request) { r.Header = http.Header{} },
		"POST":            func(r *http.Request) { r.Method = http.MethodPost },
		"no key":          func(r *http.Request) { r.Header.Del("Sec-WebSocket-Key") },
		"a short key":     func(r *http.Request) { r.Header.Set("Sec-WebSocket-Key", "AAAA") },
		"another version": func(r *http.Request) { r.Header.Set("Sec-WebSocket-Version", "8") },
	} {
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		r.Header = http.Header{
			"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Version": {"13"},
			"Sec-Websocket-Key": {"AAAAAAAAAAAAAAAAAAAAAA=="},
		}
		change(r)
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusUpgradeRequired {
			t.Errorf("%s: status %d", name, resp.StatusCode)
		}
	}
}

// FuzzRead feeds any bytes behind a handshake. Read must end without a panic, and return at most what came in.
func FuzzRead(f *testing.F) {
	f.Add(masked(0x82, "abc"))
	f.Add(append(masked(0x02, "a"), masked(0x80, "b")...))
	f.Add([]byte{0x82, 0xff, 0, 0, 0, 0, 0, 0, 1, 0, 1, 2, 3, 4, 5})
	f.Add(masked(0x89, "ping"))
	f.Fuzz(func(t *testing.T, in []byte) {
		c := &Conn{Conn: &memory{in: bytes.NewReader(in)}}
		got, _ := io.ReadAll(c)
		if len(got) > len(in) {
			t.Errorf("%d bytes from %d", len(got), len(in))
		}
	})
}

// memory is a connection in memory that ignores what is written.
type memory struct {
	net.Conn
	in io.Reader
}

func (m *memory) Read(p []byte) (int, error)       { return m.in.Read(p) }
func (m *memory) Write(p []byte) (int, error)      { return len(p), nil }
func (m *memory) SetWriteDeadline(time.Time) error { return nil }
