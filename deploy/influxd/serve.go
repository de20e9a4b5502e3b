package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/influxdata/influxdb/cmd/influxd/run"
	"github.com/influxdata/influxdb/services/httpd"
)

// serve runs the server until ctx ends or the server fails. It returns nil if ctx ends before the server has started.
func serve(ctx context.Context, o options, stdout, stderr io.Writer) error {
	if err := filterStderr(stderr); err != nil {
		return err
	}
	lock, err := lockDir(ctx, o.dir, lockWait)
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	defer lock.Close()
	server, err := open(o, stderr)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "ready http=http://%s\n", boundHTTP(server))
	select {
	case <-ctx.Done():
		return server.Close()
	case err := <-server.Err():
		return errors.Join(err, server.Close())
	}
}

// open loads the data, starts the server and binds its address.
func open(o options, stderr io.Writer) (*run.Server, error) {
	c := o.config()
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if err := checkFree(o.http); err != nil {
		return nil, err
	}
	server, err := run.NewServer(c, &run.BuildInfo{Version: influxVersion})
	if err != nil {
		return nil, fmt.Errorf("can't open %s: %w", o.dir, err)
	}
	if server.Logger, err = c.Logging.New(stderr); err != nil {
		return nil, err
	}
	if err := resetAccount(server.MetaClient, o.account); err != nil {
		return nil, fmt.Errorf("--reset-account: %w", err)
	}
	if err := server.Open(); err != nil {
		return nil, fmt.Errorf("can't start on %s: %w", o.dir, err)
	}
	// This listener lets any client back up and restore whole databases without authentication. nhip does not use it, and
	// the machine may have other users.
	if err := server.Listener.Close(); err != nil {
		return nil, fmt.Errorf("can't close the backup port: %w", err)
	}
	return server, nil
}

// checkFree reports a used address before the data is loaded, which can take long.
func checkFree(address string) error {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("--http: can't listen: %w", err)
	}
	return l.Close()
}

// boundHTTP returns the address of the HTTP service.
func boundHTTP(server *run.Server) string {
	for _, s := range server.Services {
		if h, ok := s.(*httpd.Service); ok {
			return h.BoundHTTPAddr()
		}
	}
	return "" // not reached: the configuration has an HTTP service
}
