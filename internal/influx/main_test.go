package influx_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"nhip/internal/influx"
)

// The test binary also plays other programs, picked by these variables: an influxd that behaves in
// a given way, and a parent of a real influxd that is there to be killed.
const (
	asInfluxd = "NHIP_TEST_AS_INFLUXD"
	asParent  = "NHIP_TEST_AS_PARENT"
)

func TestMain(m *testing.M) {
	if mode := os.Getenv(asInfluxd); mode != "" {
		os.Exit(fakeInfluxd(mode))
	}
	if dir := os.Getenv(asParent); dir != "" {
		os.Exit(parent(dir))
	}
	os.Exit(m.Run())
}

// fakeInfluxd is called as influxd is: --dir DIR --http ADDRESS.
func fakeInfluxd(mode string) int {
	switch mode {
	case "fails":
		fmt.Fprintln(os.Stderr, "influxd: the disk is full")
		return 1
	case "silent":
		_, _ = io.Copy(io.Discard, os.Stdin)
		return 0
	}
	l, err := net.Listen("tcp", os.Args[4])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	go func() { _ = http.Serve(l, fakeQuery(mode)) }()
	fmt.Printf("ready http=http://%s\n", l.Addr())
	_, _ = io.Copy(io.Discard, os.Stdin)
	if mode == "stubborn" {
		select {}
	}
	return 0
}

// fakeQuery answers the creation of the account.
func fakeQuery(mode string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if mode == "unauthorized" {
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprintln(w, `{"error":"authorization failed"}`)
			return
		}
		fmt.Fprintln(w, `{"results":[{"statement_id":0}]}`)
	}
}

// parent starts a real influxd below dir, says where, and waits to be killed.
func parent(dir string) int {
	child, err := influx.StartChild(context.Background(), influx.ChildOptions{
		Binary: os.Getenv("NHIP_INFLUXD"), Dir: filepath.Join(dir, "influx"),
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println(child.URL())
	select {} // killed from outside
}

// patience bounds what the tests wait for.
const patience = 30 * time.Second

// eventually waits for a condition.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for late := time.After(patience); !ok(); {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("not in time: %s", what)
		}
	}
}
