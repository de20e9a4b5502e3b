package influxd_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"nhip/internal/influxd"
)

// The test binary also runs as other programs, selected by these variables: as a fake influxd with a given behaviour,
// and as the parent of a real influxd, which a test kills.
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

// fakeInfluxd accepts influxd's arguments: --dir DIR --http ADDRESS.
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
	if len(os.Args) > 5 {
		mode = os.Args[5] // "--reset-account": it accepts the password from now on
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

// parent starts a real influxd below dir, prints its address, and waits to be killed.
func parent(dir string) int {
	server, err := influxd.Start(influxd.Options{Binary: os.Getenv("NHIP_INFLUXD"), Dir: filepath.Join(dir, "influx")})
	if err == nil {
		err = server.Await(context.Background())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println(server.URL())
	select {} // killed by the test
}
