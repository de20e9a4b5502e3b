package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"

	"nhip"
	"nhip/app"
	"nhip/internal/config"
	"nhip/internal/settings"
)

// Errors that end a command.
var (
	// errStopped means that a start was interrupted and stopped in order.
	errStopped = errors.New("stopped")

	// errFaulty means that the command has printed the faults of a file, as FILE:LINE: lines for editors.
	errFaulty = errors.New("faulty configuration")

	// errRejected means that the command has printed why something was rejected.
	errRejected = errors.New("rows are rejected")
)

// printError prints an error. If it joins several, each has a line of its own.
func printError(stderr io.Writer, err error) {
	for line := range strings.Lines(err.Error()) {
		fmt.Fprintln(stderr, "nhip:", strings.TrimSuffix(line, "\n"))
	}
}

// printFaults prints the faults of a file without a prefix, so that editors find the lines. It returns other errors.
func printFaults(e *env, err error) error {
	if faults := settings.Faults(nil); !errors.As(err, &faults) {
		return err
	}
	fmt.Fprintln(e.stderr, err)
	return errFaulty
}

// withFlagHint adds to an error of a role's start which of the flags solves the problem.
func withFlagHint(err error, flags []config.Flag) error {
	var listen *app.ListenError
	if errors.As(err, &listen) && errors.Is(err, syscall.EADDRINUSE) {
		if flag := flagOf(listen.Key, flags); flag != "" {
			return fmt.Errorf("%w; choose another with %s HOST:PORT", err, flag)
		}
	}
	var missing *nhip.Error
	if errors.As(err, &missing) && missing.Code == nhip.CodeMissing {
		if flag := flagOf(missing.Field, flags); flag != "" {
			return fmt.Errorf("%w (%s, %s or the configuration file)", err, flag, config.Variable(missing.Field))
		}
	}
	return err
}

func flagOf(key string, flags []config.Flag) string {
	for _, f := range flags {
		if f.Key == key {
			return f.Name
		}
	}
	return ""
}
