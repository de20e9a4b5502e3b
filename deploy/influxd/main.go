// Command influxd is InfluxDB 1.8.10 as a well-behaved child process: a real InfluxDB for one
// machine, in pure Go, that listens on loopback only, says on stdout where, and never outlives the
// process that started it.
//
// It stops, cleanly, when its standard input ends (the parent closed it or died, even by kill -9)
// or on SIGTERM. It is no general InfluxDB: for a server of its own run InfluxDB 2.7 and point nhip
// at it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"time"
)

// influxVersion is the version of the module that go.mod pins; clients read it from /ping to tell
// the server's dialect. A test holds the two together.
const influxVersion = "1.8.10"

// closeWithin bounds a clean stop. Past it the process ends as if killed, which InfluxDB's
// write-ahead log survives, and says so with exit code 1.
const closeWithin = 30 * time.Second

// defaultCacheMB is InfluxDB's own limit for the cache of one shard, past which it turns writes away.
const defaultCacheMB = 1024

// options is what the command line says.
type options struct {
	dir     string
	http    string
	cacheMB int
}

func main() {
	os.Exit(execute(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// execute is main without the process: it returns the exit code. Every error is one line on stderr.
func execute(args []string, stdin *os.File, stdout, stderr io.Writer) int {
	o, err := parse(args, stdout)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err == nil {
		err = runUntilParentGoes(o, stdin, stdout, stderr)
	}
	if err != nil {
		fmt.Fprintf(stderr, "influxd: %v\n", err)
		return 1
	}
	return 0
}

// runUntilParentGoes serves until the parent lets go or the server fails.
func runUntilParentGoes(o options, stdin *os.File, stdout, stderr io.Writer) error {
	ctx, stop := withParent(context.Background(), stdin)
	defer stop()
	done := make(chan error, 1)
	go func() { done <- serve(ctx, o, stdout, stderr) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	select {
	case err := <-done:
		return err
	case <-time.After(closeWithin):
		return fmt.Errorf("did not close within %s: ending without", closeWithin)
	}
}

// parse reads the command line. Help and version go to out and return flag.ErrHelp.
func parse(args []string, out io.Writer) (options, error) {
	var o options
	fs := flag.NewFlagSet("influxd", flag.ContinueOnError)
	fs.SetOutput(io.Discard) // errors are printed once, by execute
	fs.StringVar(&o.dir, "dir", "", "`folder` of the data, created when missing (required)")
	fs.StringVar(&o.http, "http", "127.0.0.1:0", "loopback `address` to listen on; port 0 picks a free one")
	fs.IntVar(&o.cacheMB, "cache-mb", defaultCacheMB, "limit of one shard's write cache, in `MiB`")
	version := fs.Bool("version", false, "print the version and exit")
	err := fs.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fs.SetOutput(out)
		fmt.Fprintln(out, "influxd --dir DIR: InfluxDB "+influxVersion+" as a child process; it stops when its standard input ends")
		fs.PrintDefaults()
		return o, flag.ErrHelp
	case err != nil:
		return o, err
	case *version:
		fmt.Fprintf(out, "InfluxDB %s (%s)\n", influxVersion, runtime.Version())
		return o, flag.ErrHelp
	case fs.NArg() > 0:
		return o, fmt.Errorf("unexpected argument %q", fs.Arg(0))
	}
	return o, o.check()
}

// check holds the options against their rules.
func (o *options) check() error {
	if o.dir == "" {
		return errors.New("--dir: is required")
	}
	if o.cacheMB < 1 {
		return fmt.Errorf("--cache-mb: must be at least 1, got %d", o.cacheMB)
	}
	host, _, err := net.SplitHostPort(o.http)
	if err != nil {
		return fmt.Errorf("--http: must be host:port, got %q", o.http)
	}
	// A name, even localhost, may resolve to anything, so only addresses are taken.
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return fmt.Errorf("--http: must be a loopback address such as 127.0.0.1:0, got %q: this server is for its own machine only", o.http)
	}
	return nil
}
