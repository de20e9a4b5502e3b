package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"
)

// filterStderr redirects os.Stderr, to which parts of InfluxDB print without the logger, to out. It drops the messages
// of the backup port's multiplexer, which reports a failure at each start because that port is closed.
func filterStderr(out io.Writer) error {
	r, w, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("can't filter the log: %w", err)
	}
	os.Stderr = w
	go func() { // ends with the process
		for lines := bufio.NewScanner(r); lines.Scan(); {
			if !strings.HasPrefix(lines.Text(), "[tcp] ") {
				fmt.Fprintln(out, lines.Text())
			}
		}
	}()
	return nil
}
