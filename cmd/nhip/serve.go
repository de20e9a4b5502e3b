package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"nhip/app"
	"nhip/internal/config"
)

// roleOptions reads what the roles have in common.
func (e *env) roleOptions(file, dataDir, clock string, flags []config.Flag) (app.Options, error) {
	set := app.LoadConfig(config.Sources{Path: file, Environ: os.Environ(), Flags: flags})
	if err := set.Err(); err != nil {
		return app.Options{}, err
	}
	c, err := app.ParseClock(clock)
	if err != nil {
		return app.Options{}, err
	}
	return app.Options{Config: &set.Config, DataDir: dataDir, Clock: c, Logger: e.log}, nil
}

// serve starts a role, prints ready, which describes its addresses, and stops the role when the context ends.
func (e *env) serve(role *app.Role, flags []config.Flag, ready func(app.Addresses) string) error {
	app.TuneRuntime()
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
