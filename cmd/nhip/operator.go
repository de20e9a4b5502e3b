package main

import (
	"fmt"
	"strings"
	"time"

	"nhip/client"
	"nhip/internal/running"
)

// operatorFlags select the API that a tool calls as its operator.
type operatorFlags struct {
	URL     string `help:"${help_operator_url}" placeholder:"URL"`
	DataDir string `help:"${help_running_dir}" default:"${data_dir}" env:"NHIP_DATA_DIR" type:"path"`
}

// connect returns a client of the API.
func (f *operatorFlags) connect() (*client.Client, error) { return running.API(f.URL, f.DataDir) }

// errIncomplete reports the collectors whose part of an answer is missing; nil if there are none.
func errIncomplete(silent []string) error {
	if len(silent) == 0 {
		return nil
	}
	return fmt.Errorf("incomplete: no answer from %s", strings.Join(silent, ", "))
}

// moment is a time on the command line.
type moment string

// parse returns the time, or fallback if none is given. name is the flag, for the error.
func (m moment) parse(name string, fallback time.Time) (time.Time, error) {
	if m == "" {
		return fallback, nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z07:00", time.DateOnly} {
		if t, err := time.Parse(layout, string(m)); err == nil {
			return t, nil
		}
	}
	return fallback, fmt.Errorf("--%s: must be as in 2026-02-16T15:00:00Z or, for midnight UTC, 2026-02-16, got %q",
		name, string(m))
}
