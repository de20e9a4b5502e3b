// Command influxd is InfluxDB 1.8.10 as a child process: a real InfluxDB for one machine, in pure Go, that listens on
// loopback only, prints its address on stdout, and never outlives the process that started it.
//
// It stops cleanly on SIGTERM or when its standard input ends, because the parent closed it or died, even by kill -9.
// It is not a general-purpose InfluxDB: nhip influx serve runs it on its own, and docs/operating.md says when to take
// InfluxDB 2.7.
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

// influxVersion is the version of the module in go.mod, which a test checks. Clients read it from /ping to choose the
// dialect.
const influxVersion = "1.8.10"

// closeTimeout bounds a clean stop. After it the process ends as if killed, which InfluxDB's write-ahead log survives,
// with exit code 1.
const closeTimeout = 30 * time.Second

// defaultCacheMB is InfluxDB's default limit for the cache of one shard, above which it rejects writes.
const defaultCacheMB = 1024

// options are the command line's options.
type options struct {
	dir     string
	http    string
	cacheMB int
	account string // file with "user:password"; "": the accounts stay as they are
}

func main() {
	os.Exit(execute(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// execute runs the command and returns the exit code. It prints every error as one line on stderr.
func execute(args []string, stdin *os.File, stdout, stderr io.Writer) int {
	o, err := parse(args, stdout)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err == nil {
		err = runWithParent(o, stdin, stdout, stderr)
	}
	if err != nil {
		fmt.Fprintf(stderr, "influxd: %v\n", err)
		return 1
	}
	return 0
}

// runWithParent serves until the context of withParent ends or the server fails.
func runWithParent(o options, stdin *os.File, stdout, stderr io.Writer) error {
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
	case <-time.After(closeTimeout):
		return fmt.Errorf("did not close within %s: exiting without a clean stop", closeTimeout)
	}
}

// parse parses the command line. After printing the help or the version to out, it returns flag.ErrHelp.
func parse(args []string, out io.Writer) (options, error) {
	var o options
	fs := flag.NewFlagSet("influxd", flag.ContinueOnError)
	fs.SetOutput(io.Discard) // errors are printed once, by execute
	fs.StringVar(&o.dir, "dir", "", "data `folder`, created if missing (required)")
	fs.StringVar(&o.http, "http", "127.0.0.1:0", "loopback `address` to listen on; port 0 selects a free port")
	fs.IntVar(&o.cacheMB, "cache-mb", defaultCacheMB, "limit of one shard's write cache, in `MiB`")
	fs.StringVar(&o.account, "reset-account", "",
		"before serving, give the administrator in `file` (user:password) this password; create it if it is missing")
	version := fs.Bool("version", false, "print the version and exit")
	err := fs.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fs.SetOutput(out)
		fmt.Fprintln(out, "influxd --dir DIR: InfluxDB "+influxVersion+
			" as a child process; it stops when its standard input ends")
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

// check validates the options.
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
	// Only IP addresses are accepted: a name, even localhost, may resolve to another address.
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return fmt.Errorf("--http: must be a loopback address such as 127.0.0.1:0, got %q: "+
			"this server accepts local clients only", o.http)
	}
	return nil
}
