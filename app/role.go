package app

import (
	"context"
	"errors"
	"time"
)

// StopTimeout is how long Role.Stop waits for each part.
const StopTimeout = 10 * time.Second

// Role is a gateway, a collector, an api, or all of them, that runs in this process. It can be started once.
type Role struct {
	runtime   *runtime
	steps     []step // of the start, in order
	addresses func() Addresses
}

// step is one step of a role's start. ctx bounds the step, not the life of what it starts.
type step func(ctx context.Context) error

// Start starts the parts one after the other, and returns when the role is ready. ctx bounds the start only: the role
// runs until Stop. If a part fails or ctx ends first, Start stops what it has started and returns the error.
//
// An address that is in use is a *ListenError. A configuration key that the role needs and that is empty is a
// *nhip.Error with the code nhip.CodeMissing and the key as its field.
func (r *Role) Start(ctx context.Context) error {
	if err := r.runSteps(ctx); err != nil {
		return errors.Join(err, r.runtime.cleanup.Run(StopTimeout, r.runtime.log))
	}
	return nil
}

func (r *Role) runSteps(ctx context.Context) error {
	for _, run := range r.steps {
		if err := run(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Stop stops the parts, the last one started first, and returns when all have stopped, each within StopTimeout, or
// when ctx ends; the parts then go on stopping in the background. Everything acknowledged is on disk in either case.
func (r *Role) Stop(ctx context.Context) error {
	r.runtime.log.Info("stopping")
	stopped := make(chan error, 1)
	go func() { stopped <- r.runtime.cleanup.Run(StopTimeout, r.runtime.log) }()
	select {
	case err := <-stopped:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Addresses returns the role's URLs. Call it after Start.
func (r *Role) Addresses() Addresses { return r.addresses() }
