package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"
)

// filterStderr puts a filter before os.Stderr, which parts of InfluxDB print to past any logger.
// It drops what the multiplexer of the backup port says when that port is shut, on every start:
// it calls that a failure. Everything else is passed on to out.
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
