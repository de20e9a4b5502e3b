package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"

	"nhip/app"
	"nhip/internal/config"
)

// gcPercent starts a garbage collection when the heap has grown by half. With Go's default of 100, a collector of
// 100,000 devices needs a quarter more memory; the CPU time of the collections did not change measurably.
const gcPercent = 50

// sparePerCPU is how many of Go's processors there are for each real one. The requests of strangers that run at a
// time take as many as there are real ones (rest.Admission); a message of a device finds a free one of Go's, and the
// system prefers its thread, which has slept, to theirs. With one for each real processor it waited for them.
const sparePerCPU = 2

// roleOptions reads what the roles have in common.
func (e *env) roleOptions(file, dataDir, clock string, flags []config.Flag) (app.Options, error) {
	set := app.LoadConfig(config.Sources{Path: file, Environ: os.Environ(), Flags: flags})
	if err := set.Err(); err != nil {
		return app.Options{}, err
	}
	c, err := parseClock(clock)
	if err != nil {
		return app.Options{}, err
	}
	return app.Options{Config: &set.Config, DataDir: dataDir, Clock: c, Logger: e.log}, nil
}

// serve starts a role, prints ready, which describes its addresses, and stops the role when the context ends.
func (e *env) serve(role *app.Role, flags []config.Flag, ready func(app.Addresses) string) error {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(sparePerCPU*runtime.NumCPU() + 2)
	}
	if err := role.Start(e.ctx); err != nil {
		if e.ctx.Err() != nil {
			return errStopped
		}
		return withFlagHint(err, flags)
	}
	if _, err := fmt.Fprintln(e.stdout, ready(role.Addresses())); err != nil {
		return errors.Join(err, role.Stop(context.WithoutCancel(e.ctx)))
	}
	<-e.ctx.Done()
	return role.Stop(context.WithoutCancel(e.ctx))
}
